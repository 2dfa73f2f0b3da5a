import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Throttle } from "../src/lib/throttle.ts";

let sent: [value: string, n: number][];
const send = (value: string, n: number) => sent.push([value, n]);

beforeEach(() => {
  sent = [];
  vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("Throttle", () => {
  it("sends the first value at once, and the newest of the rest when that is acknowledged", () => {
    const throttle = new Throttle<string>(send);
    for (const value of ["a", "b", "c"]) throttle.post(value);
    expect(sent).toEqual([["a", 1]]);
    throttle.acknowledged(1);
    expect(sent).toEqual([
      ["a", 1],
      ["c", 2],
    ]);
    throttle.acknowledged(2);
    vi.runAllTimers();
    expect(sent).toHaveLength(2);
  });

  it("keeps its distance even from a quick kernel", () => {
    const throttle = new Throttle<string>(send, { every: 33 });
    throttle.post("a");
    throttle.acknowledged(1);
    throttle.post("b");
    vi.advanceTimersByTime(32);
    expect(sent).toEqual([["a", 1]]);
    throttle.post("c");
    vi.advanceTimersByTime(1);
    expect(sent).toEqual([
      ["a", 1],
      ["c", 2],
    ]);
  });

  it("counts a message as lost after a while", () => {
    const throttle = new Throttle<string>(send, { patience: 1000 });
    throttle.post("a");
    throttle.post("b");
    expect(throttle.busy).toBe(true);
    vi.advanceTimersByTime(999);
    expect(sent).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(sent).toEqual([
      ["a", 1],
      ["b", 2],
    ]);
  });

  it("is not freed by an acknowledgement of what was sent before", () => {
    const throttle = new Throttle<string>(send, { patience: 1000 });
    throttle.post("a");
    vi.advanceTimersByTime(1000);
    throttle.post("b");
    throttle.post("c");
    throttle.acknowledged(1);
    expect(sent).toHaveLength(2);
    throttle.acknowledged(2);
    expect(sent[2]).toEqual(["c", 3]);
  });

  it("sends null like any value, and everything without patience", () => {
    const values: (string | null)[] = [];
    const throttle = new Throttle<string | null>((value) => values.push(value), { patience: 0 });
    for (const value of ["a", null, "b"]) throttle.post(value);
    expect(values).toEqual(["a", null, "b"]);
  });

  it("is busy until the newest value has been dealt with", () => {
    const throttle = new Throttle<string>(send);
    expect(throttle.busy).toBe(false);
    throttle.post("a");
    expect(throttle.busy).toBe(true);
    throttle.acknowledged(1);
    expect(throttle.busy).toBe(false);
  });

  it("sends nothing after it is closed", () => {
    const throttle = new Throttle<string>(send);
    throttle.post("a");
    throttle.post("b");
    throttle.close();
    vi.runAllTimers();
    throttle.acknowledged(1);
    expect(sent).toEqual([["a", 1]]);
  });
});
