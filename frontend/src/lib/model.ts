// A model of Jupyter widgets as the page sees it, with the traits that it carries.

/** What a model is asked for: traits by their names, messages, changes. */
export interface Model<State extends object> {
  /** Whether there is a kernel behind the model, where a host says so. */
  readonly comm_live?: boolean;
  get<Name extends keyof State & string>(name: Name): State[Name];
  on(event: string, handler: EventHandler): void;
  off(event: string, handler: EventHandler): void;
  send(content: object, callbacks?: unknown, buffers?: readonly ArrayBuffer[]): void;
}

// biome-ignore lint/suspicious/noExplicitAny: the arguments differ from event to event
export type EventHandler = (...args: any[]) => void;

/** Call `update` with a trait now and whenever it changes; returns what ends that. */
export function follow<State extends object, Name extends keyof State & string>(
  model: Model<State>,
  name: Name,
  update: (value: State[Name]) => void,
): () => void {
  const run = () => update(model.get(name));
  model.on(`change:${name}`, run);
  run();
  return () => model.off(`change:${name}`, run);
}

/** Call `handler` with every message that the kernel sends; returns what ends that. */
export function listen<Message>(
  model: Model<object>,
  handler: (message: Message, buffers: readonly DataView[]) => void,
): () => void {
  model.on("msg:custom", handler);
  return () => model.off("msg:custom", handler);
}

/** Call `update` with whether the kernel is gone, now and whenever that changes. */
export function followKernel(model: Model<object>, update: (gone: boolean) => void): () => void {
  const look = () => update(model.comm_live === false);
  model.on("comm_live_update", look);
  look();
  return () => model.off("comm_live_update", look);
}

let views = 0;

/** Return a name that no other view has, on this page or another. */
export function viewName(): string {
  views += 1;
  return `${Math.random().toString(36).slice(2)}-${views}`;
}
