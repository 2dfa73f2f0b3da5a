// From a panel to the kernel: single gestures at once, a stream of them one at a time.

import type { Acknowledged, Gesture, SettableName } from "../protocol/index.ts";
import { listen, type Model, viewName } from "./model.ts";
import { Throttle } from "./throttle.ts";

export interface Messenger<Sent extends Gesture> {
  /** Send a gesture at once. */
  now(gesture: Sent, buffers?: readonly ArrayBuffer[]): void;
  /** Send a gesture when the kernel has dealt with the one before it; only the newest waits. */
  latest(gesture: Sent, key?: string): void;
  /** Set a trait of the app: the newest value, one at a time. */
  set(name: SettableName, value: unknown): void;
  close(): void;
}

export function messenger<Sent extends Gesture>(model: Model<object>): Messenger<Sent> {
  const view = viewName();
  const throttles = new Map<string, Throttle<Gesture>>();
  const stop = listen<Acknowledged>(model, (message) => {
    if (message.kind !== "acknowledged" || message.ack.view !== view) return;
    throttles.get(message.ack.key)?.acknowledged(message.ack.n);
  });
  const throttle = (key: string) => {
    const known = throttles.get(key);
    if (known) return known;
    const made = new Throttle<Gesture>((gesture, n) => {
      model.send({ ...gesture, ack: { view, key, n } });
    });
    throttles.set(key, made);
    return made;
  };
  return {
    now: (gesture, buffers = []) => model.send(gesture, undefined, buffers),
    latest: (gesture, key = gesture.kind) => throttle(key).post(gesture),
    set: (name, value) => throttle(`set ${name}`).post({ kind: "set", name, value }),
    close() {
      stop();
      for (const one of throttles.values()) one.close();
    },
  };
}
