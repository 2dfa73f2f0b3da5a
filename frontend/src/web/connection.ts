// The web socket to `/live`, which connects again by itself.

import { type Frame, readFrame } from "./frames.ts";

const NO_TOKEN = 4401;
const IDLE = 4408;
const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 10_000;

export type Lost = "gone" | "idle" | "refused" | "token";

export interface Problem {
  readonly title: string;
  readonly detail: string;
}

export interface Listener {
  /** The connection is open; what came before is over. */
  opened(): void;
  frame(frame: Frame, buffers: DataView[]): void;
  /** The connection ended; unless a token is missing or the page was idle, it is tried again. */
  lost(why: Lost, problem: Problem | null): void;
}

export class Connection {
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private wait = FIRST_WAIT_MS;
  private problem: Problem | null = null;
  private open = false;
  token: string | null = null;

  constructor(
    private readonly url: string,
    private readonly view: () => object,
    private readonly on: Listener,
  ) {}

  /** Connect, in place of a connection that there is. */
  connect(): void {
    clearTimeout(this.timer);
    const before = this.socket;
    this.socket = null;
    before?.close();
    this.open = false;
    this.problem = null;
    const socket = new WebSocket(this.url);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    const mine = () => this.socket === socket;
    socket.addEventListener("open", () => {
      if (!mine()) return;
      const message = { kind: "open", view: "panels", token: this.token, state: this.view() };
      socket.send(JSON.stringify(message));
    });
    socket.addEventListener("message", ({ data }) => {
      if (mine()) this.receive(data);
    });
    socket.addEventListener("close", ({ code }) => {
      if (mine()) this.closed(code);
    });
  }

  get connected(): boolean {
    return this.open;
  }

  send(part: string, content: object): void {
    if (this.open) this.socket?.send(JSON.stringify({ kind: "part", part, content }));
  }

  private receive(data: string | ArrayBuffer): void {
    if (typeof data !== "string") {
      this.on.frame(...readFrame(data));
      return;
    }
    const message = JSON.parse(data);
    if (message.kind === "opened") {
      this.open = true;
      this.wait = FIRST_WAIT_MS;
      this.on.opened();
    } else if (message.kind === "error") {
      this.problem = message.problem;
      console.warn("[explorer]", message.problem.detail);
    }
  }

  private closed(code: number): void {
    this.open = false;
    this.socket = null;
    const why =
      code === NO_TOKEN ? "token" : code === IDLE ? "idle" : this.problem ? "refused" : "gone";
    if (why === "refused" || why === "gone") {
      this.timer = setTimeout(() => this.connect(), this.wait);
      this.wait = Math.min(LONGEST_WAIT_MS, this.wait * 2);
    }
    this.on.lost(why, this.problem);
  }
}
