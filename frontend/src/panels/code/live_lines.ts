// The lines of a text that is being typed, made of the tokens of the last one that was read: what
// both texts begin and end with keeps its tokens, and what is new has none yet.

import type { CodeDocument, LinePart } from "../../protocol/index.ts";

type Lines = CodeDocument["lines"];

const SPECIAL = 1;
const LINE_BREAK = 2;

interface Piece {
  readonly start: number;
  readonly stop: number;
  readonly token: number;
}

/** Return the text that lines show, and the pieces of it that belong to tokens. */
export function textOf(lines: Lines): [text: string, pieces: Piece[]] {
  let text = "";
  const pieces: Piece[] = [];
  for (const [number, parts] of lines) {
    if (number === null) continue;
    for (const [part, token, kind] of parts) {
      if (kind === SPECIAL) continue;
      const shown = kind === LINE_BREAK ? "\n" : part;
      if (token >= 0) pieces.push({ start: text.length, stop: text.length + shown.length, token });
      text += shown;
    }
  }
  return [text, pieces];
}

/** Return the pieces of a text by the tokens of another one, in the order of the text. */
export function movedPieces(before: string, pieces: readonly Piece[], now: string): Piece[] {
  const at = now.startsWith(before) ? 0 : now.indexOf(before);
  if (at >= 0) return pieces.map((piece) => moved(piece, at));
  const most = Math.min(before.length, now.length);
  let head = 0;
  while (head < most && before[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < most - head && before[before.length - 1 - tail] === now[now.length - 1 - tail]) {
    tail += 1;
  }
  const from = before.length - tail;
  const by = now.length - before.length;
  return pieces.flatMap((piece) => {
    if (piece.stop <= head) return [piece];
    if (piece.start >= from) return [moved(piece, by)];
    return [];
  });
}

function moved({ start, stop, token }: Piece, by: number): Piece {
  return { start: start + by, stop: stop + by, token };
}

/** Return a text as lines, with these pieces as tokens. */
export function linesOf(text: string, pieces: readonly Piece[]): Lines {
  const lines: [number, LinePart[]][] = [[1, []]];
  const put = (part: string, token: number) => {
    part.split("\n").forEach((piece, index) => {
      if (index > 0) {
        if (token >= 0) lines[lines.length - 1][1].push(["", token, LINE_BREAK]);
        lines.push([lines.length + 1, []]);
      }
      if (piece) lines[lines.length - 1][1].push([piece, token, 0]);
    });
  };
  let at = 0;
  for (const { start, stop, token } of pieces) {
    if (start > at) put(text.slice(at, start), -1);
    put(text.slice(Math.max(at, start), stop), token);
    at = Math.max(at, stop);
  }
  put(text.slice(at), -1);
  return lines;
}

/** Return the token at a position of a text; the one before it at the end of the text. */
export function tokenAt(pieces: readonly Piece[], position: number): number | null {
  const found = pieces.find(({ start, stop }) => start <= position && position < stop);
  if (found) return found.token;
  const before = pieces.filter(({ stop }) => stop <= position);
  return before.length ? before[before.length - 1].token : null;
}
