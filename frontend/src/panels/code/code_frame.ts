// What stands around the code: a grip that makes code and heatmap taller, and the title of the bars.

import { h, setText } from "../../lib/dom.ts";
import type { Messenger } from "../../lib/messenger.ts";
import type { CodeTextContent, CodeTextGesture, CodeTextTexts } from "../../protocol/index.ts";

const LEAST = 120; // pixels that a panel keeps
const STEP = 24;
/** What scrolls in JupyterLab and Notebook; elsewhere the window does. */
const SCROLLER = ".jp-WindowedPanel-outer, .jp-Notebook";

export interface CodeFrame {
  show(content: CodeTextContent): void;
  close(): void;
}

/** Put the parts of the code panel into its element, with what stands around them; `direction` turns
 * what the bars show. */
export function codeFrame(
  el: HTMLElement,
  texts: CodeTextTexts,
  tell: Messenger<CodeTextGesture>,
  parts: HTMLElement[],
  direction: HTMLElement,
): CodeFrame {
  const box = h("div", { class: "ex-code-box" }, parts);
  const title = h("strong", {});
  const how = h(
    "span",
    { class: "ex-note ex-how" },
    texts.how,
    h(
      "button",
      {
        type: "button",
        class: "ex-quiet",
        title: texts.how_dismiss,
        "aria-label": texts.how_dismiss,
        onClick: () => {
          how.hidden = true;
          tell.set("reading_hint", false);
        },
      },
      "×",
    ),
  );
  const grip = h("div", {
    class: "ex-grip",
    role: "separator",
    tabindex: "0",
    "aria-orientation": "horizontal",
    "aria-label": texts.grip,
    title: texts.grip,
    onPointerdown: (event) => drag(event),
    onDblclick: () => choose(null),
    onKeydown: (event) => {
      const step = { ArrowDown: STEP, ArrowUp: -STEP }[event.key];
      if (!step) return;
      event.preventDefault();
      choose(tallest() + step);
    },
  });
  el.replaceChildren(box, grip, h("div", { class: "ex-bars-title" }, title, direction, how));

  const panel = () => el.parentElement;
  const tallest = () => (el.parentElement?.querySelector(".ex-heat") ?? box).clientHeight;
  function choose(height: number | null): void {
    const style = panel()?.style;
    if (height === null) style?.removeProperty("--ex-chosen");
    else style?.setProperty("--ex-chosen", `${Math.max(LEAST, Math.round(height))}px`);
  }
  function drag(down: PointerEvent): void {
    if (down.button !== 0) return;
    down.preventDefault();
    grip.focus({ preventScroll: true });
    grip.setPointerCapture(down.pointerId);
    const from = tallest() - down.clientY;
    const follow = (event: PointerEvent) => choose(from + event.clientY);
    const release = () => {
      grip.removeEventListener("pointermove", follow);
      grip.removeEventListener("lostpointercapture", release);
    };
    grip.addEventListener("pointermove", follow);
    grip.addEventListener("lostpointercapture", release);
  }
  /** Note how much of the app can be seen at once. */
  function measure(): void {
    const scroller = el.closest(SCROLLER);
    const room = scroller?.clientHeight || window.innerHeight;
    panel()?.style.setProperty("--ex-room", `${room}px`);
  }
  const placed = requestAnimationFrame(measure);
  window.addEventListener("resize", measure);
  return {
    show(content) {
      measure();
      setText(title, content.bars_title);
      how.hidden = !content.reading_hint;
    },
    close() {
      cancelAnimationFrame(placed);
      window.removeEventListener("resize", measure);
    },
  };
}
