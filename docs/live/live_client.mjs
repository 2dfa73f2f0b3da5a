// A client of /live for browsers and for Node 22 or newer: one connection, the newest text counts.
//
//   import { LiveClient } from "./live_client.mjs";
//   const client = new LiveClient("ws://127.0.0.1:8001/live");
//   const answer = await client.ask("def f(x):\n    return x", { layer: 21, want: ["weights"] });
//   if (answer) answer.weights; // { shape: [n, n], values: Float32Array }; null if a newer text came

const ARRAYS = ["weights", "received", "row"];

export class LiveClient {
  #socket;
  #opened;
  #serial = 0;
  #waiting = null; // the newest question: { serial, resolve, reject }
  #answer = null; // an answer whose arrays are still to come

  constructor(address, token = null) {
    this.#socket = new WebSocket(address);
    this.#socket.binaryType = "arraybuffer";
    this.#opened = new Promise((resolve, reject) => {
      this.#socket.addEventListener("open", resolve);
      this.#socket.addEventListener("close", ({ code, reason }) => {
        const error = new Error(`The connection was closed: ${reason || code}`);
        reject(error);
        this.#waiting?.reject(error);
      });
    });
    const open = () => this.#socket.send(JSON.stringify({ kind: "open", token }));
    this.#opened.then(open, () => {});
    this.#socket.addEventListener("message", ({ data }) => this.#take(data));
  }

  /** Return the attention of a text; null if a newer text was asked about before it was there. */
  async ask(code, options = {}) {
    await this.#opened;
    const serial = ++this.#serial;
    this.#waiting?.resolve(null);
    const message = { kind: "code", serial, code, offsets: "utf-16", format: "binary", ...options };
    return new Promise((resolve, reject) => {
      this.#waiting = { serial, resolve, reject };
      this.#socket.send(JSON.stringify(message));
    });
  }

  close() {
    this.#socket.close();
  }

  #take(data) {
    if (typeof data === "string") this.#answer = JSON.parse(data);
    const answer = this.#answer;
    const next = () => (answer.want ??= ARRAYS.filter((name) => answer[name]?.dtype));
    if (typeof data !== "string") answer[next().shift()].values = new Float32Array(data);
    if (answer.kind === "opened" || (answer.kind !== "error" && next().length)) return;
    if (answer.serial !== this.#waiting?.serial) return; // of an older text
    if (answer.kind === "error") this.#waiting.reject(new Error(answer.problem.detail));
    else this.#waiting.resolve(answer);
    this.#waiting = null;
  }
}
