import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { messenger } from "../src/lib/messenger.ts";
import type { Ack, CodeTextGesture } from "../src/protocol/index.ts";
import { FakeModel } from "./fake_model.ts";

let model: FakeModel<object>;

beforeEach(() => {
  model = new FakeModel({});
  vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const acknowledge = (n: number) =>
  model.tell({ kind: "acknowledged", ack: model.sent[n].content.ack as Ack });

describe("messenger", () => {
  it("sends at once what is said once, with its buffers", () => {
    const buffer = new ArrayBuffer(3);
    messenger<CodeTextGesture>(model).now({ kind: "editing" }, [buffer]);
    expect(model.sent).toEqual([{ content: { kind: "editing" }, buffers: [buffer] }]);
  });

  it("has one gesture of a kind under way, and then sends the newest", () => {
    const tell = messenger<CodeTextGesture>(model);
    for (const index of [1, 2, 3]) tell.latest({ kind: "hover", index });
    expect(model.gestures).toEqual([{ kind: "hover", index: 1 }]);
    acknowledge(0);
    expect(model.gestures).toEqual([
      { kind: "hover", index: 1 },
      { kind: "hover", index: 3 },
    ]);
  });

  it("lets no kind and no trait wait for another", () => {
    const tell = messenger<CodeTextGesture>(model);
    tell.latest({ kind: "hover", index: 1 });
    tell.latest({ kind: "pin", index: 1 });
    tell.set("layer", 3);
    tell.set("head", 1);
    tell.set("layer", 4);
    expect(model.gestures).toEqual([
      { kind: "hover", index: 1 },
      { kind: "pin", index: 1 },
      { kind: "set", name: "layer", value: 3 },
      { kind: "set", name: "head", value: 1 },
    ]);
  });

  it("goes on without an acknowledgement that never comes", () => {
    const tell = messenger<CodeTextGesture>(model);
    tell.set("layer", 1);
    tell.set("layer", 2);
    vi.advanceTimersByTime(1500);
    expect(model.gestures).toHaveLength(2);
  });

  it("takes no acknowledgement that is meant for another view", () => {
    const tell = messenger<CodeTextGesture>(model);
    const other = messenger<CodeTextGesture>(model);
    tell.set("layer", 1);
    other.set("layer", 2);
    other.set("layer", 3);
    acknowledge(0);
    expect(model.gestures).toHaveLength(2);
    acknowledge(1);
    expect(model.gestures).toHaveLength(3);
  });

  it("leaves nothing behind when it is closed", () => {
    const tell = messenger<CodeTextGesture>(model);
    tell.set("layer", 1);
    tell.set("layer", 2);
    tell.close();
    vi.runAllTimers();
    expect(model.gestures).toHaveLength(1);
    expect(model.listeners).toBe(0);
  });
});
