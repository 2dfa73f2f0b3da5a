// The top of the traces tab: which file is open and what it brings, loading, and what went wrong.

import { fillSelect, quietButton } from "../../lib/controls.ts";
import { h, refill, setText } from "../../lib/dom.ts";
import { download } from "../../lib/files.ts";
import { fill } from "../../lib/format.ts";
import type {
  LoadFailure,
  Problems,
  TraceFileContent,
  TraceFileGesture,
  TraceFileTexts,
} from "../../protocol/index.ts";
import { panel } from "../panel.ts";
import { dropTarget } from "./drop_target.ts";
import { uploads } from "./uploads.ts";

const ACCEPTED = ".jsonl,.json,.ndjson,.csv,.tsv,.parquet,.gz,application/json";

export const traceFile = panel<TraceFileContent, TraceFileTexts, TraceFileGesture>(
  "ex-file-strip",
  ({ el, texts, tell, listen, atEnd }) => {
    let content: TraceFileContent;
    const progress = h("span", { class: "ex-note", role: "status" });
    const upload = uploads(tell, listen, (name, percent) => {
      setText(progress, name ? fill(texts.uploading, { name, percent }) : openingText());
    });
    const openingText = () =>
      content.opening ? fill(texts.opening, { name: content.opening }) : "";
    const take = (file: File) => {
      path.value = "";
      void upload(file);
    };
    const file = h("input", {
      type: "file",
      accept: ACCEPTED,
      class: "ex-file",
      tabindex: "-1",
      "aria-label": texts.file,
      onChange: () => {
        if (file.files?.[0]) take(file.files[0]);
        file.value = "";
      },
    });
    const path = h("input", {
      type: "text",
      class: "ex-path",
      "aria-label": texts.path,
      placeholder: texts.path_placeholder,
      spellcheck: "false",
      onKeydown: (event) => {
        const wanted = path.value.trim();
        if (event.key === "Enter" && wanted) tell.now({ kind: "load_path", path: wanted });
      },
    });
    const formatMenu = (label: string, title: string) => {
      const select: HTMLSelectElement = h("select", {
        "aria-label": title,
        title,
        onChange: () => {
          if (select.value) tell.now({ kind: "load_as", format: select.value });
        },
      });
      return { select, field: h("label", { class: "ex-field" }, label, select) };
    };
    const kept = h("span", { class: "ex-labels-kept", role: "status" });
    const write = h("input", {
      type: "text",
      class: "ex-path ex-write",
      "aria-label": texts.write_labels,
      placeholder: texts.write_labels_placeholder,
      spellcheck: "false",
      onKeydown: (event) => {
        const wanted = write.value.trim();
        if (event.key === "Enter" && wanted) tell.now({ kind: "write_labels", path: wanted });
      },
    });
    const saving = h(
      "span",
      { class: "ex-labels-saving", hidden: true },
      quietButton(texts.save_labels, texts.save_labels_title, () =>
        tell.now({ kind: "save_labels" }),
      ),
      write,
    );
    listen((message) => {
      if (message.kind === "download") download(message);
    });
    const name = h("bdi", { class: "ex-file-name" });
    const format = formatMenu(texts.format, texts.format_title);
    const counts = h("span", { class: "ex-file-counts" });
    const problems = h("div", { class: "ex-file-problems" });
    const failure = h("div", { role: "alert", class: "ex-failure", hidden: true });
    const tryAs = formatMenu(texts.try_format, texts.try_format_title);
    const what = h("span", { class: "ex-failure-text" });
    failure.append(
      what,
      tryAs.field,
      quietButton(texts.dismiss, null, () => tell.now({ kind: "dismiss" })),
    );
    el.replaceChildren(
      h(
        "div",
        { class: "ex-file-line" },
        h("span", { class: "ex-file-what" }, name, format.field, counts),
        h(
          "span",
          { class: "ex-sources" },
          progress,
          quietButton(texts.load, texts.load_title, () => file.click()),
          file,
          path,
          quietButton(texts.examples, texts.examples_title, () => {
            path.value = "";
            tell.now({ kind: "load_examples" });
          }),
        ),
      ),
      failure,
      h("div", { class: "ex-labels-line" }, kept, saving),
      problems,
    );
    atEnd(dropTarget(el, take));

    function showFailure(found: LoadFailure | null): void {
      failure.hidden = found === null;
      path.setAttribute("aria-invalid", String(found !== null && path.value !== ""));
      if (!found) return;
      refill(what, [found.title, found.message, found.still], () => [
        h("strong", { dir: "auto" }, found.title),
        ` ${found.message} `,
        h("em", {}, found.still),
      ]);
      tryAs.field.hidden = !found.formats.length;
      fillSelect(tryAs.select, [["", texts.choose_format], ...found.formats], "");
    }
    return (next) => {
      const before = content;
      content = next;
      setText(name, content.name);
      format.field.hidden = !content.formats.length;
      fillSelect(format.select, content.formats, content.format);
      refill(counts, [content.counts, content.labels], () =>
        [...content.counts, ...(content.labels ? [content.labels] : [])].map((one) =>
          h("span", {}, one),
        ),
      );
      setText(kept, content.kept);
      kept.classList.toggle("ex-unsaved", content.unsaved);
      if (saving.hidden !== !content.unsaved) write.value = "";
      saving.hidden = !content.unsaved;
      // A path that was opened is named above; one that failed stays, to be mended.
      if (before?.opening && !content.opening && !content.failure) path.value = "";
      setText(progress, openingText());
      refill(problems, content.problems, () => problemList(content.problems, texts));
      showFailure(content.failure);
    };
  },
);

function problemList({ title, lines, more }: Problems, texts: TraceFileTexts): HTMLElement[] {
  if (!lines.length) return [];
  const item = ([line, message]: Problems["lines"][number]) =>
    h("li", {}, line ? fill(texts.problem_line, { line, message }) : message);
  return [
    h(
      "details",
      { class: "ex-problems" },
      h("summary", {}, title),
      h("ul", {}, lines.map(item)),
      more,
    ),
  ];
}
