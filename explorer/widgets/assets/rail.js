// Layer and head: steppers, their means, and a grid of all heads coloured by a measure; or the set of
// heads that is in their place.
const SVG = "http://www.w3.org/2000/svg";
const MANY = 40; // of so many heads only those that count for something are marked

function render({ model, el }) {
  const tell = messenger(model);
  el.classList.add("ex-region", "ex-rail");
  keepKeys(el);
  let content = {};
  let dark = false;

  const stepper = (name, label) => {
    const value = h("span", { class: "ex-stepper-value", "aria-live": "polite" });
    const button = (step, sign, title) =>
      h("button", { type: "button", class: "ex-step", "aria-label": title, title, onClick: () => move(name, step) }, sign);
    const mean = h(
      "button",
      {
        type: "button",
        class: "ex-segment ex-mean",
        title: `Mean over all ${name}s`,
        "aria-label": `Mean over all ${name}s`,
        onClick: () => choose(name, content[name] === null ? (content.last?.[name] ?? 0) : null),
      },
      "mean",
    );
    const node = h(
      "div",
      { class: "ex-stepper", role: "group", "aria-label": label },
      h("span", { class: "ex-stepper-label" }, name),
      button(-1, "‹", `Previous ${name}`),
      value,
      button(1, "›", `Next ${name}`),
      mean,
    );
    node.show = () => {
      node.title = content.set ? `A set of heads is in the place of this; to choose a ${name} takes it away` : "";
      setText(value, content[name] === null ? "·" : String(content[name]));
      mean.setAttribute("aria-pressed", String(content[name] === null));
      node.classList.toggle("ex-off", content[`${name}s`] < 2);
    };
    return node;
  };
  const layer = stepper("layer", "Layer");
  const head = stepper("head", "Head");
  const measure = h("select", {
    "aria-label": "Measure that colours the grid",
    title: "Measure that colours the grid",
    onChange: () => tell.set("measure", measure.value),
  });
  const setName = h("span", {});
  const set = h(
    "div",
    { class: "ex-set", role: "group" },
    setName,
    h(
      "button",
      {
        type: "button",
        class: "ex-step",
        "aria-label": "Take the set of heads away",
        title: "Take the set away: layer and head count again (Esc)",
        onClick: () => leave(),
      },
      "×",
    ),
  );
  const canvas = h("canvas", { class: "ex-grid-canvas" });
  const marks = document.createElementNS(SVG, "svg");
  marks.setAttribute("class", "ex-grid-marks");
  marks.setAttribute("preserveAspectRatio", "none");
  marks.setAttribute("aria-hidden", "true");
  const frame = h("div", { class: "ex-grid-frame" });
  const caption = h("div", { class: "ex-grid-caption" });
  const grid = h(
    "div",
    {
      class: "ex-grid",
      tabindex: "0",
      role: "application",
      "aria-roledescription": "grid of heads",
      onKeydown: (event) => {
        const steps = { ArrowUp: ["layer", -1], ArrowDown: ["layer", 1], ArrowLeft: ["head", -1], ArrowRight: ["head", 1] };
        const step = steps[event.key];
        if (event.key === "m") choose("head", content.head === null ? (content.last?.head ?? 0) : null);
        if (!step) return;
        event.preventDefault();
        move(...step);
      },
      onClick: (event) => {
        const cell = cellAt(event);
        if (!cell) return;
        grid.focus();
        for (const [name, value] of Object.entries(cell)) remember(name, value);
        show();
        tell.latest("head", cell);
      },
      onPointermove: (event) => {
        const cell = cellAt(event);
        if (cell) setText(caption, describe(cell));
      },
      onPointerleave: () => show(),
    },
    canvas,
    marks,
    frame,
  );
  el.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.target === measure) return;
    if (content.set) leave();
    else tell.now("unpin");
  });
  const legend = h("div", { class: "ex-grid-axes", "aria-hidden": "true" }, h("span", {}, "layer ↓"), h("span", {}, "head →"));
  const reason = h("p", { class: "ex-note" });
  el.replaceChildren(set, layer, head, legend, grid, caption, h("label", { class: "ex-field" }, "grid", measure), reason);

  // What was chosen here counts until the kernel has heard of it: an answer to an earlier gesture
  // that arrives meanwhile must not undo it, or the next step would start from the wrong place.
  const chosen = new Map();
  function remember(name, value) {
    chosen.set(name, { value, until: performance.now() + 2000 });
    content = { ...content, [name]: value, set: null };
  }
  function leave() {
    content = { ...content, set: null };
    show();
    (grid.hidden ? el.querySelector("button:not(.ex-set *)") : grid)?.focus();
    tell.now("set", { name: "heads", value: null });
  }
  function choose(name, value) {
    remember(name, value);
    show();
    tell.set(name, value);
  }
  function move(name, step) {
    const count = content[`${name}s`];
    if (!count) return;
    const from = content[name] ?? content.last?.[name] ?? 0;
    choose(name, content[name] === null ? from : Math.min(count - 1, Math.max(0, from + step)));
  }
  function cellAt(event) {
    const box = canvas.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * content.heads);
    const row = Math.floor(((event.clientY - box.top) / box.height) * content.layers);
    if (!(row >= 0 && row < content.layers && column >= 0 && column < content.heads)) return null;
    return { layer: row, head: column };
  }
  function describe({ layer: l, head: n }) {
    const value = measured()?.[l * content.heads + n];
    const where = `L${l ?? "·"} H${n ?? "·"}`;
    return Number.isFinite(value) ? `${where}  ${digits(value)}` : where;
  }
  function showSet() {
    const shown = content.set;
    set.hidden = !shown;
    el.classList.toggle("ex-of-set", Boolean(shown));
    setText(setName, shown?.name ?? "");
    set.title = shown?.title ?? "";
    set.setAttribute("aria-label", shown ? `${shown.name}: ${shown.title}` : "");
    const wanted = JSON.stringify([content.layers, content.heads, shown?.cells ?? []]);
    if (marks.dataset.shown === wanted) return;
    marks.dataset.shown = wanted;
    marks.setAttribute("viewBox", `0 0 ${content.heads} ${content.layers}`);
    // A line of no length with round ends is a dot that stays round however the cells are stretched.
    const sizes = new Map();
    const least = shown?.cells.length > MANY ? 0.125 : 0;
    for (const [l, n, share] of shown?.cells ?? []) {
      if (l >= content.layers || n >= content.heads || share < least) continue;
      const size = 1.5 + Math.round(share * 4);
      sizes.set(size, `${sizes.get(size) ?? ""}M${n + 0.5} ${l + 0.5}h0`);
    }
    const dots = (of) =>
      [...sizes].map(([size, d]) => {
        const path = document.createElementNS(SVG, "path");
        for (const [name, value] of [["class", of], ["d", d], ["stroke-width", of === "ex-halo" ? size + 1.5 : size]])
          path.setAttribute(name, value);
        return path;
      });
    marks.replaceChildren(...dots("ex-halo"), ...dots("ex-dot"));
  }
  function show() {
    layer.show();
    head.show();
    showSet();
    if (content.set) setText(caption, content.set.caption);
    else setText(caption, content.layer !== null && content.head !== null ? describe(content) : `layer ${content.layer ?? "mean"}, head ${content.head ?? "mean"}`);
    grid.setAttribute(
      "aria-label",
      `Layer ${content.layer ?? "mean"} of ${content.layers}, head ${content.head ?? "mean"} of ${content.heads}. Arrow keys walk.`,
    );
    const { layers, heads } = content;
    const top = content.layer === null ? 0 : (100 * content.layer) / layers;
    const left = content.head === null ? 0 : (100 * content.head) / heads;
    frame.style.inset = `${top}% auto auto ${left}%`;
    frame.style.height = `${content.layer === null ? 100 : 100 / layers}%`;
    frame.style.width = `${content.head === null ? 100 : 100 / heads}%`;
  }
  // Float32, one a cell, row by row.
  function measured() {
    const view = model.get("tint");
    return view?.byteLength
      ? new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength))
      : null;
  }
  let drawn = "";
  function draw() {
    const { layers, heads } = content;
    const values = measured();
    const lut = model.get("palette")[dark ? "dark" : "light"];
    canvas.width = heads;
    canvas.height = layers;
    const context = canvas.getContext("2d");
    context.fillStyle = dark ? "#ffffff14" : "#0000000d";
    context.fillRect(0, 0, heads, layers);
    if (!values?.length || !lut) return;
    const finite = values.filter(Number.isFinite);
    const low = Math.min(...finite);
    const high = Math.max(...finite);
    values.forEach((value, index) => {
      if (!Number.isFinite(value)) return;
      const at = high > low ? (value - low) / (high - low) : 0.5;
      context.fillStyle = lut[Math.round(at * (lut.length - 1))];
      context.fillRect(index % heads, Math.floor(index / heads), 1, 1);
    });
  }
  function update(next) {
    if (next.layers === undefined) return;
    content = { ...next };
    for (const [name, { value, until }] of chosen) {
      if (next[name] === value || performance.now() > until) chosen.delete(name);
      else content[name] = value;
    }
    const single = content.layers * content.heads <= 1;
    grid.hidden = legend.hidden = caption.hidden = measure.parentElement.hidden = single;
    layer.hidden = head.hidden = single;
    if (single) showSet();
    setText(reason, content.reason ?? "");
    if (!single) {
      grid.style.setProperty("--ex-rows", content.layers);
      fillSelect(measure, content.measures, content.measure);
      const key = `${content.serial} ${dark} ${model.get("palette").name}`;
      if (key !== drawn) {
        draw();
        drawn = key;
      }
      show();
    }
  }
  const stop = follow(model, update);
  const stopValues = follow(model, () => { drawn = ""; update(model.get("content")); }, "tint");
  const stopPalette = follow(model, () => update(model.get("content")), "palette");
  const stopTheme = followTheme((value) => {
    dark = value;
    update(model.get("content"));
  });
  return () => {
    stop();
    stopPalette();
    stopValues();
    stopTheme();
    tell.close();
  };
}
export default region(render);
