// RAG traces: loading and stepping, question and answer, one card a hyperedge.
const PIECE = 512 * 1024; // larger messages may be refused by the notebook server
const LARGEST_UPLOAD = 200 * 1024 * 1024;

function render({ model, el }) {
  const tell = messenger(model);
  el.classList.add("ex-region", "ex-cards-region");
  keepKeys(el);
  let content = {};

  const file = h("input", {
    type: "file",
    accept: ".jsonl,.json,.ndjson,.csv,.tsv,.parquet,.gz,application/json",
    class: "ex-file",
    tabindex: "-1",
    "aria-label": "Trace file",
    onChange: () => {
      if (file.files[0]) upload(file.files[0]);
      file.value = "";
    },
  });
  const path = h("input", {
    type: "text",
    class: "ex-path",
    "aria-label": "Path of a trace file",
    placeholder: "or a path ⏎",
    spellcheck: "false",
    onKeydown: (event) => {
      if (event.key === "Enter" && path.value.trim()) tell.now("load_path", { path: path.value.trim() });
    },
  });
  const step = (by, sign, title) =>
    h("button", { type: "button", class: "ex-step", title, "aria-label": title, onClick: () => go(by) }, sign);
  const place = h("input", {
    type: "text",
    inputmode: "numeric",
    class: "ex-place",
    "aria-label": "Number of the trace",
    onChange: () => {
      const wanted = Number(place.value) - 1;
      if (Number.isInteger(wanted) && wanted >= 0 && wanted < content.count) tell.set("trace", wanted);
      else place.value = content.index + 1;
    },
  });
  const of = h("span", { class: "ex-of" });
  const view = segmented(
    "How the hyperedges are shown",
    [
      ["cards", "cards", "One card a hyperedge, with its reasons"],
      ["text", "text", "The text that was read, each hyperedge coloured by its feedback"],
    ],
    (value) => tell.set("reading_view", value),
  );
  const upLoad = h("span", { class: "ex-note", role: "status" });
  const body = h("div", { class: "ex-trace", tabindex: "0", role: "group", "aria-label": "Trace" });
  el.replaceChildren(
    h(
      "div",
      { class: "ex-panel-head" },
      h("span", { class: "ex-stepper ex-trace-stepper" }, step(-1, "‹", "Previous trace (PgUp)"), "trace ", place, of, step(1, "›", "Next trace (PgDn)")),
      view,
      h("span", { class: "ex-grow" }),
      h(
        "span",
        { class: "ex-sources" },
        h("button", { type: "button", class: "ex-quiet", title: "Load a trace file (or drop one here)", onClick: () => file.click() }, "load…"),
        file,
        path,
        h("button", { type: "button", class: "ex-quiet", title: "The packaged traces", onClick: () => tell.now("load_examples") }, "examples"),
      ),
    ),
    upLoad,
    body,
  );

  let wanted = null; // where quick steps are heading
  let fileShown = null;
  let idShown = null;
  function go(by) {
    if (!content.count) return;
    wanted = Math.min(content.count - 1, Math.max(0, (wanted ?? content.index) + by));
    place.value = wanted + 1;
    tell.set("trace", wanted);
  }
  el.addEventListener("keydown", (event) => {
    const by = { PageUp: -1, PageDown: 1 }[event.key];
    if (by) {
      event.preventDefault();
      go(by);
    }
    if (event.key === "Escape") tell.now("unpin");
  });
  el.addEventListener("dragover", (event) => {
    if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
    event.preventDefault();
    event.stopPropagation();
    el.classList.add("ex-dropping");
  });
  el.addEventListener("dragleave", (event) => {
    if (!el.contains(event.relatedTarget)) el.classList.remove("ex-dropping");
  });
  el.addEventListener("drop", (event) => {
    event.preventDefault();
    event.stopPropagation();
    el.classList.remove("ex-dropping");
    const dropped = event.dataTransfer?.files?.[0];
    if (dropped) upload(dropped);
  });

  let resume = null;
  const onMessage = (message) => {
    if (message?.received !== undefined) resume?.(message.received);
  };
  model.on("msg:custom", onMessage);
  async function upload(chosen) {
    if (chosen.size > LARGEST_UPLOAD) {
      tell.now("too_large", { name: chosen.name, size: chosen.size });
      return;
    }
    const id = `${Date.now()} ${chosen.name}`;
    let offset = 0;
    do {
      const piece = await chosen.slice(offset, offset + PIECE).arrayBuffer().catch(() => null);
      if (piece === null) {
        // A folder, or a file that went away, cannot be read by the page.
        tell.now("unreadable", { name: chosen.name });
        break;
      }
      const received = new Promise((resolve) => (resume = resolve));
      tell.now("upload", { id, name: chosen.name, size: chosen.size, offset }, [piece]);
      offset += piece.byteLength;
      setText(upLoad, `reading ${chosen.name}, ${Math.round((100 * offset) / Math.max(1, chosen.size))} %`);
      if (!(await received)) break;
    } while (offset < chosen.size);
    setText(upLoad, "");
  }

  // Ground truth: two small buttons; the pressed one is the label, pressing it again takes it back.
  function labelOf(entry) {
    const button = (value, sign, words) =>
      h(
        "button",
        {
          type: "button",
          class: "ex-label",
          "data-label": String(value),
          "aria-pressed": String(entry.label === value),
          title: entry.label === value ? `Labelled ${words}: click to take the label back` : `Label ${entry.id} as ${words}`,
          "aria-label": `Label ${entry.id} as ${words}`,
          onClick: (event) => {
            event.stopPropagation();
            tell.now("label", { unit: entry.id, value: entry.label === value ? null : value });
          },
          onKeydown: (event) => event.stopPropagation(),
        },
        entry.label === value ? `${sign} labelled ${words}` : sign,
      );
    return h("span", { class: "ex-labels", role: "group", "aria-label": `Label of ${entry.id}` }, button(true, "✓", "used"), button(false, "✗", "not used"));
  }
  function fact(entry) {
    const pinned = content.pinned === entry.id;
    const pin = () => tell.now("pin", { unit: pinned ? null : entry.id });
    return [
      h(
        "span",
        {
          class: "ex-fact",
          tabindex: "0",
          role: "button",
          "aria-pressed": String(pinned),
          "data-unit": entry.id,
          style: `--ex-feedback:${entry.colour}`,
          title: `${entry.id}: score ${digits(entry.score)}, ${entry.verdict}`,
          onClick: pin,
          onKeydown: (event) => {
            if (event.key !== "Enter" && event.key !== " ") return;
            event.preventDefault();
            pin();
          },
        },
        h("span", { class: "ex-fact-mark", "aria-hidden": "true" }, entry.mark),
        entry.text || "(no text)",
        h("sub", {}, entry.id, entry.label === null ? "" : entry.label ? " ✓" : " ✗"),
      ),
      " ",
    ];
  }
  function card(entry) {
    const pinned = content.pinned === entry.id;
    const node = h(
      "div",
      {
        class: "ex-card",
        tabindex: "0",
        role: "button",
        "aria-pressed": String(pinned),
        "data-unit": entry.id,
        style: `--ex-feedback:${entry.colour}`,
        onClick: () => tell.now("pin", { unit: pinned ? null : entry.id }),
        onKeydown: (event) => {
          if (event.key !== "Enter" && event.key !== " ") return;
          event.preventDefault();
          tell.now("pin", { unit: pinned ? null : entry.id });
        },
      },
      h(
        "div",
        { class: "ex-card-head" },
        h("span", { class: "ex-card-id" }, entry.id),
        labelOf(entry),
        h("span", { class: "ex-grow" }),
        h(
          "span",
          { class: "ex-call" },
          h("span", { class: "ex-number-text" }, digits(entry.score)),
          h("span", { class: "ex-verdict", "data-verdict": entry.verdict }, `${entry.mark} ${entry.verdict}`),
        ),
      ),
      h("div", { class: "ex-card-text" }, entry.text),
      entry.entities.length || entry.diagnostics.length
        ? h(
            "div",
            { class: "ex-chips" },
            entry.entities.map((name) => h("span", { class: "ex-chip" }, name)),
            h("span", { class: "ex-grow" }),
            entry.diagnostics.map(([code, message]) => h("span", { class: "ex-badge", title: message, tabindex: "0", "aria-label": message }, code)),
          )
        : null,
    );
    return node;
  }
  function problemList(problems) {
    if (!problems?.lines.length) return null;
    return h(
      "details",
      { class: "ex-problems" },
      h("summary", {}, problems.title),
      h("ul", {}, problems.lines.map(([line, message]) => h("li", {}, line ? `line ${line}: ${message}` : message))),
      problems.more,
    );
  }
  function update(next) {
    content = next;
    if (content.count === undefined) return;
    if (content.index === wanted || content.file !== fileShown) wanted = null;
    fileShown = content.file;
    if (document.activeElement !== place) place.value = content.count ? content.index + 1 : "";
    setText(of, content.count ? ` of ${content.count}` : "");
    if (!content.count) {
      body.replaceChildren(
        h("p", { class: "ex-empty" }, "Load a trace file, drop one here, or try the packaged examples."),
        problemList(content.problems) ?? "",
      );
      return;
    }
    view.show(content.view);
    const held = document.activeElement;
    const focused = el.contains(held) ? held.closest?.("[data-unit]")?.dataset.unit : undefined;
    const button = focused === undefined ? undefined : held.dataset.label;
    const scrolled = body.querySelector(".ex-card-list")?.scrollTop ?? 0;
    body.replaceChildren(
      ...[
        h("div", { class: "ex-qa" },
          h("span", { class: "ex-qa-label" }, "question"), h("p", {}, content.query || "(no question)"),
          h("span", { class: "ex-qa-label" }, "answer"), h("p", { class: content.streaming ? "ex-answer ex-streaming" : "ex-answer" }, content.answer || (content.streaming ? "…" : "(no answer)")),
          content.source ? [h("span", { class: "ex-qa-label" }, "evidence"), h("p", { class: "ex-source" }, content.source)] : null,
        ),
        content.offer
          ? h("div", { class: "ex-offer" }, h("span", {}, content.offer.text),
              content.offer.actions.map(([kind, text, title]) =>
                h("button", { type: "button", class: "ex-primary", title, onClick: () => tell.now(kind) }, text)))
          : null,
        problemList(content.problems),
        ...content.notes.map((note) => h("p", { class: "ex-note" }, note)),
        content.view === "text"
          ? h("div", { class: "ex-facts" }, content.cards.map(fact))
          : h("div", { class: "ex-card-list" }, content.cards.map(card)),
      ].filter(Boolean),
    );
    const list = body.querySelector(".ex-card-list");
    if (list && content.id === idShown) list.scrollTop = scrolled;
    idShown = content.id;
    if (focused !== undefined) {
      const at = body.querySelector(`[data-unit="${CSS.escape(focused)}"]`);
      (button === undefined ? at : at?.querySelector(`[data-label="${button}"]`))?.focus({ preventScroll: true });
    }
  }
  const stop = follow(model, update);
  return () => {
    stop();
    model.off("msg:custom", onMessage);
    tell.close();
  };
}
export default region(render);
