// Files and texts that leave the page.

import type { Download } from "../protocol/index.ts";
import { h } from "./dom.ts";

/** Offer a file for saving. */
export function download({ name, mime, text, base64 }: Download): void {
  const content =
    base64 === undefined ? (text ?? "") : Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const url = URL.createObjectURL(new Blob([content], { type: mime }));
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Copy a text, also where the page is not a secure context. */
export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = h("textarea", { style: "position:fixed;opacity:0" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}
