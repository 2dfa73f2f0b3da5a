// What every panel of the app has: an element, the words that never change, a way to the kernel.

import { keepKeys, unpinByKey } from "../lib/dom.ts";
import { type Messenger, messenger } from "../lib/messenger.ts";
import { follow, listen, type Model } from "../lib/model.ts";
import type { Gesture, PanelMessage, PanelState } from "../protocol/index.ts";

export interface Place<Content, Texts, Sent extends Gesture, Document> {
  readonly el: HTMLElement;
  readonly model: Model<PanelState<Content, Texts, Document>>;
  readonly texts: Texts;
  readonly tell: Messenger<Sent>;
  /** Call `update` with a trait of the model now and whenever it changes. */
  follow<Name extends "document" | "palette" | "source" | "tint">(
    name: Name,
    update: () => void,
  ): void;
  /** Call `handler` with every message of the kernel. */
  listen(handler: (message: PanelMessage) => void): void;
  /** Call `stop` when the panel is taken away. */
  atEnd(stop: () => void): void;
}

/** Shows a panel in an element; returns what takes it away. */
export type Mount = (model: Model<object>, el: HTMLElement) => () => void;

/**
 * Return what shows a panel: `build` makes its elements and returns what draws its content.
 *
 * Nothing is built before the kernel has sent content.
 */
export function panel<Content extends object, Texts, Sent extends Gesture, Document = never>(
  classes: string,
  build: (place: Place<Content, Texts, Sent, Document>) => (content: Content) => void,
): Mount {
  return (untyped, el) => {
    const model = untyped as Model<PanelState<Content, Texts, Document>>;
    const tell = messenger<Sent>(model);
    const stops: (() => void)[] = [() => tell.close()];
    const atEnd = (stop: () => void) => {
      stops.push(stop);
    };
    el.classList.add("ex-region", ...classes.split(" "));
    keepKeys(el);
    let draw: ((content: Content) => void) | undefined;
    const update = (content: Content | Record<string, never>) => {
      if (!isFilled(content)) return;
      const first = !draw;
      draw ??= build({
        el,
        model,
        texts: model.get("texts"),
        tell,
        follow: (name, changed) => atEnd(follow(model, name, changed)),
        listen: (handler) => atEnd(listen(model, handler)),
        atEnd,
      });
      if (first) unpinByKey(el); // after what the panel itself does with the key
      draw(content);
    };
    atEnd(follow(model, "content", update));
    return () => {
      for (const stop of stops) stop();
    };
  };
}

/** Whether the kernel has sent what a trait holds. */
export function isFilled<Sent extends object>(sent: Sent | Record<string, never>): sent is Sent {
  return Object.keys(sent).length > 0;
}
