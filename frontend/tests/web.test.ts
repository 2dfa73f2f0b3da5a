// The page at `/`: its address, the frames that it reads, and its connection.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { readAddress, writeAddress } from "../src/web/address.ts";
import { Connection, type Lost } from "../src/web/connection.ts";
import { type Frame, readFrame } from "../src/web/frames.ts";
import { PageModel } from "../src/web/page_model.ts";

test("a view comes back from its address", () => {
  const view = {
    layer: 3,
    head: null,
    threshold: 0.25,
    unit_kind: "token",
    hide_sink: false,
    source: "a = 'ü&#=+ 😀'\n\tb",
  };
  const [hash, whole] = writeAddress(view);
  expect(whole).toBe(true);
  expect(readAddress(hash)).toEqual(view);
  expect(hash).toMatch(/^#[\x20-\x7e]+$/);
});

test("settings of the app are left out, and code that is too long", () => {
  expect(writeAddress({ threshold: 0.5, threshold_mode: "auto", layer: 2 })[0]).toBe("#layer=2");
  expect(writeAddress({ normalisation: "lift", hide_sink: true, layer: 2 })[0]).toBe("#layer=2");
  const fixed = { threshold: 0.5, threshold_mode: "fixed" };
  expect(writeAddress(fixed)[0]).toBe("#threshold=0.5&threshold_mode=fixed");
  expect(writeAddress({ layer: 2, source: "x".repeat(60_000) })).toEqual(["#layer=2", false]);
});

test("what an address has of its own is left out", () => {
  const nonsense = "#layer=x&head=1e9&threshold=2&tab=traces&source=y&code=%20&model=m&__proto__=1";
  expect(readAddress(nonsense)).toEqual({ model: "m" });
  expect(readAddress("#threshold=&layer=mean&code=a%0D%0Ab")).toEqual({
    layer: null,
    source: "a\nb",
  });
});

function frameOf(head: object, ...buffers: Uint8Array[]): ArrayBuffer {
  const text = new TextEncoder().encode(
    JSON.stringify({ ...head, sizes: buffers.map((b) => b.length) }),
  );
  const bytes = [...new Uint8Array(new Uint32Array([text.length]).buffer), ...text];
  for (const buffer of buffers) {
    while (bytes.length % 8) bytes.push(0);
    bytes.push(...buffer);
  }
  return new Uint8Array(bytes).buffer;
}

test("a frame has its buffers in their places", () => {
  const state = { figure: { data: [{ z: { shape: [2] } }] }, n: 1 };
  const head = {
    kind: "state",
    part: "bars",
    state,
    paths: [["figure", "data", 0, "z", "buffer"], ["tint"]],
  };
  const [frame] = readFrame(frameOf(head, new Uint8Array([1, 2, 3]), new Uint8Array([9])));
  const found = (frame as Frame & { kind: "state" }).state as typeof state & {
    tint: DataView;
    figure: { data: { z: { buffer: DataView } }[] };
  };
  expect(found.tint.getUint8(0)).toBe(9);
  const { buffer } = found.figure.data[0].z;
  expect([buffer.byteLength, buffer.getUint8(2), buffer.byteOffset % 8]).toEqual([3, 3, 0]);
});

test("a message comes with its buffers", () => {
  const [frame, buffers] = readFrame(
    frameOf({ kind: "message", part: "bars", content: { kind: "exact" } }, new Uint8Array(4)),
  );
  expect(frame).toMatchObject({ kind: "message", content: { kind: "exact" } });
  expect(buffers.map((view) => view.byteLength)).toEqual([4]);
});

test("a model tells its changes when all of them are there", () => {
  const model = new PageModel("bars", () => {});
  const seen: unknown[] = [];
  model.on("change:a", () => seen.push([model.get("a"), model.get("b")]));
  model.update({ a: 1, b: 2 });
  model.update({ b: 3 });
  expect(seen).toEqual([[1, 2]]);
});

class FakeSocket extends EventTarget {
  static made: FakeSocket[] = [];
  binaryType = "";
  readonly sent: unknown[] = [];
  constructor(readonly url: string) {
    super();
    FakeSocket.made.push(this);
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }
  close(): void {}
  happens(type: string, fields: object = {}): void {
    this.dispatchEvent(Object.assign(new Event(type), fields));
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.spyOn(console, "warn").mockImplementation(() => {});
  FakeSocket.made = [];
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function connected() {
  const lost: Lost[] = [];
  const connection = new Connection("ws://here/live", () => ({ layer: 3 }), {
    opened: () => {},
    frame: () => {},
    lost: (why) => lost.push(why),
  });
  connection.connect();
  return { connection, lost };
}

test("it opens with the view, and sends what parts report once it is open", () => {
  const { connection } = connected();
  const [socket] = FakeSocket.made;
  connection.send("bars", { kind: "x" });
  socket.happens("open");
  expect(socket.sent).toEqual([{ kind: "open", view: "panels", token: null, state: { layer: 3 } }]);
  socket.happens("message", { data: JSON.stringify({ kind: "opened" }) });
  connection.send("bars", { kind: "x" });
  expect(socket.sent[1]).toEqual({ kind: "part", part: "bars", content: { kind: "x" } });
});

test("it connects again by itself, later and later", () => {
  const { lost } = connected();
  for (const wait of [300, 600, 1200]) {
    FakeSocket.made[FakeSocket.made.length - 1].happens("close", { code: 1006 });
    const before = FakeSocket.made.length;
    vi.advanceTimersByTime(wait - 1);
    expect(FakeSocket.made.length).toBe(before);
    vi.advanceTimersByTime(1);
    expect(FakeSocket.made.length).toBe(before + 1);
  }
  expect(lost).toEqual(["gone", "gone", "gone"]);
});

test.each([
  [4401, "token"],
  [4408, "idle"],
])("closed with %i, it waits for a person", (code, why) => {
  const { lost } = connected();
  FakeSocket.made[0].happens("close", { code });
  vi.advanceTimersByTime(60_000);
  expect(FakeSocket.made.length).toBe(1);
  expect(lost).toEqual([why]);
});

test("a refusal is passed on in the words of the service", () => {
  const { lost } = connected();
  const problem = { title: "busy", detail: "Too many." };
  FakeSocket.made[0].happens("message", { data: JSON.stringify({ kind: "error", problem }) });
  FakeSocket.made[0].happens("close", { code: 4429 });
  expect(lost).toEqual(["refused"]);
});
