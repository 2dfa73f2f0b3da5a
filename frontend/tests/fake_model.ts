// A model of Jupyter widgets without Jupyter.

import type { EventHandler, Model } from "../src/lib/model.ts";

export interface Sent {
  readonly content: Record<string, unknown>;
  readonly buffers: readonly ArrayBuffer[];
}

export class FakeModel<State extends object> implements Model<State> {
  readonly sent: Sent[] = [];
  private readonly handlers = new Map<string, Set<EventHandler>>();

  comm_live: boolean | undefined;

  constructor(private state: State) {}

  get<Name extends keyof State & string>(name: Name): State[Name] {
    return this.state[name];
  }

  on(event: string, handler: EventHandler): void {
    const known = this.handlers.get(event) ?? new Set();
    this.handlers.set(event, known.add(handler));
  }

  off(event: string, handler: EventHandler): void {
    this.handlers.get(event)?.delete(handler);
  }

  send(content: object, _?: unknown, buffers: readonly ArrayBuffer[] = []): void {
    this.sent.push({ content: content as Record<string, unknown>, buffers });
  }

  // ---- what the kernel does

  /** Change traits, as a message of the kernel does. */
  set(changes: Partial<State>): void {
    this.state = { ...this.state, ...changes };
    for (const name of Object.keys(changes)) this.emit(`change:${name}`);
  }

  /** Send a message to the page. */
  tell(message: object, buffers: readonly DataView[] = []): void {
    this.emit("msg:custom", message, buffers);
  }

  /** Cut the way to the kernel, as a host does after a restart. */
  die(): void {
    this.comm_live = false;
    this.emit("comm_live_update");
  }

  /** How many handlers the page has left here. */
  get listeners(): number {
    return [...this.handlers.values()].reduce((sum, handlers) => sum + handlers.size, 0);
  }

  /** The gestures sent so far, without what asks for their acknowledgement. */
  get gestures(): Record<string, unknown>[] {
    return this.sent.map(({ content: { ack: _, ...gesture } }) => gesture);
  }

  private emit(event: string, ...values: unknown[]): void {
    for (const handler of [...(this.handlers.get(event) ?? [])]) handler(...values);
  }
}
