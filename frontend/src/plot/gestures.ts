// What a view of a plot reports to the kernel.

import { viewName } from "../lib/model.ts";
import { Throttle, type ThrottleOptions } from "../lib/throttle.ts";
import type { Ack, PlotGesture } from "../protocol/index.ts";

type Kind = PlotGesture["kind"];
type Reported<Name extends Kind> = Omit<Extract<PlotGesture, { kind: Name }>, "ack" | "kind">;
type Value<Name extends Kind> =
  Extract<PlotGesture, { kind: Name }> extends { value: infer V } ? V : never;

const PATIENCE = 1000;

export class Gestures {
  readonly view = viewName();
  readonly line = this.throttled<Value<"line">>("line", { every: 33 });
  readonly hovered = this.throttled<Value<"hovered">>("hovered", { every: 60 });
  readonly clicked = this.throttled<Value<"clicked">>("clicked", { patience: 0 });
  readonly zoom = this.throttled<Value<"zoom">>("zoom", { every: 100 });
  readonly pin = this.throttled<Value<"pin">>("pin");
  /** Rows whose true values are wanted. */
  readonly exact = new Throttle<readonly number[]>(
    (rows, n) => this.send({ kind: "exact", rows, ack: this.ack("exact", n) }),
    { every: 30, patience: PATIENCE },
  );
  private closed = false;

  constructor(private readonly model: { send(content: object): void }) {}

  private throttled<V>(
    kind: "clicked" | "hovered" | "line" | "pin" | "zoom",
    options?: ThrottleOptions,
  ) {
    return new Throttle<V>(
      (value, n) => this.send({ kind, value, ack: this.ack(kind, n) } as PlotGesture),
      { patience: PATIENCE, ...options },
    );
  }

  drawn(report: Reported<"drawn">): void {
    this.send({ kind: "drawn", ...report });
  }

  width(width: number): void {
    this.send({ kind: "width", width });
  }

  error(value: string): void {
    this.send({ kind: "error", value });
  }

  /** Take note that the kernel has dealt with a gesture; returns its kind when it was of this view. */
  acknowledged({ view, key, n }: Ack): string | null {
    if (view !== this.view) return null;
    this.throttles.get(key)?.acknowledged(n);
    return key;
  }

  close(): void {
    this.closed = true;
    for (const throttle of this.throttles.values()) throttle.close();
  }

  private get throttles(): Map<string, { acknowledged(n: number): void; close(): void }> {
    const { line, hovered, clicked, zoom, pin, exact } = this;
    return new Map(Object.entries({ line, hovered, clicked, zoom, pin, exact }));
  }

  private ack(key: string, n: number): Ack {
    return { view: this.view, key, n };
  }

  private send(gesture: PlotGesture): void {
    if (!this.closed) this.model.send(gesture);
  }
}
