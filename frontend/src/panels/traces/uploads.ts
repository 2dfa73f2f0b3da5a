// Files for the kernel, piece by piece.

import type { Messenger } from "../../lib/messenger.ts";
import type { PanelMessage, TraceFileGesture } from "../../protocol/index.ts";

const PIECE = 512 * 1024; // larger messages may be refused by the notebook server
const LARGEST = 200 * 1024 * 1024;

/** Return what uploads a file; `progress` gets name and percentage, and an empty name at the end. */
export function uploads(
  tell: Messenger<TraceFileGesture>,
  listen: (handler: (message: PanelMessage) => void) => void,
  progress: (name: string, percent: number) => void,
): (file: File) => Promise<void> {
  let resume: (() => void) | null = null;
  listen((message) => {
    if (message.kind === "received") resume?.();
  });
  return async (file) => {
    const { name, size } = file;
    if (size > LARGEST) {
      tell.now({ kind: "too_large", name, size });
      return;
    }
    const id = `${Date.now()} ${name}`;
    let offset = 0;
    do {
      const piece = await readable(file.slice(offset, offset + PIECE));
      if (piece === null) {
        tell.now({ kind: "unreadable", name });
        break;
      }
      const received = new Promise<void>((resolve) => {
        resume = resolve;
      });
      tell.now({ kind: "upload", id, name, size, offset }, [piece]);
      offset += piece.byteLength;
      progress(name, Math.round((100 * offset) / Math.max(1, size)));
      await received;
    } while (offset < size);
    progress("", 100);
  };
}

/** A folder, or a file that went away, cannot be read by the page. */
async function readable(piece: Blob): Promise<ArrayBuffer | null> {
  try {
    return await piece.arrayBuffer();
  } catch {
    return null;
  }
}
