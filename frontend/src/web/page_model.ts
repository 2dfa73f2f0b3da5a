// The model of one part of the page, kept in step by the messages of `/live`.

import type { EventHandler, Model } from "../lib/model.ts";

export type State = Record<string, unknown>;
export type Report = (part: string, content: object) => void;

export class PageModel implements Model<State> {
  private state: State = {};
  private readonly handlers = new Map<string, Set<EventHandler>>();

  constructor(
    private readonly part: string,
    private readonly report: Report,
  ) {}

  get<Name extends string>(name: Name): State[Name] {
    return this.state[name];
  }

  on(event: string, handler: EventHandler): void {
    const known = this.handlers.get(event) ?? new Set();
    this.handlers.set(event, known.add(handler));
  }

  off(event: string, handler: EventHandler): void {
    this.handlers.get(event)?.delete(handler);
  }

  send(content: object): void {
    this.report(this.part, content);
  }

  /** Take traits that the service sent. */
  update(changes: State): void {
    this.state = { ...this.state, ...changes };
    for (const name of Object.keys(changes)) this.emit(`change:${name}`);
  }

  /** Take a message that the service sent. */
  tell(content: object, buffers: readonly DataView[]): void {
    this.emit("msg:custom", content, buffers);
  }

  private emit(event: string, ...values: unknown[]): void {
    for (const handler of [...(this.handlers.get(event) ?? [])]) handler(...values);
  }
}
