// Small helpers shared by the regions of the app: DOM, messages to the kernel, colours, files.
// Every region's module is this file followed by its own; nothing here keeps state of its own.

/** Element with properties, attributes, listeners (on…) and children; text is never HTML. */
function h(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2).toLowerCase(), value);
    else if (name === "class") node.className = value;
    else if (name === "value" || name === "checked" || name === "disabled") node[name] = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

/** Set text only when it differs, so that screen readers and selections are left in peace. */
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Messages to the kernel. `now(kind, body)` sends at once; `latest(kind, body)` keeps at most one
 * message of a kind under way and sends only the newest of those that came meanwhile.
 */
function messenger(model) {
  const lanes = new Map();
  const onMessage = (message) => {
    if (message?.ack === undefined) return;
    const lane = lanes.get(message.ack);
    if (lane) release(lane);
  };
  model.on("msg:custom", onMessage);

  function release(lane) {
    clearTimeout(lane.timer);
    lane.busy = false;
    if (lane.queued === undefined) return;
    const queued = lane.queued;
    lane.queued = undefined;
    latest(...queued);
  }
  function now(kind, body = {}, buffers = []) {
    model.send({ kind, ...body }, undefined, buffers);
  }
  function latest(kind, body = {}, key = kind) {
    const lane = lanes.get(key) ?? { busy: false, queued: undefined, timer: 0 };
    lanes.set(key, lane);
    if (lane.busy) {
      lane.queued = [kind, body, key];
      return;
    }
    lane.busy = true;
    // A kernel that is busy for long, or gone, must not block the lane for ever.
    lane.timer = setTimeout(() => release(lane), 1500);
    model.send({ kind, ...body, ack: key }, undefined, []);
  }
  const set = (name, value) => latest("set", { name, value }, `set ${name}`);
  const close = () => {
    model.off("msg:custom", onMessage);
    for (const lane of lanes.values()) clearTimeout(lane.timer);
  };
  return { now, latest, set, close };
}

/** Keep `update(content)` in step with the model's content; returns the function that ends it. */
function follow(model, update, trait = "content") {
  const run = () => update(model.get(trait));
  model.on(`change:${trait}`, run);
  run();
  return () => model.off(`change:${trait}`, run);
}

/** A select whose options are [value, label] pairs or {group, options}. */
function fillSelect(select, options, value) {
  const wanted = JSON.stringify(options);
  if (select.dataset.options !== wanted) {
    select.dataset.options = wanted;
    const option = ([optionValue, label, note]) =>
      h("option", { value: optionValue, title: note }, label);
    select.replaceChildren(
      ...options.map((entry) =>
        entry.group
          ? h("optgroup", { label: entry.group }, entry.options.map(option))
          : option(entry),
      ),
    );
  }
  if (select.value !== String(value)) select.value = String(value);
}

/** A row of buttons of which one is pressed. */
function segmented(label, choices, onPick) {
  const buttons = choices.map(([value, text, title]) =>
    h("button", { type: "button", class: "ex-segment", title, onClick: () => onPick(value) }, text),
  );
  const node = h("div", { class: "ex-segmented", role: "group", "aria-label": label }, buttons);
  node.show = (value) =>
    choices.forEach(([choice], index) =>
      buttons[index].setAttribute("aria-pressed", String(choice === value)),
    );
  return node;
}

/** Three significant digits, as everywhere in the app. */
function digits(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (value === 0) return "0.000";
  if (Math.abs(value) < 0.0001) return value.toExponential(1).replace("e-0", "e-").replace("e-", "e−");
  return Math.abs(value) >= 0.1 ? value.toFixed(3) : value.toPrecision(3);
}

/** Whether the host shows a dark theme now. */
function isDark() {
  const body = document.body;
  if (body.dataset.jpThemeLight !== undefined) return body.dataset.jpThemeLight === "false";
  const kind = body.dataset.vscodeThemeKind;
  if (kind !== undefined) return kind.includes("dark") || kind === "vscode-high-contrast";
  return window.matchMedia?.("(prefers-color-scheme: dark)").matches ?? false;
}

/** Call `update(dark)` now and whenever the host's theme changes. */
function followTheme(update) {
  let last;
  const run = () => {
    const dark = isDark();
    if (dark !== last) update((last = dark));
  };
  const observer = new MutationObserver(run);
  observer.observe(document.body, {
    attributes: true,
    attributeFilter: ["data-jp-theme-light", "data-vscode-theme-kind", "class"],
  });
  const media = window.matchMedia?.("(prefers-color-scheme: dark)");
  media?.addEventListener("change", run);
  run();
  return () => {
    observer.disconnect();
    media?.removeEventListener("change", run);
  };
}

/** Black or white, whichever is read more easily on "#rrggbb". */
function inkOn(colour) {
  const channel = (at) => {
    const c = parseInt(colour.slice(at, at + 2), 16) / 255;
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  const luminance = 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
  return luminance > 0.22 ? "#111" : "#fff";
}

/** Offer a file made in the page for saving. */
function download(name, mime, content) {
  const url = URL.createObjectURL(new Blob([content], { type: mime }));
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Copy text, also where the page is not a secure context. */
async function copyText(text) {
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

/** Keys typed here belong to the app, not to the notebook's shortcuts. */
function keepKeys(node) {
  node.addEventListener("keydown", (event) => event.stopPropagation());
  node.setAttribute("data-lm-suppress-shortcuts", "true");
}

/** A region's module: `draw({ model, el })` works on the wire, which stays alive come what may. */
function region(draw) {
  return {
    async render({ model, el, signal }) {
      const wire = await model.widget_manager.get_model(model.get("wire_id"));
      const stop = draw({ model: wire, el });
      signal?.addEventListener("abort", stop);
      return stop;
    },
  };
}
