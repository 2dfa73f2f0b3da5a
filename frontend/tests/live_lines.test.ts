import { expect, test } from "vitest";
import { linesOf, movedPieces, textOf, tokenAt } from "../src/panels/code/live_lines.ts";
import type { CodeDocument } from "../src/protocol/index.ts";

const LINES: CodeDocument["lines"] = [
  [null, [["<s>", 0, 1]]],
  [
    1,
    [
      ["ab", 1, 0],
      [" ", -1, 0],
      ["cd", 2, 0],
      ["", 3, 2],
    ],
  ],
  [
    2,
    [
      ["  ", 3, 0],
      ["ef", 4, 0],
    ],
  ],
];
const [TEXT, PIECES] = textOf(LINES);
const tokens = (text: string) =>
  movedPieces(TEXT, PIECES, text).map(({ start, stop, token }) => [text.slice(start, stop), token]);

test("the text of lines, without special tokens", () => {
  expect(TEXT).toBe("ab cd\n  ef");
  expect(PIECES.map(({ start, stop, token }) => [TEXT.slice(start, stop), token])).toEqual([
    ["ab", 1],
    ["cd", 2],
    ["\n", 3],
    ["  ", 3],
    ["ef", 4],
  ]);
});

test.each([
  ["at the end", "ab cd\n  efg", [1, 2, 3, 3, 4]],
  ["at the beginning", "xab cd\n  ef", [1, 2, 3, 3, 4]],
  ["in a token, which is read anew", "ab cxd\n  ef", [1, 3, 3, 4]],
  ["deleted", "ab\n  ef", [1, 3, 3, 4]],
  ["a part of a token", "ab cd\n  f", [1, 2, 3, 3]],
  ["all of it", "xyz", []],
  ["nothing", "", []],
  ["twice the same", "ab cd\n  efab cd\n  ef", [1, 2, 3, 3, 4]],
])("typed %s: what is as before keeps its tokens", (_, text, expected) => {
  expect(tokens(text).map(([, token]) => token)).toEqual(expected);
});

test("tokens keep their letters", () => {
  const known = new Map(PIECES.map(({ start, stop, token }) => [TEXT.slice(start, stop), token]));
  for (const text of ["ab cd\n  efg", "ab cd\n\n  ef", "abab cd\n  ef", "ab  ef"]) {
    for (const [letters, token] of tokens(text)) expect(known.get(letters as string)).toBe(token);
  }
});

test("lines hold the text that was typed, letter by letter", () => {
  for (const text of ["", "\n", "ab cd\n  ef", "ab cd\n  ef\n\n", "x\nab cd\n  ef", "😀"]) {
    const lines = linesOf(text, movedPieces(TEXT, PIECES, text));
    expect(lines.map(([, parts]) => parts.map(([part]) => part).join("")).join("\n")).toBe(text);
    expect(lines.map(([number]) => number)).toEqual(lines.map((_, index) => index + 1));
  }
});

test("the token at the cursor", () => {
  expect(tokenAt(PIECES, 0)).toBe(1);
  expect(tokenAt(PIECES, 4)).toBe(2);
  expect(tokenAt(PIECES, TEXT.length)).toBe(4);
  expect(tokenAt([], 0)).toBeNull();
});
