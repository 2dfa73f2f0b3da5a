// The last line: the view in words, what is being done and how far, and what went wrong.

import { badge } from "../../lib/controls.ts";
import { h, refill, setText } from "../../lib/dom.ts";
import type {
  JobProgress,
  StatusContent,
  StatusGesture,
  StatusTexts,
} from "../../protocol/index.ts";
import { panel } from "../panel.ts";

const SLOW_MS = 200; // what is over sooner is not worth a flicker

interface JobBar {
  readonly node: HTMLElement;
  readonly timer: ReturnType<typeof setTimeout>;
  show(latest: JobProgress): void;
}

export const status = panel<StatusContent, StatusTexts, StatusGesture>(
  "ex-status",
  ({ el, texts, tell, atEnd }) => {
    const sentence = h("span", { class: "ex-sentence", role: "status", "aria-live": "polite" });
    const jobs = h("span", { class: "ex-jobs" });
    const failure = h("div", { class: "ex-failure", role: "alert", hidden: true });
    const notes = h("div", { class: "ex-notes" });
    // What is coming in place of the picture is said over the picture, which is no longer the answer.
    const coming = h("div", { class: "ex-coming", role: "status", hidden: true });
    const line = h("div", { class: "ex-status-line" }, sentence, jobs);
    el.replaceChildren(failure, line, notes, coming);
    const bars = new Map<string, JobBar>();
    atEnd(() => {
      for (const { timer } of bars.values()) clearTimeout(timer);
    });

    function jobBar({ job, message }: JobProgress): JobBar {
      const bar = h("progress", { max: 1, "aria-label": message });
      const text = h("span", {});
      const cancel = h(
        "button",
        { type: "button", class: "ex-quiet", onClick: () => tell.now({ kind: "cancel", job }) },
        texts.cancel,
      );
      const node = h("span", { class: "ex-job", hidden: true }, text, bar, cancel);
      const timer = setTimeout(() => {
        node.hidden = false;
        dim();
      }, SLOW_MS);
      return {
        node,
        timer,
        show(latest) {
          setText(text, latest.message);
          if (latest.fraction === null) bar.removeAttribute("value");
          else bar.value = latest.fraction;
        },
      };
    }

    function drawJobs(running: readonly JobProgress[]): void {
      const names = new Set(running.map(({ job }) => job));
      for (const [job, { node, timer }] of bars) {
        if (names.has(job)) continue;
        clearTimeout(timer);
        node.remove();
        bars.delete(job);
      }
      for (const progress of running) {
        const bar = bars.get(progress.job) ?? jobBar(progress);
        if (!bars.has(progress.job)) {
          bars.set(progress.job, bar);
          (progress.replaces ? coming : jobs).append(bar.node);
        }
        bar.show(progress);
      }
      dim();
    }

    function dim(): void {
      coming.hidden = ![...coming.children].some((one) => !(one as HTMLElement).hidden);
      el.closest(".explorer-app")?.classList.toggle("ex-dimmed", !coming.hidden);
    }

    return (content) => {
      setText(sentence, content.sentence);
      drawJobs(content.jobs);
      failure.hidden = !content.error;
      const dismiss = () => tell.now({ kind: "dismiss" });
      refill(failure, content.error, () => [
        h("span", { class: "ex-failure-text" }, content.error),
        h(
          "button",
          {
            type: "button",
            class: "ex-quiet",
            "aria-label": texts.dismiss_label,
            onClick: dismiss,
          },
          texts.dismiss,
        ),
      ]);
      refill(notes, content.notes, () => content.notes.map(badge));
    };
  },
);
