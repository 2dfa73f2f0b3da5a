// attention-explorer, MIT licence. Made of frontend/src by `make frontend`: edit there.

// src/lib/dom.ts
var PROPERTIES = /* @__PURE__ */ new Set(["value", "checked", "disabled"]);
function h(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === void 0 || value === false) continue;
    if (typeof value === "function") {
      node.addEventListener(name.slice(2).toLowerCase(), value);
    } else if (name === "class") node.className = String(value);
    else if (PROPERTIES.has(name)) node[name] = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...present(children));
  return node;
}
function present(children) {
  return children.flatMap((child) => {
    if (child === null || child === void 0) return [];
    if (Array.isArray(child)) return present(child);
    return [typeof child === "number" ? String(child) : child];
  });
}
function replace(node, ...children) {
  node.replaceChildren(...present(children));
}
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
function refill(node, shown, children) {
  const wanted = JSON.stringify(shown);
  if (node.dataset.shown === wanted) return;
  node.dataset.shown = wanted;
  replace(node, children());
}
var UNPIN = "explorer-unpin";
function askToUnpin(node) {
  node.dispatchEvent(new CustomEvent(UNPIN, { bubbles: true }));
}
function whenAskedToUnpin(node, unpin) {
  const hear = (event) => {
    const app = event.target.closest(".explorer-app");
    if (!app || app.contains(node)) unpin();
  };
  document.addEventListener(UNPIN, hear);
  return () => document.removeEventListener(UNPIN, hear);
}
function unpinByKey(node) {
  node.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input:not([type=range]), textarea, select");
    if (event.key === "Escape" && !event.defaultPrevented && !typing) askToUnpin(node);
  });
}
function keepKeys(node) {
  node.addEventListener("keydown", (event) => event.stopPropagation());
  node.setAttribute("data-lm-suppress-shortcuts", "true");
}

// src/lib/format.ts
var NO_NUMBER = "–";
var SMALLEST_PLAIN = -4;
var LARGEST_PLAIN = 6;
function threeDigits(value) {
  if (value === null || value === void 0 || Number.isNaN(value)) return NO_NUMBER;
  if (value === 0) return "0";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  const [digits, exponent] = value.toExponential(2).split("e");
  const place = Number(exponent);
  if (place < SMALLEST_PLAIN || place >= LARGEST_PLAIN) return `${digits}e${place}`;
  return place < 3 ? value.toFixed(2 - place) : count(Number(value.toFixed(0)));
}
function count(value) {
  return value.toLocaleString("en-US");
}
function typedNumber(text) {
  const plain = text.trim().replace(",", ".").replace("−", "-");
  return plain === "" ? Number.NaN : Number(plain);
}
function fill(sentence, values) {
  return sentence.replace(
    /\{(\w+)\}/g,
    (place, name) => name in values ? String(values[name]) : place
  );
}

// src/lib/library.ts
var LIBRARIES = /* @__PURE__ */ Symbol.for("attention-explorer.libraries");
function oncePerPage(library, part, load) {
  const page = globalThis;
  const loaded = page[LIBRARIES] ?? /* @__PURE__ */ new Map();
  page[LIBRARIES] = loaded;
  const key = `${library.get("release")} ${part}`;
  const known = loaded.get(key);
  if (known) return known;
  const loading = load();
  loaded.set(key, loading);
  loading.catch(() => loaded.delete(key));
  return loading;
}
async function importText(...parts) {
  const blob = new Blob(parts, { type: "text/javascript" });
  const url = URL.createObjectURL(blob);
  try {
    return await import(
      /* @vite-ignore */
      url
    );
  } finally {
    URL.revokeObjectURL(url);
  }
}
async function loadPlotly(library) {
  const module = await importText(
    "const before = globalThis.Plotly; const module = { exports: {} };\n",
    await filled(library),
    "\nif (before === undefined) delete globalThis.Plotly; else globalThis.Plotly = before;",
    "\nexport default module.exports;"
  );
  return module.default;
}
function filled(library) {
  return new Promise((resolve) => {
    const look = () => {
      const plotly = library.get("plotly");
      if (!plotly?.byteLength) return;
      library.off("change:plotly", look);
      resolve(plotly);
    };
    library.on("change:plotly", look);
    look();
  });
}

// src/lib/controls.ts
function fillSelect(select, options, value) {
  const wanted = JSON.stringify(options);
  if (select.dataset.options !== wanted) {
    select.dataset.options = wanted;
    const option = ([choice, label, title]) => h("option", { value: choice, title }, label);
    select.replaceChildren(
      ...options.map(
        (entry) => "group" in entry ? h("optgroup", { label: entry.group }, entry.options.map(option)) : option(entry)
      )
    );
  }
  if (select.value !== value) select.value = value;
}
function segmented(label, choices, onPick) {
  const buttons = choices.map(
    ([value, text, title]) => h("button", { type: "button", class: "ex-segment", title, onClick: () => onPick(value) }, text)
  );
  const node = h("div", { class: "ex-segmented", role: "group", "aria-label": label }, buttons);
  return {
    node,
    show(value) {
      choices.forEach(([choice], index) => {
        buttons[index].setAttribute("aria-pressed", String(choice === value));
      });
    }
  };
}
function quietButton(text, title, onClick) {
  return h("button", { type: "button", class: "ex-quiet", title, onClick }, text);
}
function panelHead(title, ...children) {
  return h(
    "div",
    { class: "ex-panel-head" },
    h("span", { class: "ex-panel-title" }, title),
    children
  );
}
function badge([word2, message]) {
  return h(
    "span",
    { class: "ex-badge", title: message, tabindex: "0", "aria-label": message },
    word2
  );
}

// src/lib/model.ts
function follow(model, name, update) {
  const run = () => update(model.get(name));
  model.on(`change:${name}`, run);
  run();
  return () => model.off(`change:${name}`, run);
}
function listen(model, handler) {
  model.on("msg:custom", handler);
  return () => model.off("msg:custom", handler);
}
function followKernel(model, update) {
  const look = () => update(model.comm_live === false);
  model.on("comm_live_update", look);
  look();
  return () => model.off("comm_live_update", look);
}
var views = 0;
function viewName() {
  views += 1;
  return `${Math.random().toString(36).slice(2)}-${views}`;
}

// src/lib/throttle.ts
var Throttle = class {
  /** `send` gets the value and its running number, by which the kernel acknowledges it. */
  constructor(send, { every = 0, patience = 1500 } = {}) {
    this.send = send;
    this.every = every;
    this.patience = patience;
  }
  send;
  every;
  patience;
  n = 0;
  sentAt = Number.NEGATIVE_INFINITY;
  underway = false;
  waiting = null;
  timer;
  /** Send a value, now or in its turn; it takes the place of one that waits. */
  post(value) {
    this.waiting = { value };
    this.pump();
  }
  /** Take note that the kernel has dealt with the message of this number. */
  acknowledged(n) {
    if (n < this.n) return;
    this.underway = false;
    this.stopTimer();
    this.pump();
  }
  /** Whether the kernel may not have heard of the newest value yet. */
  get busy() {
    const lost = performance.now() >= this.sentAt + this.patience;
    return this.underway && !lost || this.waiting !== null;
  }
  /** Drop what waits. */
  close() {
    this.stopTimer();
    this.waiting = null;
  }
  pump() {
    if (this.waiting === null || this.timer !== void 0) return;
    const now = performance.now();
    const free = this.sentAt + (this.underway ? this.patience : this.every);
    if (now < free) {
      this.timer = setTimeout(() => {
        this.timer = void 0;
        this.pump();
      }, free - now);
      return;
    }
    const { value } = this.waiting;
    this.waiting = null;
    this.underway = true;
    this.sentAt = now;
    this.send(value, ++this.n);
  }
  stopTimer() {
    clearTimeout(this.timer);
    this.timer = void 0;
  }
};

// src/lib/messenger.ts
function messenger(model) {
  const view = viewName();
  const throttles = /* @__PURE__ */ new Map();
  const stop = listen(model, (message) => {
    if (message.kind !== "acknowledged" || message.ack.view !== view) return;
    throttles.get(message.ack.key)?.acknowledged(message.ack.n);
  });
  const throttle = (key) => {
    const known = throttles.get(key);
    if (known) return known;
    const made = new Throttle((gesture, n) => {
      model.send({ ...gesture, ack: { view, key, n } });
    });
    throttles.set(key, made);
    return made;
  };
  return {
    now: (gesture, buffers = []) => model.send(gesture, void 0, buffers),
    latest: (gesture, key = gesture.kind) => throttle(key).post(gesture),
    set: (name, value) => throttle(`set ${name}`).post({ kind: "set", name, value }),
    close() {
      stop();
      for (const one of throttles.values()) one.close();
    }
  };
}

// src/panels/panel.ts
function panel(classes, build) {
  return (untyped, el) => {
    const model = untyped;
    const tell = messenger(model);
    const stops = [() => tell.close()];
    const atEnd = (stop) => {
      stops.push(stop);
    };
    el.classList.add("ex-region", ...classes.split(" "));
    keepKeys(el);
    let draw;
    const update = (content) => {
      if (!isFilled(content)) return;
      const first = !draw;
      draw ??= build({
        el,
        model,
        texts: model.get("texts"),
        tell,
        follow: (name, changed) => atEnd(follow(model, name, changed)),
        listen: (handler) => atEnd(listen(model, handler)),
        atEnd
      });
      if (first) unpinByKey(el);
      draw(content);
    };
    atEnd(follow(model, "content", update));
    return () => {
      for (const stop of stops) stop();
    };
  };
}
function isFilled(sent) {
  return Object.keys(sent).length > 0;
}

// src/panels/code/code_frame.ts
var LEAST = 120;
var STEP = 24;
var SCROLLER = ".jp-WindowedPanel-outer, .jp-Notebook";
function codeFrame(el, texts, tell, parts, direction) {
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
        }
      },
      "×"
    )
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
    }
  });
  el.replaceChildren(box, grip, h("div", { class: "ex-bars-title" }, title, direction, how));
  const panel2 = () => el.parentElement;
  const tallest = () => (el.parentElement?.querySelector(".ex-heat") ?? box).clientHeight;
  function choose(height) {
    const style = panel2()?.style;
    if (height === null) style?.removeProperty("--ex-chosen");
    else style?.setProperty("--ex-chosen", `${Math.max(LEAST, Math.round(height))}px`);
  }
  function drag(down) {
    if (down.button !== 0) return;
    down.preventDefault();
    grip.focus({ preventScroll: true });
    grip.setPointerCapture(down.pointerId);
    const from = tallest() - down.clientY;
    const follow2 = (event) => choose(from + event.clientY);
    const release = () => {
      grip.removeEventListener("pointermove", follow2);
      grip.removeEventListener("lostpointercapture", release);
    };
    grip.addEventListener("pointermove", follow2);
    grip.addEventListener("lostpointercapture", release);
  }
  function measure() {
    const scroller = el.closest(SCROLLER);
    const room = scroller?.clientHeight || window.innerHeight;
    panel2()?.style.setProperty("--ex-room", `${room}px`);
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
    }
  };
}

// src/panels/code/live_lines.ts
var SPECIAL = 1;
var LINE_BREAK = 2;
function textOf(lines) {
  let text = "";
  const pieces = [];
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
function movedPieces(before, pieces, now) {
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
function moved({ start, stop, token }, by) {
  return { start: start + by, stop: stop + by, token };
}
function linesOf(text, pieces) {
  const lines = [[1, []]];
  const put = (part, token) => {
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
function tokenAt(pieces, position) {
  const found = pieces.find(({ start, stop }) => start <= position && position < stop);
  if (found) return found.token;
  const before = pieces.filter(({ stop }) => stop <= position);
  return before.length ? before[before.length - 1].token : null;
}

// src/lib/colour.ts
function inkOn(colour) {
  const channel = (at) => {
    const c = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  const luminance = 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
  return luminance > 0.22 ? "#111" : "#fff";
}

// src/lib/theme.ts
var SAID = ["data-vscode-theme-kind", "theme", "data-theme", "data-bs-theme", "data-color-mode"];
var WATCHED = ["data-jp-theme-light", "data-jp-theme-name", ...SAID, "class", "style"];
var CLASSES = {
  "vscode-dark": "dark",
  "vscode-high-contrast": "dark",
  "vscode-light": "light",
  "vscode-high-contrast-light": "light",
  dark: "dark",
  light: "light",
  "theme-dark": "dark",
  "theme-light": "light"
};
var DARKER = 0.4;
function hostTheme() {
  const nodes = [document.body, document.documentElement].filter(Boolean);
  const jupyter = firstOf(nodes, (node) => node.dataset.jpThemeLight);
  if (jupyter) return jupyter === "false" ? "dark" : "light";
  return said(nodes) ?? classed(nodes) ?? asked() ?? background(nodes) ?? (darkSystem() ? "dark" : "light");
}
function followTheme(update) {
  let last = hostTheme();
  const look = () => {
    const now = hostTheme();
    if (now === last) return;
    last = now;
    update(now);
  };
  const observer = new MutationObserver(look);
  for (const node of [document.body, document.documentElement]) {
    observer.observe(node, { attributes: true, attributeFilter: WATCHED });
  }
  const system = darkQuery();
  system?.addEventListener("change", look);
  update(last);
  return () => {
    observer.disconnect();
    system?.removeEventListener("change", look);
  };
}
function firstOf(places, look) {
  for (const place of places) {
    const found = look(place);
    if (found) return found;
  }
  return null;
}
function said(nodes) {
  return firstOf(nodes, (node) => firstOf(SAID, (name) => word(name, node.getAttribute(name))));
}
function word(name, value) {
  if (value?.endsWith("light")) return "light";
  if (value?.endsWith("dark") || name === SAID[0] && value) return "dark";
  return null;
}
function classed(nodes) {
  return firstOf(nodes, (node) => {
    const name = [...node.classList].find((one) => one in CLASSES);
    return name ? CLASSES[name] : null;
  });
}
function asked() {
  const theme = new URLSearchParams(location.search).get("theme");
  return theme === "dark" || theme === "light" ? theme : null;
}
function background(nodes) {
  return firstOf(nodes, (node) => {
    const numbers = getComputedStyle(node).backgroundColor.match(/[\d.]+/g)?.map(Number);
    if (!numbers || numbers.length < 3 || numbers[3] === 0) return null;
    const [red, green, blue] = numbers;
    return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255 < DARKER ? "dark" : "light";
  });
}
function darkSystem() {
  return Boolean(darkQuery()?.matches);
}
function darkQuery() {
  return window.matchMedia?.("(prefers-color-scheme: dark)");
}

// src/panels/code/token_text.ts
var KINDS = ["", "ex-special", "ex-break"];
var FAINTEST = 6;
var TokenText = class {
  constructor(label, on) {
    this.on = on;
    this.node = h("div", {
      class: "ex-code",
      role: "group",
      "aria-label": label,
      tabindex: "0",
      onPointerover: (event) => this.hover(tokenOf(event)),
      onPointerleave: () => this.hover(null),
      onClick: (event) => {
        if (window.getSelection()?.toString()) return;
        on.pin(tokenOf(event));
        this.node.focus({ preventScroll: true });
      },
      onDblclick: () => on.pin(null),
      onKeydown: (event) => this.key(event)
    });
    this.stop = followTheme((theme) => {
      this.theme = theme;
      if (this.tinted) this.tint(this.tinted.codes, this.tinted.palette);
    });
  }
  on;
  node;
  spans = [];
  // token index -> its elements
  marked = [];
  pinned = null;
  hovered = null;
  found = [];
  theme = "light";
  tinted = null;
  stop;
  close() {
    this.stop();
  }
  /** Show other lines. */
  build(lines) {
    this.spans = [];
    const part = ([text, token, kind]) => {
      if (token < 0) return text;
      const node = h("span", { class: `ex-token ${KINDS[kind]}`, "data-token": token });
      node.textContent = text;
      const spans = this.spans[token] ?? [];
      spans.push(node);
      this.spans[token] = spans;
      return node;
    };
    this.node.replaceChildren(
      ...lines.map(
        ([number, parts]) => h(
          "div",
          { class: "ex-line" },
          h("span", { class: "ex-line-number", "aria-hidden": "true" }, number ?? ""),
          h("span", { class: "ex-line-text" }, parts.map(part))
        )
      )
    );
  }
  /** Mark the pinned token, and the tokens of the pinned unit. */
  mark(pinned, unit) {
    for (const node of this.marked) {
      node.removeAttribute("data-pinned");
      node.removeAttribute("data-marked");
    }
    const moved2 = pinned !== null && pinned !== this.pinned;
    this.pinned = pinned;
    const inUnit = unit.flatMap((token) => this.spans[token] ?? []);
    const own = pinned === null ? [] : this.spans[pinned] ?? [];
    for (const node of inUnit) node.setAttribute("data-marked", "");
    for (const node of own) node.setAttribute("data-pinned", "");
    this.marked = [...inUnit, ...own];
    if (moved2) this.reveal(pinned);
  }
  /** Mark the token that a search has found, and scroll to it. */
  find(token) {
    for (const node of this.found) node.removeAttribute("data-found");
    this.found = token === null ? [] : this.spans[token] ?? [];
    for (const node of this.found) node.setAttribute("data-found", "");
    if (token !== null) this.reveal(token);
  }
  /** Break long lines, or scroll them; returns whether they are broken now. */
  toggleWrap() {
    return this.node.classList.toggle("ex-wrap");
  }
  /** Scroll to a token, unless it can be seen; the page itself stays where it is. */
  reveal(token) {
    const [node] = this.spans[token] ?? [];
    if (!node) return;
    const box = this.node.closest(".ex-live") ?? this.node;
    const all = box.getBoundingClientRect();
    const one = node.getBoundingClientRect();
    if (one.top < all.top || one.bottom > all.bottom) {
      box.scrollTop += one.top - all.top - (all.height - one.height) / 2;
    }
    if (one.left < all.left + 32 || one.right > all.right) {
      box.scrollLeft += one.left - all.left - all.width / 3;
    }
  }
  /** Colour every token by its code. */
  tint(codes, palette) {
    this.tinted = { codes, palette };
    const colours = palette[this.theme];
    const name = `${palette.name} ${this.theme}`;
    this.spans.forEach((nodes, token) => {
      const code = token < codes.byteLength ? codes.getUint8(token) : 0;
      for (const node of nodes ?? []) {
        if (node.dataset.value === String(code) && node.dataset.lut === name) continue;
        node.dataset.value = String(code);
        node.dataset.lut = name;
        const colour = colours[code];
        node.style.backgroundColor = code > FAINTEST ? colour : "";
        node.style.color = code > FAINTEST ? inkOn(colour) : "";
      }
    });
  }
  hover(token) {
    if (token === this.hovered) return;
    this.hovered = token;
    this.on.hover(token);
  }
  key(event) {
    if (event.key === "Escape") {
      event.preventDefault();
      this.on.pin(null);
      return;
    }
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const present2 = [...this.spans.keys()].filter((token) => this.spans[token]);
    const at = this.pinned === null ? -1 : present2.indexOf(this.pinned);
    const next = at < 0 ? 0 : Math.min(present2.length - 1, Math.max(0, at + step));
    if (present2.length) this.on.walk(present2[next]);
  }
};
function tokenOf(event) {
  const node = event.target.closest("[data-token]");
  return node ? Number(node.dataset.token) : null;
}

// src/panels/code/live_text.ts
var INDENT = "    ";
var WALKS = /* @__PURE__ */ new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"]);
var LiveText = class {
  // Esc was the last key: Tab goes on to the next control
  constructor(label, placeholder, title, on) {
    this.on = on;
    this.tokens = new TokenText("", { hover: () => {
    }, pin: () => {
    }, walk: () => {
    } });
    this.tokens.node.removeAttribute("tabindex");
    this.tokens.node.removeAttribute("role");
    this.tokens.node.setAttribute("aria-hidden", "true");
    this.editor = h("textarea", {
      class: "ex-live-editor",
      "aria-label": label,
      placeholder,
      title,
      spellcheck: "false",
      autocapitalize: "off",
      autocomplete: "off",
      onInput: () => this.typed(),
      onKeydown: (event) => this.key(event),
      onKeyup: (event) => {
        if (this.pinned !== null && WALKS.has(event.key)) this.walk();
      },
      onClick: (event) => {
        if (this.editor.selectionStart !== this.editor.selectionEnd) return;
        on.pin(this.under(event));
      },
      onPointermove: (event) => this.hover(this.under(event)),
      onPointerleave: () => this.hover(null)
    });
    this.node = h("div", { class: "ex-live" }, this.tokens.node, this.editor);
  }
  on;
  node;
  editor;
  tokens;
  document = [];
  pieces = [];
  pinned = null;
  hovered = null;
  marks = [];
  tinted = null;
  leaving = false;
  get value() {
    return this.editor.value;
  }
  /** Show another text, such as an example. */
  setValue(source) {
    this.editor.value = source;
    this.draw();
  }
  /** Take the tokens of a text that was read. */
  build(lines) {
    this.document = lines;
    this.draw();
  }
  mark(pinned, unit) {
    this.pinned = pinned;
    this.marks = unit;
    this.tokens.mark(pinned, unit);
  }
  tint(codes, palette) {
    this.tinted = { codes, palette };
    this.tokens.tint(codes, palette);
  }
  close() {
    this.tokens.close();
  }
  draw() {
    const [before, pieces] = textOf(this.document);
    this.pieces = movedPieces(before, pieces, this.editor.value);
    this.tokens.build(linesOf(this.editor.value, this.pieces));
    this.tokens.mark(this.pinned, this.marks);
    if (this.tinted) this.tokens.tint(this.tinted.codes, this.tinted.palette);
  }
  typed() {
    this.draw();
    this.on.typed(this.editor.value);
  }
  key(event) {
    const leaving = this.leaving;
    this.leaving = event.key === "Escape" || leaving && event.key === "Shift";
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (event.key === "Escape") this.on.pin(null);
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.on.pin(this.atCursor());
    } else if (event.key === "Enter" && plain && !event.shiftKey) {
      const { value, selectionStart } = this.editor;
      const line = value.slice(value.lastIndexOf("\n", selectionStart - 1) + 1, selectionStart);
      const indent = /^[ \t]*/.exec(line)?.[0] ?? "";
      if (indent) this.insert(event, `
${indent}`);
    } else if (event.key === "Tab" && plain && !event.shiftKey && !leaving) {
      this.insert(event, INDENT);
    }
  }
  /** Insert a text as typing does, so that it can be undone. */
  insert(event, text) {
    event.preventDefault();
    if (document.execCommand("insertText", false, text)) return;
    this.editor.setRangeText(text, this.editor.selectionStart, this.editor.selectionEnd, "end");
    this.typed();
  }
  atCursor() {
    return tokenAt(this.pieces, this.editor.selectionStart);
  }
  walk() {
    const token = this.atCursor();
    if (token !== null && token !== this.pinned) this.on.walk(token);
  }
  hover(token) {
    if (token === this.hovered) return;
    this.hovered = token;
    this.on.hover(token);
  }
  /** Return the token under the pointer: the text area lies over it. */
  under({ clientX, clientY }) {
    const nodes = document.elementsFromPoint(clientX, clientY);
    const token = nodes.find((node) => node.dataset.token !== void 0)?.dataset.token;
    return token === void 0 ? null : Number(token);
  }
};

// src/panels/code/window_note.ts
function windowNote(texts, open) {
  const node = h("div", { class: "ex-note ex-window", hidden: true });
  return {
    node,
    show(window2) {
      node.hidden = !window2;
      if (!window2) return;
      const step = (start, label) => h(
        "button",
        {
          type: "button",
          class: "ex-quiet",
          disabled: start === null,
          onClick: () => open(start)
        },
        label
      );
      node.replaceChildren(
        h("span", {}, window2.text),
        step(window2.previous, texts.earlier),
        step(window2.next, texts.later)
      );
    }
  };
}

// src/panels/code/live_code.ts
function liveCode({
  el,
  model,
  texts,
  tell,
  follow: follow2,
  atEnd
}) {
  let content;
  let sent = null;
  const title = h("span", { class: "ex-panel-title" });
  const examples = h("select", {
    "aria-label": texts.examples_title,
    title: texts.examples_title,
    onChange: () => {
      if (!examples.value) return;
      sent = null;
      tell.now({ kind: "example", name: examples.value });
    }
  });
  const direction = segmented(
    texts.direction,
    [
      ["row", texts.row, texts.row_title],
      ["column", texts.column, texts.column_title]
    ],
    (value) => tell.set("direction", value)
  );
  const code = new LiveText(texts.editor, texts.placeholder, texts.live_title, {
    typed: (source) => {
      sent = source;
      if (source.trim()) tell.latest({ kind: "run", source });
    },
    hover: (index) => tell.latest({ kind: "hover", index }),
    pin: (index) => tell.now({ kind: "pin", index }),
    walk: (index) => tell.latest({ kind: "pin", index }, "walk")
  });
  atEnd(() => code.close());
  const note = windowNote(texts, (start) => tell.now({ kind: "window", start }));
  const head = h(
    "div",
    { class: "ex-panel-head" },
    title,
    h("span", { class: "ex-grow" }),
    examples
  );
  const frame = codeFrame(el, texts, tell, [head, note.node, code.node], direction.node);
  atEnd(() => frame.close());
  let built = null;
  function buildDocument() {
    const sentDocument = model.get("document");
    if (!isFilled(sentDocument) || sentDocument.serial === built) return;
    built = sentDocument.serial;
    code.build(sentDocument.lines);
  }
  function adopt() {
    const source = model.get("source");
    if (sent !== null || !source || source === code.value) return;
    code.setValue(source);
    sent = source;
  }
  function tint() {
    const palette = model.get("palette");
    if (isFilled(palette)) code.tint(model.get("tint"), palette);
  }
  const update = () => content && draw(content);
  follow2("source", update);
  follow2("document", update);
  follow2("tint", tint);
  follow2("palette", tint);
  function draw(next) {
    content = next;
    adopt();
    buildDocument();
    fillSelect(examples, [["", texts.examples], ...content.programs], "");
    examples.hidden = !content.programs.length;
    setText(title, content.title);
    direction.show(content.direction);
    code.mark(content.pinned, content.marked);
    note.show(content.window);
    frame.show(content);
    tint();
  }
  return draw;
}

// src/panels/code/token_search.ts
function placesOf(lines, wanted) {
  const sought = wanted.toLowerCase();
  if (!sought) return [];
  const [text, pieces] = textOf(lines);
  const lower = text.toLowerCase();
  const found = [];
  let piece = 0;
  for (let at = lower.indexOf(sought); at >= 0; at = lower.indexOf(sought, at + sought.length)) {
    while (piece < pieces.length && pieces[piece].stop <= at) piece += 1;
    if (piece < pieces.length) found.push(pieces[piece].token);
  }
  return found;
}
function tokenSearch(texts, show) {
  let lines = [];
  let found = [];
  let at = 0;
  const count2 = h("span", { class: "ex-note ex-found-count", role: "status" });
  const field = h("input", {
    type: "text",
    class: "ex-find",
    "aria-label": texts.find,
    title: texts.find_title,
    placeholder: texts.find,
    spellcheck: "false",
    onInput: () => search(),
    onKeydown: (event) => {
      if (event.key === "Enter" && found.length) {
        event.preventDefault();
        at = (at + (event.shiftKey ? found.length - 1 : 1)) % found.length;
        report();
      } else if (event.key === "Escape" && field.value) {
        event.stopPropagation();
        field.value = "";
        search();
      }
    }
  });
  function search() {
    found = placesOf(lines, field.value);
    at = 0;
    report();
  }
  function report() {
    const words = { n: found.length ? at + 1 : 0, of: found.length };
    setText(count2, field.value ? fill(texts.found, words) : "");
    show(found[at] ?? null);
  }
  return {
    node: h("span", { class: "ex-find-box" }, field, count2),
    build(next) {
      lines = next;
      if (field.value) search();
    }
  };
}

// src/panels/code/code_text.ts
var INDENT2 = "    ";
var codeText = panel(
  "ex-code-text",
  (place) => {
    const { el, model, texts, tell, follow: follow2, listen: listen2, atEnd } = place;
    const first = model.get("content");
    if (isFilled(first) && first.live) return liveCode(place);
    let content;
    let editing = false;
    let byHand = false;
    let draft = null;
    const title = h("span", { class: "ex-panel-title" });
    const examples = h("select", {
      "aria-label": texts.examples_title,
      title: texts.examples_title,
      onChange: () => {
        if (examples.value) tell.now({ kind: "example", name: examples.value });
      }
    });
    const direction = segmented(
      texts.direction,
      [
        ["row", texts.row, texts.row_title],
        ["column", texts.column, texts.column_title]
      ],
      (value) => tell.set("direction", value)
    );
    const edit = quietButton(texts.edit, null, () => setEditing(!editing));
    const run = h(
      "button",
      { type: "button", class: "ex-primary", title: texts.run_title, onClick: () => submit() },
      texts.run
    );
    const editor = h("textarea", {
      class: "ex-editor",
      "aria-label": texts.editor,
      placeholder: texts.placeholder,
      spellcheck: "false",
      autocapitalize: "off",
      autocomplete: "off",
      onKeydown: (event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
          event.preventDefault();
          submit();
        } else if (event.key === "Escape") {
          setEditing(false);
        } else if (event.key === "Tab" && !event.shiftKey && !event.altKey && !event.ctrlKey) {
          event.preventDefault();
          editor.setRangeText(INDENT2, editor.selectionStart, editor.selectionEnd, "end");
        }
      }
    });
    const code = new TokenText(texts.tokens, {
      hover: (index) => tell.latest({ kind: "hover", index }),
      pin: (index) => tell.now({ kind: "pin", index }),
      walk: (index) => tell.latest({ kind: "pin", index })
    });
    atEnd(() => code.close());
    const language = h("select", {
      class: "ex-language",
      "aria-label": texts.language,
      title: texts.language_title,
      onChange: () => tell.set("language", language.value)
    });
    const search = tokenSearch(texts, (token) => code.find(token));
    const wrap = h(
      "button",
      {
        type: "button",
        class: "ex-segment ex-mean",
        title: texts.wrap_title,
        "aria-pressed": "false",
        onClick: () => wrap.setAttribute("aria-pressed", String(code.toggleWrap()))
      },
      texts.wrap
    );
    const note = windowNote(texts, (start) => tell.now({ kind: "window", start }));
    const head = h(
      "div",
      { class: "ex-panel-head" },
      title,
      language,
      h("span", { class: "ex-grow" }),
      search.node,
      wrap,
      examples,
      edit,
      run
    );
    const frame = codeFrame(el, texts, tell, [head, note.node, editor, code.node], direction.node);
    atEnd(() => frame.close());
    listen2((message) => {
      if (message.kind === "reveal") code.reveal(message.index);
    });
    const isEmpty = () => !documentOf(model.get("document")).lines.length;
    const typed = () => editor.value === model.get("source") ? null : editor.value;
    function submit() {
      draft = typed();
      tell.now({ kind: "run", source: editor.value });
      setEditing(false, true);
    }
    function setEditing(on, submitted = false) {
      if (editing && !on && !submitted) draft = typed();
      byHand = on;
      editing = on || isEmpty();
      el.classList.toggle("ex-editing", editing);
      editor.hidden = !editing;
      code.node.hidden = editing;
      run.hidden = !editing;
      wrap.hidden = search.node.hidden = editing;
      edit.hidden = isEmpty();
      setText(edit, editing ? texts.back : texts.edit);
      if (!on) return;
      editor.value = draft ?? model.get("source");
      editor.focus();
      tell.now({ kind: "editing" });
    }
    let built = null;
    function buildDocument() {
      const { serial, lines } = documentOf(model.get("document"));
      if (built === serial) return;
      built = serial;
      code.build(lines);
      search.build(lines);
      const source = model.get("source");
      if (draft === source) draft = null;
      const typing = byHand || editor.value.trim() && editor.value !== source;
      if (editing && typing) return;
      editor.value = draft ?? source;
      setEditing(false, true);
    }
    function draw(next) {
      content = next;
      buildDocument();
      fillSelect(examples, [["", texts.examples], ...content.programs], "");
      examples.hidden = !content.programs.length;
      if (!editing) edit.hidden = !content.editable;
      setText(title, content.title);
      fillSelect(language, content.languages, content.language);
      direction.show(content.direction);
      code.mark(content.pinned, content.marked);
      note.show(content.window);
      frame.show(content);
      tint();
    }
    function tint() {
      const palette = model.get("palette");
      if (isFilled(palette)) code.tint(model.get("tint"), palette);
    }
    follow2("document", () => content && draw(content));
    follow2("tint", tint);
    follow2("palette", tint);
    return draw;
  }
);
function documentOf(sent) {
  return isFilled(sent) ? sent : { serial: 0, lines: [] };
}

// src/panels/shell/head_grid.ts
var SVG = "http://www.w3.org/2000/svg";
var MANY = 40;
var HeadGrid = class {
  node;
  /** What the colours mean: the least value, the scale, the largest value. */
  legend = h("div", { class: "ex-grid-legend" });
  canvas = h("canvas", { class: "ex-grid-canvas" });
  marks = document.createElementNS(SVG, "svg");
  frame = h("div", { class: "ex-grid-frame" });
  values = new Float32Array();
  layers = 1;
  heads = 1;
  constructor(roleDescription) {
    this.marks.setAttribute("class", "ex-grid-marks");
    this.marks.setAttribute("preserveAspectRatio", "none");
    this.marks.setAttribute("aria-hidden", "true");
    this.node = h(
      "div",
      {
        class: "ex-grid",
        tabindex: "0",
        role: "application",
        "aria-roledescription": roleDescription
      },
      this.canvas,
      this.marks,
      this.frame
    );
  }
  /** Return the cell under the pointer, or null. */
  cellAt(event) {
    const box = this.canvas.getBoundingClientRect();
    const head = Math.floor((event.clientX - box.left) / box.width * this.heads);
    const layer = Math.floor((event.clientY - box.top) / box.height * this.layers);
    const inside = layer >= 0 && layer < this.layers && head >= 0 && head < this.heads;
    return inside ? { layer, head } : null;
  }
  /** Return a cell in words, with its value where there is one. */
  describe({ layer, head }) {
    const value = this.values[layer * this.heads + head];
    const where = `L${layer} H${head}`;
    return Number.isFinite(value) ? `${where}  ${threeDigits(value)}` : where;
  }
  /** Colour the cells by their values, from the least to the largest. */
  paint({ layers, heads }, values, colours, dark) {
    Object.assign(this, { layers, heads, values });
    this.node.style.setProperty("--ex-rows", String(layers));
    this.canvas.width = heads;
    this.canvas.height = layers;
    const context = this.canvas.getContext("2d");
    context.fillStyle = dark ? "#ffffff14" : "#0000000d";
    context.fillRect(0, 0, heads, layers);
    this.legend.hidden = !values.length || !colours;
    if (!values.length || !colours) return;
    const finite = values.filter(Number.isFinite);
    const low = Math.min(...finite);
    const high = Math.max(...finite);
    const stops = [0, 0.25, 0.5, 0.75, 1].map(
      (at) => colours[Math.round(at * (colours.length - 1))]
    );
    this.legend.replaceChildren(
      threeDigits(low),
      h("span", {
        class: "ex-grid-scale",
        style: `background:linear-gradient(to right,${stops.join(",")})`
      }),
      threeDigits(high)
    );
    values.forEach((value, index) => {
      if (!Number.isFinite(value)) return;
      const at = high > low ? (value - low) / (high - low) : 0.5;
      context.fillStyle = colours[Math.round(at * (colours.length - 1))];
      context.fillRect(index % heads, Math.floor(index / heads), 1, 1);
    });
  }
  /** Frame the chosen head; a whole row or column where a mean is chosen. */
  frameHead(layer, head) {
    const part = (place, count2) => place === null ? [0, 100] : [100 * place / count2, 100 / count2];
    const [top, height] = part(layer, this.layers);
    const [left, width] = part(head, this.heads);
    this.frame.style.inset = `${top}% auto auto ${left}%`;
    this.frame.style.height = `${height}%`;
    this.frame.style.width = `${width}%`;
  }
  /** Mark the heads of a set by dots, the larger the more they weigh. */
  markSet(cells) {
    const wanted = JSON.stringify([this.layers, this.heads, cells]);
    if (this.marks.dataset.shown === wanted) return;
    this.marks.dataset.shown = wanted;
    this.marks.setAttribute("viewBox", `0 0 ${this.heads} ${this.layers}`);
    const least = cells.length > MANY ? 0.125 : 0;
    const paths = /* @__PURE__ */ new Map();
    for (const [layer, head, share] of cells) {
      if (layer >= this.layers || head >= this.heads || share < least) continue;
      const size = 1.5 + Math.round(share * 4);
      paths.set(size, `${paths.get(size) ?? ""}M${head + 0.5} ${layer + 0.5}h0`);
    }
    const dots = (kind, wider) => [...paths].map(([size, d]) => {
      const path = document.createElementNS(SVG, "path");
      path.setAttribute("class", kind);
      path.setAttribute("d", d);
      path.setAttribute("stroke-width", String(size + wider));
      return path;
    });
    this.marks.replaceChildren(...dots("ex-halo", 1.5), ...dots("ex-dot", 0));
  }
};

// src/panels/shell/head_selector.ts
var REMEMBERED_MS = 2e3;
var STEPS = {
  ArrowUp: ["layer", -1],
  ArrowDown: ["layer", 1],
  ArrowLeft: ["head", -1],
  ArrowRight: ["head", 1]
};
var headSelector = panel(
  "ex-head-selector",
  ({ el, model, texts, tell, follow: follow2, atEnd }) => {
    let content;
    let dark = false;
    const layer = stepper("layer", texts.layer, texts.layer_mean, [
      texts.previous_layer,
      texts.next_layer
    ]);
    const head = stepper("head", texts.head, texts.head_mean, [
      texts.previous_head,
      texts.next_head
    ]);
    const measure = h("select", {
      "aria-label": texts.measure_title,
      title: texts.measure_title,
      onChange: () => tell.set("measure", measure.value)
    });
    const measureField = h("label", { class: "ex-field" }, texts.grid, measure);
    const setName = h("span", {});
    const removeSet = h(
      "button",
      {
        type: "button",
        class: "ex-step",
        "aria-label": texts.remove_set,
        title: texts.remove_set_title,
        onClick: () => leaveSet()
      },
      "×"
    );
    const set = h("div", { class: "ex-set", role: "group" }, setName, removeSet);
    const grid = new HeadGrid(texts.grid_role);
    const caption = h("div", { class: "ex-grid-caption" });
    const legend = h(
      "div",
      { class: "ex-grid-axes", "aria-hidden": "true" },
      h("span", {}, texts.layer_axis),
      h("span", {}, texts.head_axis)
    );
    const reason = h("p", { class: "ex-note" });
    el.replaceChildren(
      set,
      layer.node,
      head.node,
      measureField,
      grid.legend,
      legend,
      grid.node,
      caption,
      reason
    );
    grid.node.addEventListener("keydown", (event) => {
      if (event.key === "m") toggleMean("head");
      const step = STEPS[event.key];
      if (!step) return;
      event.preventDefault();
      move(...step);
    });
    grid.node.addEventListener("click", (event) => {
      const cell = grid.cellAt(event);
      if (!cell) return;
      grid.node.focus();
      remember("layer", cell.layer);
      remember("head", cell.head);
      show();
      tell.latest({ kind: "head", ...cell });
    });
    grid.node.addEventListener("pointermove", (event) => {
      const cell = grid.cellAt(event);
      if (cell) setText(caption, grid.describe(cell));
    });
    grid.node.addEventListener("pointerleave", () => show());
    el.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.target === measure || !content.set) return;
      event.preventDefault();
      leaveSet();
    });
    atEnd(whenAskedToUnpin(el, () => tell.now({ kind: "unpin" })));
    const chosen = /* @__PURE__ */ new Map();
    function remember(name, value) {
      chosen.set(name, { value, until: performance.now() + REMEMBERED_MS });
      content = { ...content, [name]: value, set: null };
    }
    function leaveSet() {
      content = { ...content, set: null };
      show();
      if (grid.node.hidden) el.querySelector("button:not(.ex-set *)")?.focus();
      else grid.node.focus();
      tell.now({ kind: "set", name: "heads", value: null });
    }
    function choose(name, value) {
      remember(name, value);
      show();
      tell.set(name, value);
    }
    function toggleMean(name) {
      choose(name, content[name] === null ? content.last[name] : null);
    }
    function move(name, step) {
      const count2 = content[`${name}s`];
      const from = content[name];
      if (!count2) return;
      if (from === null) choose(name, content.last[name]);
      else choose(name, Math.min(count2 - 1, Math.max(0, from + step)));
    }
    function stepper(name, label, meanTitle, [previous, next]) {
      const value = h("span", { class: "ex-stepper-value", "aria-live": "polite" });
      const button = (step, sign, title) => h(
        "button",
        {
          type: "button",
          class: "ex-step",
          "aria-label": title,
          title,
          onClick: () => move(name, step)
        },
        sign
      );
      const mean = h(
        "button",
        {
          type: "button",
          class: "ex-segment ex-mean",
          title: meanTitle,
          "aria-label": meanTitle,
          onClick: () => toggleMean(name)
        },
        texts.mean
      );
      const node = h(
        "div",
        { class: "ex-stepper", role: "group", "aria-label": label },
        h("span", { class: "ex-stepper-label" }, label.toLowerCase()),
        button(-1, "‹", previous),
        value,
        button(1, "›", next),
        mean
      );
      return {
        node,
        show() {
          const now = content[name];
          node.title = content.set ? texts.overridden : "";
          setText(value, now === null ? "·" : String(now));
          mean.setAttribute("aria-pressed", String(now === null));
          node.classList.toggle("ex-off", content[`${name}s`] < 2);
        }
      };
    }
    function showSet() {
      const shown = content.set;
      set.hidden = !shown;
      el.classList.toggle("ex-of-set", Boolean(shown));
      setText(setName, shown?.name ?? "");
      set.title = shown?.title ?? "";
      set.setAttribute("aria-label", shown ? `${shown.name}: ${shown.title}` : "");
      grid.markSet(shown?.cells ?? []);
    }
    function show() {
      layer.show();
      head.show();
      showSet();
      const { layer: l, head: n, layers, heads } = content;
      const names = { layer: l ?? texts.mean, head: n ?? texts.mean, layers, heads };
      if (content.set) setText(caption, content.set.caption);
      else if (l !== null && n !== null) setText(caption, grid.describe({ layer: l, head: n }));
      else setText(caption, fill(texts.grid_caption, names));
      grid.node.setAttribute("aria-label", fill(texts.grid_label, names));
      grid.frameHead(l, n);
    }
    let painted = "";
    function draw(next) {
      content = { ...next };
      for (const [name, { value, until }] of chosen) {
        if (next[name] === value || performance.now() > until) chosen.delete(name);
        else content = { ...content, [name]: value };
      }
      const single = content.layers * content.heads <= 1;
      for (const node of [
        grid.node,
        grid.legend,
        legend,
        caption,
        measureField,
        layer.node,
        head.node
      ]) {
        node.hidden = single;
      }
      setText(reason, content.reason);
      if (single) {
        showSet();
        return;
      }
      fillSelect(measure, content.measures, content.measure);
      const palette = model.get("palette");
      const key = `${content.serial} ${dark} ${palette.name}`;
      if (key !== painted) {
        painted = key;
        const colours = isFilled(palette) ? palette[dark ? "dark" : "light"] : void 0;
        grid.paint(content, floats(model.get("tint")), colours, dark);
      }
      show();
    }
    function again() {
      const latest = model.get("content");
      if (isFilled(latest)) draw(latest);
    }
    follow2("tint", () => {
      painted = "";
      again();
    });
    follow2("palette", again);
    atEnd(
      followTheme((theme) => {
        dark = theme === "dark";
        again();
      })
    );
    return draw;
  }
);
function floats(view) {
  const { buffer, byteOffset, byteLength } = view;
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
}

// src/lib/files.ts
function download({ name, mime, text, base64 }) {
  const content = base64 === void 0 ? text ?? "" : Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const url = URL.createObjectURL(new Blob([content], { type: mime }));
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 1e4);
}
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

// src/panels/shell/help.ts
function helpDialog(texts) {
  const dialog = h(
    "div",
    {
      class: "ex-help",
      role: "dialog",
      "aria-label": texts.help,
      hidden: true,
      tabindex: "-1",
      onKeydown: (event) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        show(false);
        button.focus();
      }
    },
    h("strong", {}, texts.reading),
    h("p", {}, texts.reading_text),
    h("strong", {}, texts.keys),
    h(
      "dl",
      {},
      texts.keys_list.map(([key, action]) => [h("dt", {}, key), h("dd", {}, action)])
    ),
    h("p", {}, texts.caution)
  );
  const button = h(
    "button",
    {
      type: "button",
      class: "ex-quiet",
      title: texts.help_title,
      "aria-label": texts.help,
      "aria-expanded": "false",
      onClick: () => show(Boolean(dialog.hidden))
    },
    "?"
  );
  function show(open) {
    dialog.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    if (open) dialog.focus();
  }
  return [button, dialog];
}

// src/panels/shell/menu.ts
function menu(label, title, items) {
  const list = h("div", { class: "ex-menu-list", role: "menu", hidden: true });
  const button = h(
    "button",
    {
      type: "button",
      class: "ex-quiet",
      title,
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      onClick: () => toggle(Boolean(list.hidden))
    },
    label
  );
  const toggle = (open) => {
    list.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    if (open) list.querySelector("button")?.focus();
  };
  const entries = items.map(
    ([text, action]) => h(
      "button",
      {
        type: "button",
        role: "menuitem",
        onClick: () => {
          toggle(false);
          action();
        }
      },
      text
    )
  );
  list.append(...entries);
  const node = h(
    "div",
    {
      class: "ex-menu",
      onFocusout: (event) => {
        if (!node.contains(event.relatedTarget)) toggle(false);
      },
      onKeydown: (event) => {
        if (event.key === "Escape" && !list.hidden) {
          event.preventDefault();
          toggle(false);
          button.focus();
        }
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (list.hidden || !step) return;
        const at = entries.indexOf(document.activeElement);
        entries[(at + step + entries.length) % entries.length].focus();
        event.preventDefault();
      }
    },
    button,
    list
  );
  return node;
}

// src/panels/shell/header.ts
var OTHER_MODEL = "other…";
var NOTICE_MS = 2500;
var header = panel(
  "ex-header",
  ({ el, model, texts, tell, listen: listen2, atEnd }) => {
    let content;
    const first = model.get("content");
    const ownPage = isFilled(first) && first.own_page;
    const set = (name, value) => tell.now({ kind: "set", name, value });
    const tabs = h("div", { class: "ex-tabs", role: "tablist", "aria-label": texts.tabs });
    const modelSelect = h("select", {
      "aria-label": texts.model,
      class: "ex-model",
      onChange: () => {
        if (modelSelect.value === OTHER_MODEL) askForModel(true);
        else set("model", modelSelect.value);
      }
    });
    const modelInput = h("input", {
      type: "text",
      class: "ex-model-input",
      "aria-label": texts.model_input,
      placeholder: texts.model_placeholder,
      spellcheck: "false",
      hidden: true,
      onKeydown: (event) => {
        if (event.key === "Escape") askForModel(false);
        const wanted = modelInput.value.trim();
        if (event.key !== "Enter" || !wanted) return;
        set("model", wanted);
        askForModel(false);
      }
    });
    const light = h("span", { class: "ex-light", "aria-hidden": "true" });
    const state = h("span", { class: "ex-model-state", role: "status" });
    const notice = h("span", { class: "ex-notice", role: "status" });
    const gone = h("p", { class: "ex-gone", role: "alert", hidden: true });
    const save = (what) => () => tell.now({ kind: "save", what });
    el.replaceChildren(
      h("span", { class: "ex-name" }, texts.name),
      tabs,
      h("span", { class: "ex-grow" }),
      h("span", { class: "ex-model-box" }, light, modelSelect, modelInput, state),
      notice,
      ...ownPage ? [quietButton(texts.link, texts.link_title, copyLink)] : [],
      quietButton(texts.copy, texts.copy_title, () => tell.now({ kind: "copy" })),
      menu(texts.save, texts.save_title, [
        [texts.save_table, save("table")],
        [texts.save_html, save("html")],
        [texts.save_png, save("png")],
        ...ownPage ? [] : [[texts.save_traces, save("traces")]],
        [texts.save_settings, save("settings")]
      ]),
      ...helpDialog(texts),
      gone
    );
    atEnd(
      followTheme((theme) => whenPlaced(el, (app) => app.setAttribute("data-ex-theme", theme)))
    );
    atEnd(
      followKernel(model, (isGone) => {
        if (gone.hidden !== isGone) return;
        gone.hidden = !isGone;
        setText(gone, isGone ? texts.gone : "");
        setText(state, isGone ? "" : content?.status.text ?? "");
        el.closest(".explorer-app")?.classList.toggle("ex-without-kernel", isGone);
      })
    );
    function copyLink() {
      const whole = new URLSearchParams(location.hash.slice(1)).has("code");
      const done = whole ? texts.link_copied : texts.link_without_code;
      copyText(location.href).then(() => say(done));
    }
    function askForModel(open) {
      modelInput.hidden = !open;
      modelSelect.hidden = open;
      if (open) {
        modelInput.value = "";
        modelInput.focus();
      } else if (content) draw(content);
    }
    function tabButton([value, label]) {
      return h(
        "button",
        {
          type: "button",
          role: "tab",
          "data-value": value,
          onClick: () => set("tab", value),
          onKeydown: (event) => {
            if (event.key !== "ArrowRight" && event.key !== "ArrowLeft") return;
            const all = [...tabs.children];
            const step = event.key === "ArrowRight" ? 1 : all.length - 1;
            const next = all[(all.indexOf(event.currentTarget) + step) % all.length];
            next.focus();
            next.click();
          }
        },
        label
      );
    }
    function draw(next) {
      content = next;
      tabs.hidden = !next.tabs.length;
      if (tabs.childElementCount !== next.tabs.length) {
        tabs.replaceChildren(...next.tabs.map(tabButton));
      }
      for (const tab of tabs.children) {
        const chosen = tab.dataset.value === next.tab;
        tab.setAttribute("aria-selected", String(chosen));
        tab.tabIndex = chosen ? 0 : -1;
      }
      const other = ownPage ? [] : [[OTHER_MODEL, texts.other_model]];
      const groups = next.models.filter(({ options }) => options.length || !ownPage);
      fillSelect(modelSelect, [...groups, ...other], next.model);
      light.dataset.state = next.status.kind;
      light.title = state.title = next.status.text;
      setText(state, next.status.text);
    }
    let quiet;
    function say(text) {
      setText(notice, text);
      clearTimeout(quiet);
      quiet = setTimeout(() => setText(notice, ""), NOTICE_MS);
    }
    atEnd(() => clearTimeout(quiet));
    listen2((message) => {
      if (message.kind === "download") {
        download(message);
        say(fill(texts.saved, { name: message.name }));
      } else if (message.kind === "copy") {
        copyText(message.text).then(() => say(texts.copied));
      }
    });
    return draw;
  }
);
function whenPlaced(el, use, tries = 60) {
  const app = el.closest(".explorer-app");
  if (app) use(app);
  else if (tries) requestAnimationFrame(() => whenPlaced(el, use, tries - 1));
}

// src/panels/shell/status.ts
var SLOW_MS = 200;
var status = panel(
  "ex-status",
  ({ el, texts, tell, atEnd }) => {
    const sentence = h("span", { class: "ex-sentence", role: "status", "aria-live": "polite" });
    const jobs = h("span", { class: "ex-jobs" });
    const failure = h("div", { class: "ex-failure", role: "alert", hidden: true });
    const notes = h("div", { class: "ex-notes" });
    const coming = h("div", { class: "ex-coming", role: "status", hidden: true });
    const line = h("div", { class: "ex-status-line" }, sentence, jobs);
    el.replaceChildren(failure, line, notes, coming);
    const bars = /* @__PURE__ */ new Map();
    atEnd(() => {
      for (const { timer } of bars.values()) clearTimeout(timer);
    });
    function jobBar({ job, message }) {
      const bar = h("progress", { max: 1, "aria-label": message });
      const text = h("span", {});
      const cancel = h(
        "button",
        { type: "button", class: "ex-quiet", onClick: () => tell.now({ kind: "cancel", job }) },
        texts.cancel
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
        }
      };
    }
    function drawJobs(running) {
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
    function dim() {
      coming.hidden = ![...coming.children].some((one) => !one.hidden);
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
            onClick: dismiss
          },
          texts.dismiss
        )
      ]);
      refill(notes, content.notes, () => content.notes.map(badge));
    };
  }
);

// src/panels/shell/view_menu.ts
function viewMenu(texts, tell) {
  let open = null;
  const pick = (name, label, title) => {
    const select = h("select", {
      "aria-label": label,
      title,
      onChange: () => tell.set(name, select.value)
    });
    return select;
  };
  const check = (name, text, title) => {
    const box = h("input", {
      type: "checkbox",
      onChange: () => tell.set(name, box.checked)
    });
    return { box, label: h("label", { class: "ex-check", title }, box, text) };
  };
  const field = (text, ...inside) => h("label", { class: "ex-field" }, h("span", {}, text), inside);
  const reduction = pick("reduction", texts.reduction, texts.reduction_title);
  const normalisation = pick("normalisation", texts.normalisation, texts.normalisation_title);
  const unitKind = pick("unit_kind", texts.units, texts.units_title);
  const order = pick("bar_order", texts.order_title, texts.order_title);
  const colours = pick("colour_scale", texts.colour_scale, texts.colour_scale_title);
  const scaling = pick("scaling", texts.scaling, texts.scaling_title);
  const range = pick("colour_range", texts.colour_range, texts.colour_range_title);
  const special = check("hide_special", texts.hide_special, texts.hide_special_title);
  const sink = check("hide_sink", texts.hide_sink, texts.hide_sink_title);
  const scale = segmented(
    texts.scale,
    [
      ["log", texts.log, texts.log_title],
      ["linear", texts.linear, texts.linear_title]
    ],
    (value) => tell.set("threshold_scale", value)
  );
  const unitField = field(texts.units.toLowerCase(), unitKind);
  const reductionField = field(texts.score, reduction);
  const normalisationField = field(texts.normalised, normalisation);
  const orderField = field(texts.order, order);
  const scaleField = h("div", { class: "ex-field" }, h("span", {}, texts.axis), scale.node);
  const coloursField = field(texts.colours, colours, scaling, range);
  const hideField = h(
    "div",
    { class: "ex-field" },
    h("span", {}, texts.hide),
    special.label,
    sink.label
  );
  const sheet = h(
    "div",
    { class: "ex-view-sheet", role: "group", "aria-label": texts.view_title, hidden: true },
    unitField,
    reductionField,
    normalisationField,
    orderField,
    scaleField,
    coloursField,
    hideField
  );
  const button = h(
    "button",
    {
      type: "button",
      class: "ex-quiet ex-view-button",
      title: texts.view_title,
      "aria-expanded": "false",
      onClick: () => turn(Boolean(sheet.hidden))
    },
    texts.view
  );
  const node = h(
    "div",
    {
      class: "ex-view",
      onKeydown: (event) => {
        if (event.key !== "Escape" || sheet.hidden) return;
        event.stopPropagation();
        turn(false);
        button.focus();
      }
    },
    button,
    sheet
  );
  function turn(wanted) {
    open = wanted;
    lay(wanted);
    tell.set("view_open", wanted);
  }
  function lay(wanted) {
    sheet.hidden = !wanted;
    button.setAttribute("aria-expanded", String(wanted));
  }
  return {
    node,
    show(content) {
      lay(open ?? content.view_open);
      for (const label of [reductionField, normalisationField]) {
        label.hidden = !content.of_attention;
        label.classList.toggle("ex-overridden", content.of_set);
        label.title = content.of_set ? texts.overridden : "";
      }
      const { choices } = content;
      fillSelect(reduction, choices.reduction, content.reduction);
      fillSelect(normalisation, choices.normalisation, content.normalisation);
      scaleField.hidden = !content.of_attention || content.of_set;
      scale.show(content.threshold_scale);
      orderField.hidden = coloursField.hidden = content.judging;
      unitField.hidden = content.unit_kind === null;
      if (content.unit_kind !== null) fillSelect(unitKind, choices.unit_kind, content.unit_kind);
      fillSelect(order, choices.bar_order, content.bar_order);
      fillSelect(colours, choices.colour_scale, content.colour_scale);
      fillSelect(scaling, choices.scaling, content.scaling);
      fillSelect(range, choices.colour_range, content.colour_range);
      hideField.hidden = !content.of_code;
      special.box.checked = content.hide_special;
      sink.box.checked = content.hide_sink;
      node.hidden = !content.of_attention && content.judging;
    }
  };
}

// src/panels/shell/toolbar.ts
var FLOOR = -4;
var REFUSED_MS = 400;
var toolbar = panel(
  "ex-toolbar",
  ({ el, texts, tell }) => {
    let content;
    const slider = h("input", {
      type: "range",
      class: "ex-threshold",
      "aria-label": texts.threshold,
      onInput: () => {
        const value = fromSlider(Number(slider.value), content.threshold_scale);
        number.value = threeDigits(value);
        slider.setAttribute("aria-valuetext", number.value);
        tell.set(content.threshold_name, value);
      }
    });
    const number = h("input", {
      type: "text",
      inputmode: "decimal",
      class: "ex-number",
      "aria-label": texts.threshold_typed,
      onChange: () => {
        const value = typedNumber(number.value);
        if (Number.isFinite(value)) tell.set(content.threshold_name, value);
        else draw(content);
      },
      // What the kernel refused must not stay there as if it held.
      onBlur: () => setTimeout(() => {
        number.value = threeDigits(content.threshold);
      }, REFUSED_MS)
    });
    const thresholdLabel = h("span", {});
    const auto = h(
      "button",
      {
        type: "button",
        class: "ex-segment ex-mean",
        onClick: () => tell.set("threshold_mode", content.threshold_mode === "auto" ? "fixed" : "auto")
      },
      texts.auto
    );
    const view = viewMenu(texts, tell);
    const counts = h("span", { class: "ex-counts", role: "status", "aria-label": texts.verdicts });
    el.replaceChildren(
      h("div", { class: "ex-field ex-threshold-field" }, thresholdLabel, slider, number, auto),
      h("span", { class: "ex-grow" }),
      counts,
      view.node
    );
    function draw(next) {
      content = next;
      drawThreshold();
      view.show(content);
      refill(
        counts,
        content.counts,
        () => content.counts.map(
          ([verdict, count2, mark, colour]) => h(
            "span",
            { class: "ex-count", "data-verdict": verdict },
            h("span", { class: "ex-mark", style: `color:${colour}`, "aria-hidden": "true" }, mark),
            `${count2} ${verdict}`
          )
        )
      );
    }
    function drawThreshold() {
      const { threshold, threshold_scale: which, reachable } = content;
      const isLog = which === "log";
      setText(thresholdLabel, content.threshold_label);
      auto.hidden = !content.of_attention || content.judging || content.of_set;
      auto.setAttribute("aria-pressed", String(content.threshold_mode === "auto"));
      auto.title = content.threshold_found ?? texts.auto_title;
      slider.min = String(isLog ? FLOOR : 0);
      slider.max = String(isLog ? 0 : 1);
      slider.step = String(isLog ? 0.01 : 1e-3);
      if (document.activeElement !== slider || !slider.matches(":active"))
        slider.value = String(toSlider(threshold, which));
      slider.setAttribute("aria-valuetext", threeDigits(threshold));
      if (document.activeElement !== number || !number.matches(":focus"))
        number.value = threeDigits(threshold);
      const [low, high] = reachable ?? [0, 0];
      slider.style.setProperty("--ex-low", placeOnSlider(low, which));
      slider.style.setProperty("--ex-high", placeOnSlider(high, which));
      slider.title = reachable ? fill(texts.reachable, { low: threeDigits(low), high: threeDigits(high) }) : "";
    }
    return draw;
  }
);
function fromSlider(x, scale) {
  if (scale === "linear") return x;
  return x <= FLOOR ? 0 : Number((10 ** x).toPrecision(4));
}
function toSlider(threshold, scale) {
  if (scale === "linear") return threshold;
  return threshold > 0 ? Math.max(FLOOR, Math.log10(threshold)) : FLOOR;
}
function placeOnSlider(threshold, scale) {
  const [low, high] = scale === "log" ? [FLOOR, 0] : [0, 1];
  return `${100 * (toSlider(threshold, scale) - low) / (high - low)}%`;
}

// src/panels/thresholds/number_input.ts
function numberInput(label, title, options) {
  const node = h("input", {
    type: "text",
    class: "ex-number",
    inputmode: "decimal",
    "aria-label": label,
    title,
    onChange: () => {
      const value = typedNumber(node.value);
      if (Number.isFinite(value) && options.taken(value)) options.set(value);
      else node.value = threeDigits(options.shown());
    },
    onKeydown: (event) => {
      if (event.key === "Enter") node.blur();
    }
  });
  return {
    node,
    /** Show the current number, unless the field is being edited. */
    show() {
      if (document.activeElement !== node) node.value = threeDigits(options.shown());
    }
  };
}

// src/panels/thresholds/answer.ts
var answer = panel(
  "ex-thresholds ex-thresholds-answer",
  ({ el, texts, tell }) => {
    let content;
    let objective;
    let focusUndo = false;
    const objectivePlace = h("span");
    const number = numberInput("", "", {
      shown: () => content.number?.value ?? Number.NaN,
      taken: () => true,
      // what makes no sense is refused with a sentence
      set: (value) => {
        if (content.number) tell.set(content.number.name, value);
      }
    });
    const numberLabel = h("span");
    const unit = h("span");
    const field = h("label", { class: "ex-field" }, numberLabel, number.node, unit);
    const sentence = h("p", { class: "ex-answer-sentence", role: "status" });
    const numbers = h("div", {
      class: "ex-answer-numbers",
      role: "list",
      "aria-label": texts.figures
    });
    const heldOut = h("p", { class: "ex-note ex-answer-held-out" });
    const sure = h("p", { class: "ex-note" });
    const act = quietButton("", null, () => {
      const action = content.action;
      if (!action) return;
      if (action.kind === "label") {
        tell.set("tab", "traces");
        return;
      }
      focusUndo = true;
      tell.now({ kind: "use" });
    });
    act.classList.add("ex-answer-act");
    const undo = quietButton("", texts.undo_title, () => tell.now({ kind: "undo" }));
    const actions = h("div", { class: "ex-actions" }, act, undo);
    replace(
      el,
      panelHead(texts.objective, objectivePlace, field),
      sentence,
      numbers,
      actions,
      sure,
      heldOut
    );
    el.setAttribute("aria-label", texts.label);
    el.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.target === number.node || !content.undo) return;
      event.stopPropagation();
      tell.now({ kind: "undo" });
    });
    const figure = ([value, label, detail]) => h(
      "div",
      { role: "listitem" },
      h("b", { class: "ex-number-text" }, value),
      h("span", {}, label),
      h("span", { class: "ex-interval" }, detail)
    );
    return (next) => {
      content = next;
      el.hidden = content.hidden;
      el.dataset.kind = content.kind;
      el.classList.toggle("ex-answer-old", content.old);
      if (!objective) {
        objective = segmented(
          texts.objective_label,
          content.objectives,
          (value) => tell.set("objective", value)
        );
        objectivePlace.replaceWith(objective.node);
      }
      objective.show(content.objective);
      field.hidden = !content.number;
      if (content.number) {
        setText(numberLabel, content.number.label);
        setText(unit, content.number.unit);
        number.node.title = content.number.title;
        number.node.setAttribute("aria-label", content.number.label);
        number.show();
      }
      setText(sentence, content.sentence);
      refill(numbers, content.figures, () => content.figures.map(figure));
      numbers.hidden = !content.figures.length;
      setText(sure, content.sure);
      sure.hidden = !content.sure;
      setText(heldOut, content.held_out);
      heldOut.hidden = !content.held_out;
      act.hidden = !content.action;
      act.disabled = content.old;
      setText(act, content.action?.label ?? "");
      act.title = content.action?.title ?? "";
      undo.hidden = !content.undo;
      setText(undo, content.undo);
      actions.hidden = act.hidden && undo.hidden;
      if (focusUndo && !undo.hidden) {
        focusUndo = false;
        undo.focus();
      }
    };
  }
);

// src/panels/thresholds/choices.ts
function headedChoice(el, texts, onPick) {
  const place = h("span");
  const messageLine = h("p", { class: "ex-note" });
  let choice;
  replace(el, panelHead(texts.title, place), messageLine);
  return (choices, chosen, text) => {
    if (!choice) {
      choice = segmented(texts.label, choices, onPick);
      place.replaceWith(choice.node);
    }
    choice.show(chosen);
    messageLine.hidden = !text;
    setText(messageLine, text);
    return choice;
  };
}
var headQuality = panel(
  "ex-thresholds ex-thresholds-measure",
  ({ el, texts, tell }) => {
    const show = headedChoice(el, texts, (value) => tell.set("quality", value));
    return (content) => {
      el.hidden = content.hidden;
      show(content.measures, content.measure, content.heads).node.hidden = !content.there;
    };
  }
);
var weightMoves = panel(
  "ex-thresholds ex-thresholds-moves",
  ({ el, texts, tell }) => {
    const show = headedChoice(el, texts, (value) => tell.set("update_strategy", value));
    return (content) => {
      el.hidden = content.hidden;
      show(content.strategies, content.strategy, content.message);
    };
  }
);

// src/panels/thresholds/comparisons.ts
var callChanges = panel(
  "ex-thresholds ex-thresholds-between",
  ({ el, texts, tell }) => {
    let content;
    const reference = numberInput(texts.reference, texts.reference_title, {
      shown: () => content.reference,
      taken: () => true,
      set: (value) => tell.set("reference_threshold", value)
    });
    const current = h("span", { class: "ex-number-text" });
    const here = quietButton(texts.here, texts.here_title, () => tell.now({ kind: "here" }));
    const and = h("span", { class: "ex-panel-title" }, texts.and);
    const gap = h("span", { class: "ex-grow" });
    replace(el, panelHead(texts.between, reference.node, and, current, gap, here));
    return (next) => {
      content = next;
      el.hidden = content.hidden;
      reference.show();
      setText(current, threeDigits(content.threshold));
      here.disabled = content.reference === content.threshold;
    };
  }
);
var baselines = panel(
  "ex-thresholds ex-thresholds-free",
  ({ el, texts, tell }) => {
    const messageLine = h("span", { class: "ex-note" });
    const embed = quietButton(texts.embed, texts.embed_title, () => tell.now({ kind: "embed" }));
    replace(el, panelHead(texts.title, h("span", { class: "ex-grow" }), embed), messageLine);
    return (content) => {
      el.hidden = content.hidden;
      embed.hidden = content.embedded;
      embed.disabled = content.busy;
      setText(messageLine, content.message);
    };
  }
);
var agreement = panel(
  "ex-thresholds ex-thresholds-agree",
  ({ el, texts, tell }) => {
    const embed = quietButton(texts.embed, texts.embed_title, () => tell.now({ kind: "embed" }));
    const rows = h("div", { class: "ex-agreement", role: "list", "aria-label": texts.label });
    replace(
      el,
      panelHead(texts.title, h("span", { class: "ex-grow" }), embed),
      rows,
      h("p", { class: "ex-note" }, texts.explanation)
    );
    const row = ([method, kappa, interval, same]) => h(
      "div",
      { role: "listitem" },
      h("span", { class: "ex-figure-name" }, method),
      h("b", { class: "ex-number-text" }, kappa),
      h("span", { class: "ex-interval" }, interval),
      h("span", { class: "ex-interval" }, same)
    );
    return (content) => {
      el.hidden = content.hidden;
      embed.hidden = !content.embed;
      embed.disabled = content.busy;
      refill(rows, content.rows, () => content.rows.map(row));
    };
  }
);

// src/panels/thresholds/measures.ts
function confusionTable(texts) {
  const columns = [0, 1].map(() => h("th", { scope: "col" }));
  const cells = [0, 1, 2, 3].map(() => h("td"));
  const [hit, alarm, missed, left] = cells;
  hit.className = left.className = "ex-right";
  const row = (label, ...values) => h("tr", {}, h("th", { scope: "row" }, label), values);
  const node = h(
    "table",
    { class: "ex-confusion", "aria-label": texts.counts },
    h("thead", {}, h("tr", {}, h("td"), columns)),
    h("tbody", {}, row(texts.called_used, hit, alarm), row(texts.called_not_used, missed, left))
  );
  return {
    node,
    show(titles, counts) {
      columns.forEach((column, place) => {
        setText(column, titles[place]);
      });
      counts.forEach((text, place) => {
        setText(cells[place], text);
      });
    }
  };
}
function measureRows(texts) {
  const node = h("div", { class: "ex-figures", role: "list", "aria-label": texts.figures });
  const rows = [];
  const row = ([label, title]) => {
    const value = h("b", { class: "ex-number-text" });
    const interval = h("span", { class: "ex-interval" });
    rows.push({ value, interval });
    const name = h("span", { class: "ex-figure-name" }, label);
    return h("div", { title, role: "listitem" }, name, value, interval);
  };
  return {
    node,
    show(measures) {
      if (rows.length !== measures.length) {
        rows.length = 0;
        node.replaceChildren(...measures.map(row));
      }
      measures.forEach(([, , value, low, high], place) => {
        setText(rows[place].value, value || NO_NUMBER);
        setText(rows[place].interval, low === "" ? "" : fill(texts.interval, { low, high }));
      });
    }
  };
}

// src/panels/thresholds/recommendation.ts
function recommendation(texts, tell) {
  let found = null;
  const exporting = (label, title, what) => quietButton(label, title, () => tell.now({ kind: "export", what }));
  const messageLine = h("p", { class: "ex-advice-text" });
  const outdated = h("p", { class: "ex-advice-old" });
  const notes = h("div", { class: "ex-advice-notes" });
  const take = quietButton(
    texts.take,
    null,
    () => tell.now({ kind: found?.shown ? "go_back" : "take" })
  );
  const exports = [
    h("span", { class: "ex-note" }, texts.export_recommended),
    exporting(texts.json, texts.recommended_json_title, "recommended_json"),
    exporting(texts.python, texts.recommended_python_title, "recommended_python")
  ];
  const node = h(
    "div",
    { class: "ex-advice", role: "status" },
    outdated,
    messageLine,
    notes,
    h("div", { class: "ex-actions" }, take, h("span", { class: "ex-grow" }), exports)
  );
  return {
    node,
    show(next) {
      found = next;
      node.hidden = !next;
      if (!next) return;
      setText(outdated, next.outdated);
      outdated.hidden = !next.outdated;
      node.classList.toggle("ex-outdated", Boolean(next.outdated));
      setText(messageLine, next.message);
      refill(
        notes,
        next.notes,
        () => next.notes.map(
          ([code, message]) => h("p", { class: "ex-note" }, h("b", {}, code), ". ", message)
        )
      );
      setText(take, next.shown ? texts.go_back : texts.take);
      take.title = next.shown ? texts.go_back_title : texts.take_title;
      for (const part of [take, ...exports]) part.hidden = !next.accepted;
    }
  };
}

// src/panels/thresholds/figures.ts
var figures = panel(
  "ex-thresholds ex-thresholds-figures",
  ({ el, texts, tell, listen: listen2 }) => {
    let content;
    const button = (label, title, gesture) => quietButton(label, title, () => tell.now(gesture()));
    const exporting = (label, title, what) => button(label, title, () => ({ kind: "export", what }));
    const methods2 = h("div", {
      class: "ex-segmented",
      role: "group",
      "aria-label": texts.methods_label
    });
    const truthPlace = h("span");
    let truth;
    const drop = numberInput(texts.least_drop_label, texts.least_drop_title, {
      shown: () => content.least_drop,
      taken: (value) => value > 0,
      set: (value) => tell.set("least_drop", value)
    });
    const dropField = h("label", { class: "ex-field" }, texts.least_drop, drop.node);
    const messageLine = h("span", { class: "ex-note", role: "status" });
    const refusal = h("p", { role: "status" });
    const toTraces = quietButton(
      texts.label_in_traces,
      texts.label_in_traces_title,
      () => tell.set("tab", "traces")
    );
    const offer = h("p", { role: "status" });
    const accept = quietButton("", null, () => {
      if (content.offer) tell.now({ kind: content.offer.kind });
    });
    const refused = h(
      "div",
      { class: "ex-refused" },
      refusal,
      offer,
      h("div", { class: "ex-actions" }, toTraces, accept)
    );
    const judged = h("p", { class: "ex-note" });
    const counts = confusionTable(texts);
    const measures = measureRows(texts);
    const notes = h("div", { class: "ex-notes" });
    const recommend = button(texts.recommend, texts.recommend_title, () => ({
      kind: content.recommending ? "cancel_recommend" : "recommend"
    }));
    const report = button(texts.report, texts.report_title, () => ({ kind: "report" }));
    const exports = [
      exporting(texts.json, texts.json_title, "json"),
      exporting(texts.python, texts.python_title, "python")
    ];
    const actions = h(
      "div",
      { class: "ex-actions" },
      recommend,
      h("span", { class: "ex-grow" }),
      h("span", { class: "ex-note" }, texts.export),
      exports,
      report
    );
    const advice = recommendation(texts, tell);
    const moreMessage = h("span", { class: "ex-note" });
    const again = button(texts.read_again, texts.read_again_title, () => ({ kind: "read_again" }));
    const stopReading = button(texts.cancel, texts.stop_reading_title, () => ({
      kind: "cancel_scoring"
    }));
    const more = h(
      "div",
      { class: "ex-actions ex-more-signals", role: "status" },
      moreMessage,
      again,
      stopReading
    );
    replace(
      el,
      panelHead(texts.methods, methods2),
      panelHead(texts.truth, truthPlace, dropField, messageLine),
      refused,
      judged,
      h("div", { class: "ex-thresholds-numbers" }, counts.node, measures.node),
      notes,
      actions,
      advice.node,
      more
    );
    listen2((message) => {
      if (message.kind === "download") download(message);
    });
    el.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.target === drop.node) return;
      if (content.recommended?.shown) tell.now({ kind: "go_back" });
    });
    function drawChoices() {
      refill(
        methods2,
        content.methods,
        () => content.methods.map(
          ([value, label, title]) => h(
            "button",
            {
              type: "button",
              class: "ex-segment",
              "data-method": value,
              title,
              onClick: () => tell.set("method", value)
            },
            label
          )
        )
      );
      for (const node of methods2.children) {
        node.setAttribute("aria-pressed", String(node.dataset.method === content.method));
      }
      if (!truth) {
        truth = segmented(texts.truth_label, content.truths, (value) => tell.set("truth", value));
        truthPlace.replaceWith(truth.node);
      }
      truth.show(content.truth);
      dropField.hidden = content.truth !== "ablation";
      drop.show();
      setText(messageLine, content.message);
      messageLine.title = content.message;
    }
    function drawRefusal() {
      refused.hidden = !content.refused && !content.offer;
      toTraces.hidden = !content.refused || !content.can_label;
      refusal.hidden = !content.refused;
      setText(refusal, content.refused);
      offer.hidden = accept.hidden = !content.offer;
      setText(offer, content.offer?.text ?? "");
      setText(accept, content.offer?.action ?? "");
    }
    function drawFigures() {
      const parts = [judged, counts.node, measures.node, actions];
      for (const node of parts) node.hidden = !content.there;
      for (const node of [judged, counts.node, measures.node]) {
        node.classList.toggle("ex-old", content.old);
      }
      setText(judged, content.judged);
      counts.show(content.columns, content.counts.map(count));
      measures.show(content.rows);
      refill(notes, content.notes, () => content.notes.map(badge));
    }
    function drawActions() {
      for (const node of exports) node.disabled = content.old;
      report.disabled = content.reporting || content.old;
      recommend.hidden = content.few;
      recommend.disabled = content.old && !content.recommending;
      setText(recommend, content.recommending ? texts.cancel : texts.recommend);
      recommend.title = content.recommending ? texts.cancel_recommend_title : texts.recommend_title;
      more.hidden = !content.more;
      setText(moreMessage, content.more?.message ?? "");
      again.hidden = Boolean(content.more?.busy);
      stopReading.hidden = !content.more?.busy;
    }
    return (next) => {
      content = next;
      drawChoices();
      drawRefusal();
      drawFigures();
      drawActions();
      advice.show(content.recommended);
    };
  }
);

// src/panels/thresholds/questions.ts
var questions = panel(
  "ex-thresholds ex-thresholds-questions",
  ({ el, texts, tell }) => {
    const summary = h("p", { class: "ex-note" });
    const list = h("div", { class: "ex-questions", role: "list", "aria-label": texts.list });
    replace(el, panelHead(texts.title), summary, list);
    const row = ({ trace, id, question, errors }) => h(
      "div",
      { role: "listitem" },
      h(
        "button",
        {
          type: "button",
          class: "ex-quiet",
          title: texts.open_title,
          onClick: () => tell.now({ kind: "open", trace })
        },
        h("bdi", {}, id)
      ),
      h("span", { class: "ex-question-text", dir: "auto", title: question }, question),
      h("span", { class: "ex-note" }, errors)
    );
    return (content) => {
      el.hidden = content.hidden;
      setText(summary, content.summary);
      refill(list, content.rows, () => content.rows.map(row));
    };
  }
);

// src/panels/traces/methods.ts
var methods = panel(
  "ex-methods",
  ({ el, texts, tell }) => {
    let content;
    const list = h("div", { class: "ex-segmented", role: "group", "aria-label": texts.label });
    const compare = h(
      "button",
      {
        type: "button",
        class: "ex-quiet ex-toggle",
        title: texts.compare_title,
        onClick: () => tell.set("compare", !content.compare)
      },
      texts.compare
    );
    const messageLine = h("span", { class: "ex-note", role: "status" });
    const title = h("span", { class: "ex-panel-title" }, texts.title);
    el.replaceChildren(h("div", { class: "ex-panel-head" }, title, list, compare), messageLine);
    const method = ([value, label, hint, there]) => h(
      "button",
      {
        type: "button",
        class: "ex-segment",
        "data-method": value,
        "data-there": String(there),
        title: hint,
        onClick: () => tell.set("method", value)
      },
      label
    );
    return (next) => {
      content = next;
      el.hidden = content.hidden;
      refill(list, content.methods, () => content.methods.map(method));
      for (const button of list.children) {
        button.setAttribute("aria-pressed", String(button.dataset.method === content.method));
      }
      compare.setAttribute("aria-pressed", String(content.compare));
      setText(messageLine, content.message);
    };
  }
);

// src/lib/folding.ts
var SHORT = 140;
function folds(texts) {
  const open = /* @__PURE__ */ new Set();
  const shows = /* @__PURE__ */ new WeakMap();
  const sizes = typeof ResizeObserver === "undefined" ? null : new ResizeObserver((entries) => {
    for (const { target } of entries) shows.get(target)?.();
  });
  return {
    reset: () => open.clear(),
    text(key, words, classes) {
      const paragraph = h("p", { class: `${classes} ex-foldable`, dir: "auto" }, words);
      if (words.length < SHORT && !words.includes("\n")) return [paragraph];
      const button = h("button", {
        type: "button",
        class: "ex-quiet ex-more",
        hidden: true,
        onClick: (event) => {
          event.stopPropagation();
          if (!open.delete(key)) open.add(key);
          show();
        },
        onKeydown: (event) => event.stopPropagation()
      });
      const show = () => {
        const unfolded = open.has(key);
        paragraph.classList.toggle("ex-folded", !unfolded);
        setText(button, unfolded ? texts.less : texts.more);
        button.setAttribute("aria-expanded", String(unfolded));
        if (!unfolded) button.hidden = paragraph.scrollHeight <= paragraph.clientHeight + 1;
        else button.hidden = false;
      };
      show();
      shows.set(paragraph, show);
      sizes?.observe(paragraph);
      return [paragraph, button];
    }
  };
}

// src/panels/traces/card_filter.ts
function cardFilter(texts, ask) {
  let shown;
  let count2 = 0;
  const choice = (which, title) => h("button", {
    type: "button",
    class: "ex-segment",
    title,
    onClick: () => ask({ words: shown.words, which, first: 0 })
  });
  const buttons = {
    all: choice("all", texts.all_title),
    unlabelled: choice("unlabelled", texts.unlabelled_title),
    doubtful: choice("doubtful", texts.doubtful_title)
  };
  const search = h("input", {
    type: "text",
    class: "ex-search",
    "aria-label": texts.search,
    placeholder: texts.search_placeholder,
    onInput: () => ask({ words: search.value, which: shown.which, first: 0 })
  });
  const node = h(
    "span",
    { class: "ex-filter-controls", role: "group", "aria-label": texts.filter },
    h("span", { class: "ex-segmented" }, buttons.all, buttons.unlabelled, buttons.doubtful),
    search
  );
  const turn = (by) => () => ask({ words: shown.words, which: shown.which, first: Math.max(0, shown.first + by * 200) });
  const earlier = quietButton(texts.earlier, null, turn(-1));
  const later = quietButton(texts.later, null, turn(1));
  const range = h("span", { class: "ex-note" });
  const pages = h("div", { class: "ex-pages" }, earlier, range, later);
  return {
    node,
    pages,
    show(filter, cards) {
      shown = filter;
      count2 = cards;
      const [all, unlabelled, doubtful] = filter.counts;
      setText(buttons.all, `${texts.all} ${all}`);
      setText(buttons.unlabelled, fill(texts.unlabelled, { count: unlabelled }));
      setText(buttons.doubtful, fill(texts.doubtful, { count: doubtful }));
      for (const [which, button] of Object.entries(buttons)) {
        button.setAttribute("aria-pressed", String(which === filter.which));
      }
      if (document.activeElement !== search) search.value = filter.words;
      pages.hidden = count2 >= filter.matching;
      earlier.hidden = filter.first === 0;
      later.hidden = filter.first + count2 >= filter.matching;
      const last = filter.first + count2;
      setText(range, fill(texts.range, { first: filter.first + 1, last, count: filter.matching }));
    }
  };
}

// src/panels/traces/hyperedges.ts
function hyperedgeCard(entry, actions) {
  const { id, mark, verdict, entities, diagnostics } = entry;
  return h(
    "div",
    {
      class: "ex-card",
      "data-verdict": verdict,
      "data-labelled": String(entry.label !== null),
      ...pinnable(entry, actions)
    },
    h(
      "div",
      { class: "ex-card-head" },
      h("bdi", { class: "ex-card-id" }, id),
      labelButtons(entry, actions),
      h("span", { class: "ex-grow" }),
      h(
        "span",
        { class: "ex-call" },
        h("span", { class: "ex-number-text" }, threeDigits(entry.score)),
        h("span", { class: "ex-verdict", "data-verdict": verdict }, `${mark} ${verdict}`)
      )
    ),
    actions.folds.text(id, entry.text, "ex-card-text"),
    entities.length || diagnostics.length ? h(
      "div",
      { class: "ex-chips" },
      entities.map((name) => h("bdi", { class: "ex-chip" }, name)),
      h("span", { class: "ex-grow" }),
      diagnostics.map(badge)
    ) : null
  );
}
function hyperedgeText(entry, actions) {
  const { id, label, verdict, mark } = entry;
  const { texts } = actions;
  const labelled = label === null ? "" : label ? " ✓" : " ✗";
  const fact = h(
    "span",
    {
      class: "ex-fact",
      dir: "auto",
      "data-verdict": verdict,
      ...pinnable(entry, actions),
      title: fill(texts.fact_title, { id, score: threeDigits(entry.score), verdict })
    },
    h("span", { class: "ex-fact-mark", "aria-hidden": "true" }, mark),
    entry.text || texts.no_text,
    h("sub", {}, h("bdi", {}, id), labelled)
  );
  return [fact, " "];
}
function pinnable({ id, colour }, { pinned, pin }) {
  const isPinned = pinned === id;
  const toggle = () => pin(isPinned ? null : id);
  return {
    tabindex: "0",
    role: "button",
    "aria-pressed": String(isPinned),
    "data-unit": id,
    style: `--ex-feedback:${colour}`,
    onClick: toggle,
    onKeydown: (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      toggle();
    }
  };
}
function labelButtons(entry, { texts, label }) {
  const { id } = entry;
  const button = (value, sign, words) => {
    const isLabel = entry.label === value;
    return h(
      "button",
      {
        type: "button",
        class: "ex-label",
        "data-label": String(value),
        "aria-pressed": String(isLabel),
        title: fill(isLabel ? texts.labelled_title : texts.label_as, { id, label: words }),
        "aria-label": fill(texts.label_as, { id, label: words }),
        onClick: (event) => {
          event.stopPropagation();
          label(id, isLabel ? null : value);
        },
        onKeydown: (event) => event.stopPropagation()
      },
      isLabel ? `${sign} ${fill(texts.labelled, { label: words })}` : sign
    );
  };
  return h(
    "span",
    { class: "ex-labels", role: "group", "aria-label": fill(texts.label, { id }) },
    button(true, "✓", texts.used),
    button(false, "✗", texts.not_used)
  );
}

// src/panels/traces/trace_cards.ts
var traceCards = panel(
  "ex-cards-region",
  ({ el, texts, tell }) => {
    let content;
    const folded = folds(texts);
    const step = (by, sign, title) => h(
      "button",
      { type: "button", class: "ex-step", title, "aria-label": title, onClick: () => go(by) },
      sign
    );
    const place = h("input", {
      type: "text",
      inputmode: "numeric",
      class: "ex-place",
      title: texts.number,
      "aria-label": texts.number,
      onChange: () => {
        const wanted2 = place.value.trim();
        const index = Number(wanted2) - 1;
        const known = Number.isInteger(index) && index >= 0 && index < content.count;
        if (known) tell.set("trace", index);
        else if (wanted2 && !/^[\d.,-]+$/.test(wanted2)) tell.set("trace", wanted2);
        place.value = String(content.index + 1);
      }
    });
    const of = h("span", { class: "ex-of" });
    const view = segmented(
      texts.view,
      [
        ["cards", texts.cards, texts.cards_title],
        ["text", texts.text, texts.text_title]
      ],
      (value) => tell.set("reading_view", value)
    );
    const id = h("bdi", { class: "ex-note ex-trace-id" });
    const chosen = cardFilter(texts, (wanted2) => tell.now({ kind: "filter", ...wanted2 }));
    const nextUnlabelled = quietButton(
      texts.next_unlabelled,
      texts.next_unlabelled_title,
      () => tell.now({ kind: "next_unlabelled" })
    );
    const body = h("div", {
      class: "ex-trace",
      tabindex: "0",
      role: "group",
      "aria-label": texts.trace_label
    });
    el.replaceChildren(
      h(
        "div",
        { class: "ex-panel-head" },
        h(
          "span",
          { class: "ex-stepper ex-trace-stepper" },
          step(-1, "‹", texts.previous),
          `${texts.trace} `,
          place,
          of,
          step(1, "›", texts.next)
        ),
        id,
        h("span", { class: "ex-grow" }),
        view.node
      ),
      body
    );
    let wanted = null;
    function go(by) {
      if (!content.count) return;
      wanted = Math.min(content.count - 1, Math.max(0, (wanted ?? content.index) + by));
      place.value = String(wanted + 1);
      tell.set("trace", wanted);
    }
    el.addEventListener("keydown", (event) => {
      const by = { PageUp: -1, PageDown: 1 }[event.key];
      if (by) {
        event.preventDefault();
        go(by);
      }
      if (event.key === "Escape") tell.now({ kind: "unpin" });
      const typing = event.target.tagName === "INPUT";
      if (!typing && !event.ctrlKey && !event.metaKey && !event.altKey) cardKeys(event);
    });
    function cardKeys(event) {
      if (event.key === "u") {
        event.preventDefault();
        const open = [...body.querySelectorAll(".ex-card[data-labelled='false']")];
        const cards2 = [...body.querySelectorAll(".ex-card")];
        const at = cards2.findIndex((card2) => card2.contains(document.activeElement));
        const further = open.find((card2) => cards2.indexOf(card2) > at) ?? (at < 0 ? open[0] : null);
        if (further) further.focus();
        else tell.now({ kind: "next_unlabelled" });
        return;
      }
      const card = event.target.closest(".ex-card");
      const value = { y: true, n: false, "0": null }[event.key];
      const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!card || value === void 0 && by === void 0) return;
      event.preventDefault();
      if (value !== void 0) {
        tell.now({ kind: "label", unit: card.dataset.unit ?? "", value });
      }
      const cards = [...body.querySelectorAll(".ex-card")];
      const next = cards[cards.indexOf(card) + (by ?? (value === null ? 0 : 1))];
      next?.focus();
      next?.scrollIntoView({ block: "nearest" });
    }
    let fileShown = null;
    let idShown = null;
    function draw(next) {
      content = next;
      const opened = "file" in content ? content : null;
      if (content.index === wanted || opened?.file !== fileShown) wanted = null;
      fileShown = opened?.file ?? null;
      if (document.activeElement !== place) place.value = opened ? String(content.index + 1) : "";
      setText(of, opened ? fill(texts.of, { count: content.count }) : "");
      if (!opened) {
        setText(id, "");
        replace(body, h("p", { class: "ex-empty" }, texts.empty));
        return;
      }
      setText(id, opened.id);
      chosen.show(opened.filter, opened.cards.length);
      nextUnlabelled.hidden = !opened.more_unlabelled;
      view.show(opened.view);
      if (opened.id !== idShown) folded.reset();
      keepingPlace(opened.id === idShown, () => drawTrace(opened));
      idShown = opened.id;
    }
    function drawTrace(trace) {
      const actions = {
        texts,
        pinned: trace.pinned,
        folds: folded,
        pin: (unit) => tell.now({ kind: "pin", unit }),
        label: (unit, value) => tell.now({ kind: "label", unit, value })
      };
      replace(
        body,
        questionAndAnswer(trace),
        offerBox(trace.offer),
        trace.notes.map((note) => h("p", { class: "ex-note" }, note)),
        trace.shared.length ? h("p", { class: "ex-note" }, `${texts.shared} `, trace.shared.map(badge)) : null,
        h("div", { class: "ex-card-filter" }, chosen.node, nextUnlabelled),
        trace.cards.length ? null : h("p", { class: "ex-note" }, texts.none),
        trace.view === "text" ? h(
          "div",
          { class: "ex-facts" },
          trace.cards.map((one) => hyperedgeText(one, actions))
        ) : h(
          "div",
          { class: "ex-card-list" },
          trace.cards.map((one) => hyperedgeCard(one, actions))
        ),
        chosen.pages,
        h("p", { class: "ex-note ex-keys" }, texts.keys)
      );
    }
    function keepingPlace(scroll, drawAnew) {
      const held = document.activeElement;
      const inside = held !== null && el.contains(held);
      const unit = inside ? held.closest("[data-unit]")?.dataset.unit : void 0;
      const label = unit === void 0 ? void 0 : held?.dataset.label;
      const scrolled = body.querySelector(".ex-card-list")?.scrollTop ?? 0;
      const typing = held !== null && chosen.node.contains(held) ? held : null;
      drawAnew();
      typing?.focus({ preventScroll: true });
      const list = body.querySelector(".ex-card-list");
      if (list && scroll) list.scrollTop = scrolled;
      if (unit === void 0) return;
      const card = body.querySelector(`[data-unit="${CSS.escape(unit)}"]`);
      const button = card?.querySelector(`[data-label="${label}"]`);
      (label === void 0 ? card : button)?.focus({ preventScroll: true });
    }
    function questionAndAnswer(trace) {
      const row = (label, text, classes) => [
        h("span", { class: "ex-qa-label" }, label),
        h("div", {}, folded.text(`:${label}`, text, classes))
      ];
      const { query, answer: answer2, streaming, source } = trace;
      return h(
        "div",
        { class: "ex-qa" },
        row(texts.question, query || texts.no_question, "ex-question"),
        row(
          texts.answer,
          answer2 || (streaming ? "…" : texts.no_answer),
          streaming ? "ex-answer ex-streaming" : "ex-answer"
        ),
        source ? row(texts.evidence, source, "ex-source") : null
      );
    }
    function offerBox(offer) {
      if (!offer) return null;
      const action = ([kind, label, title]) => h(
        "button",
        { type: "button", class: "ex-primary", title, onClick: () => tell.now({ kind }) },
        label
      );
      return h("div", { class: "ex-offer" }, h("span", {}, offer.text), offer.actions.map(action));
    }
    return draw;
  }
);

// src/panels/traces/drop_target.ts
var TAB = ".ex-traces-panel";
function dropTarget(el, upload) {
  const region = () => el.closest(TAB) ?? el;
  const mine = (event) => region().contains(event.target);
  const take = (event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  const over = (event) => {
    if (!mine(event) || !event.dataTransfer?.types.includes("Files")) return;
    take(event);
    region().classList.add("ex-dropping");
  };
  const leave = (event) => {
    if (!region().contains(event.relatedTarget)) {
      region().classList.remove("ex-dropping");
    }
  };
  const drop = (event) => {
    region().classList.remove("ex-dropping");
    if (!mine(event)) return;
    const dropped = event.dataTransfer?.files[0];
    if (!dropped) return;
    take(event);
    upload(dropped);
  };
  document.addEventListener("dragover", over, true);
  document.addEventListener("dragleave", leave, true);
  document.addEventListener("drop", drop, true);
  return () => {
    document.removeEventListener("dragover", over, true);
    document.removeEventListener("dragleave", leave, true);
    document.removeEventListener("drop", drop, true);
  };
}

// src/panels/traces/uploads.ts
var PIECE = 512 * 1024;
var LARGEST = 200 * 1024 * 1024;
function uploads(tell, listen2, progress) {
  let resume = null;
  listen2((message) => {
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
      const received = new Promise((resolve) => {
        resume = resolve;
      });
      tell.now({ kind: "upload", id, name, size, offset }, [piece]);
      offset += piece.byteLength;
      progress(name, Math.round(100 * offset / Math.max(1, size)));
      await received;
    } while (offset < size);
    progress("", 100);
  };
}
async function readable(piece) {
  try {
    return await piece.arrayBuffer();
  } catch {
    return null;
  }
}

// src/panels/traces/trace_file.ts
var ACCEPTED = ".jsonl,.json,.ndjson,.csv,.tsv,.parquet,.gz,application/json";
var traceFile = panel(
  "ex-file-strip",
  ({ el, texts, tell, listen: listen2, atEnd }) => {
    let content;
    const progress = h("span", { class: "ex-note", role: "status" });
    const upload = uploads(tell, listen2, (name2, percent) => {
      setText(progress, name2 ? fill(texts.uploading, { name: name2, percent }) : openingText());
    });
    const openingText = () => content.opening ? fill(texts.opening, { name: content.opening }) : "";
    const take = (file2) => {
      path.value = "";
      void upload(file2);
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
      }
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
      }
    });
    const formatMenu = (label, title) => {
      const select = h("select", {
        "aria-label": title,
        title,
        onChange: () => {
          if (select.value) tell.now({ kind: "load_as", format: select.value });
        }
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
      }
    });
    const saving = h(
      "span",
      { class: "ex-labels-saving", hidden: true },
      quietButton(
        texts.save_labels,
        texts.save_labels_title,
        () => tell.now({ kind: "save_labels" })
      ),
      write
    );
    listen2((message) => {
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
      quietButton(texts.dismiss, null, () => tell.now({ kind: "dismiss" }))
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
          })
        )
      ),
      failure,
      h("div", { class: "ex-labels-line" }, kept, saving),
      problems
    );
    atEnd(dropTarget(el, take));
    function showFailure(found) {
      failure.hidden = found === null;
      path.setAttribute("aria-invalid", String(found !== null && path.value !== ""));
      if (!found) return;
      refill(what, [found.title, found.message, found.still], () => [
        h("strong", { dir: "auto" }, found.title),
        ` ${found.message} `,
        h("em", {}, found.still)
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
      refill(
        counts,
        [content.counts, content.labels],
        () => [...content.counts, ...content.labels ? [content.labels] : []].map(
          (one) => h("span", {}, one)
        )
      );
      setText(kept, content.kept);
      kept.classList.toggle("ex-unsaved", content.unsaved);
      if (saving.hidden !== !content.unsaved) write.value = "";
      saving.hidden = !content.unsaved;
      if (before?.opening && !content.opening && !content.failure) path.value = "";
      setText(progress, openingText());
      refill(problems, content.problems, () => problemList(content.problems, texts));
      showFailure(content.failure);
    };
  }
);
function problemList({ title, lines, more }, texts) {
  if (!lines.length) return [];
  const item = ([line, message]) => h("li", {}, line ? fill(texts.problem_line, { line, message }) : message);
  return [
    h(
      "details",
      { class: "ex-problems" },
      h("summary", {}, title),
      h("ul", {}, lines.map(item)),
      more
    )
  ];
}

// src/panels/traces/trace_settings.ts
var traceSettings = panel(
  "ex-trace-settings",
  ({ el, texts, tell }) => (content) => {
    el.hidden = content.hidden;
    el.setAttribute("role", "group");
    el.setAttribute("aria-label", texts.label);
    refill(el, content, () => [
      h("span", {}, h("strong", {}, content.title), `: ${content.text}`),
      content.actions.map(
        ([kind, label, title]) => quietButton(label, title, () => tell.now({ kind }))
      )
    ]);
  }
);

// src/panels/traces/weights.ts
var weights = panel(
  "ex-weights",
  ({ el, texts, tell }) => {
    const view = segmented(
      texts.view,
      [
        ["entities", texts.entities, texts.entities_title],
        ["weights", texts.weights, texts.weights_title]
      ],
      (value) => tell.set("weight_view", value)
    );
    const strategy = h("select", {
      "aria-label": texts.strategy,
      title: texts.strategy_title,
      onChange: () => tell.set("update_strategy", strategy.value)
    });
    const field = h("label", { class: "ex-field" }, texts.update, strategy);
    const messageLine = h("span", { class: "ex-note", role: "status" });
    const cancel = quietButton(texts.cancel, null, () => tell.now({ kind: "cancel" }));
    const rise = h("p", { class: "ex-note ex-rise" });
    el.replaceChildren(
      h("div", { class: "ex-panel-head" }, view.node, field, cancel),
      rise,
      messageLine
    );
    return (content) => {
      el.hidden = content.hidden;
      view.show(content.view);
      field.hidden = content.view !== "weights";
      fillSelect(strategy, content.strategies, content.strategy);
      cancel.hidden = !content.busy;
      rise.hidden = content.rise === null;
      refill(rise, content.rise, () => {
        if (content.rise === null) return [];
        const [text, label, title] = content.rise;
        return [`${text} `, quietButton(label, title, () => tell.now({ kind: "rise" }))];
      });
      setText(messageLine, content.message);
    };
  }
);

// src/panels/index.ts
var PANELS = {
  agreement,
  answer,
  baselines,
  call_changes: callChanges,
  code_text: codeText,
  figures,
  head_quality: headQuality,
  head_selector: headSelector,
  header,
  methods,
  questions,
  status,
  toolbar,
  trace_cards: traceCards,
  trace_file: traceFile,
  trace_settings: traceSettings,
  weight_moves: weightMoves,
  weights
};

// src/plot/arrays.ts
var TYPED = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  float32: Float32Array,
  float64: Float64Array
};
function decodeArray({ dtype, shape, buffer }) {
  const Type = TYPED[dtype];
  const { byteOffset, byteLength } = buffer;
  const aligned = byteOffset % Type.BYTES_PER_ELEMENT === 0;
  const whole = buffer.buffer;
  const bytes = aligned ? whole : whole.slice(byteOffset, byteOffset + byteLength);
  const flat = new Type(bytes, aligned ? byteOffset : 0, byteLength / Type.BYTES_PER_ELEMENT);
  const nest = (from, dims) => {
    const size = dims.reduce((product, d) => product * d, 1);
    if (dims.length <= 1) return flat.subarray(from, from + size);
    const inner = size / dims[0];
    return Array.from({ length: dims[0] }, (_, i) => nest(from + i * inner, dims.slice(1)));
  };
  return nest(0, shape);
}
function isEncoded(value) {
  return "buffer" in value && "dtype" in value && typeof value.dtype === "string";
}
function decode(value) {
  if (Array.isArray(value)) return value.map(decode);
  if (!value || typeof value !== "object" || ArrayBuffer.isView(value)) return value;
  if (isEncoded(value)) return decodeArray(value);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decode(item)]));
}
function asArray(value) {
  const listed = typeof value === "object" && value !== null && "length" in value;
  return listed ? value : null;
}
function putAt(trace, path, value) {
  const steps = path.split(".");
  const last = steps.pop();
  let place = trace;
  for (const step of steps) {
    const inner = { ...place[step] };
    place[step] = inner;
    place = inner;
  }
  place[last] = value;
}
function sameItems(a, b) {
  if (a === b) return true;
  if (!a || !b || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

// src/plot/pixels.ts
var MISSING = 255;
function coverage(valueAt, pixels2, start, step, count2) {
  const first = new Int32Array(pixels2);
  const last = new Int32Array(pixels2);
  const cellAt = (pixel) => (valueAt(pixel) - start) / step + 0.5;
  let left = cellAt(0);
  for (let i = 0; i < pixels2; i++) {
    const right = cellAt(i + 1);
    const low = Math.min(left, right);
    const high = Math.max(left, right);
    let from = Math.floor((low + high) / 2);
    let to = from;
    if (high - low >= 1) {
      from = Math.floor(low + 1e-6);
      to = Math.max(from, Math.ceil(high - 1e-6) - 1);
    }
    const outside = !(to >= 0 && from < count2);
    first[i] = outside ? 1 : Math.max(0, from);
    last[i] = outside ? 0 : Math.min(count2 - 1, to);
    left = right;
  }
  return [first, last];
}
function largest(codes, columns, r0, r1, c0, c1) {
  let best = -1;
  for (let r = r0; r <= r1; r++) {
    const row = r * columns;
    for (let i = row + c0; i <= row + c1; i++) {
      const code = codes[i];
      if (code > best && code !== MISSING) best = code;
    }
  }
  return best < 0 ? MISSING : best;
}
function paintCells(pixels2, codes, columns, colours, [c0, c1], [r0, r1]) {
  const width = c0.length;
  const height = r0.length;
  for (let j = 0, at = 0; j < height; j++, at += width) {
    const top = r0[j];
    const bottom = r1[j];
    if (top > bottom) {
      pixels2.fill(0, at, at + width);
    } else if (j > 0 && top === r0[j - 1] && bottom === r1[j - 1]) {
      pixels2.copyWithin(at, at - width, at);
    } else {
      const row = top * columns;
      const single = top === bottom;
      for (let i = 0; i < width; i++) {
        const from = c0[i];
        const to = c1[i];
        if (from > to) pixels2[at + i] = 0;
        else if (single && from === to) pixels2[at + i] = colours[codes[row + from]];
        else pixels2[at + i] = colours[largest(codes, columns, top, bottom, from, to)];
      }
    }
  }
}

// src/plot/plotly_internals.ts
var Axis = class {
  constructor(full) {
    this.full = full;
  }
  full;
  /** Pixels from the edge of the plot to where the axis begins. */
  get offset() {
    return this.full._offset;
  }
  /** Pixels along the axis. */
  get length() {
    return this.full._length;
  }
  get type() {
    return this.full.type;
  }
  get autorange() {
    return Boolean(this.full.autorange);
  }
  /** Whether it cannot be zoomed. */
  get fixed() {
    return Boolean(this.full.fixedrange);
  }
  /** Whether larger values lie towards the start. */
  get reversed() {
    const [first, last] = this.ends;
    return first > last;
  }
  /** First and last visible value as plotly calculates with them: exponents on a log axis. */
  get ends() {
    const [first, last] = this.full.range.map((end) => this.full.r2c?.(end) ?? Number(end));
    return [first, last];
  }
  /** The title that the figure gave, without plotly's own "Click to enter…". */
  get title() {
    const text = this.full.title?.text;
    if (!text || text === this.full._dfltTitle?.x || /^Click to enter/.test(text)) return null;
    return text;
  }
  /** The value under a pixel of the axis. */
  valueAt(pixel) {
    return this.full.p2d(pixel);
  }
  /** The pixel of a value. */
  pixelOf(value) {
    return this.full.d2p(value);
  }
  /** The pixel of a number that plotly has calculated. */
  pixelOfCalculated(value) {
    return this.full.c2p(value, true);
  }
  /** A value as plotly calculates with it. */
  calculated(value) {
    return Number(this.full.d2c?.(value) ?? value);
  }
};
function isDrawn(gd) {
  return fullLayout(gd) !== void 0;
}
function firstAxis(gd, letter) {
  return namedAxis(gd, `${letter}axis`);
}
function namedAxis(gd, name) {
  const full = fullLayout(gd)?.[name];
  return full ? new Axis(full) : null;
}
function axesOf(gd, trace) {
  const { xaxis = "x", yaxis = "y" } = fullTrace(gd, trace) ?? {};
  const name = (ref) => `${ref.charAt(0)}axis${ref.slice(1)}`;
  const x = namedAxis(gd, name(xaxis));
  const y = namedAxis(gd, name(yaxis));
  return x && y ? [x, y] : null;
}
function traceCount(gd) {
  return gd._fullData?.length ?? 0;
}
function drawnSize(gd) {
  const layout = fullLayout(gd);
  return layout ? { width: layout.width, height: layout.height } : null;
}
function colourScale(gd, trace) {
  const full = fullTrace(gd, trace) ?? {};
  const source = full.coloraxis ? fullLayout(gd)?.[full.coloraxis] : full;
  return { stops: source.colorscale, reversed: Boolean(source.reversescale) };
}
function drawnTrace(gd, trace) {
  const full = fullTrace(gd, trace);
  return full && full.index === trace && full.visible === true ? full : null;
}
function hasStackedBars(gd) {
  const bars = (gd._fullData ?? []).filter((trace) => trace.type === "bar");
  return bars.length > 1 && ["stack", "relative"].includes(fullLayout(gd)?.barmode);
}
function store(gd, trace, name, value) {
  gd.data[trace][name] = value;
  const full = fullTrace(gd, trace);
  if (full) full[name] = value;
}
function storeMarker(gd, trace, name, value) {
  gd.data[trace].marker = { ...gd.data[trace].marker, [name]: value };
  const full = fullTrace(gd, trace);
  if (full) full.marker[name] = value;
}
function recordsOf(gd, trace) {
  return gd.calcdata?.[trace] ?? [];
}
var BARS = [".trace.bars", ".point"];
var MARKERS = [".trace.scatter", "path.point"];
var TEXTS = [".trace.scatter", ".textpoint"];
function pointsOf(gd, trace, [groups, point]) {
  const group = [...gd.querySelectorAll(groups)].find(
    (candidate) => boundTo(candidate)?.[0]?.trace?.index === trace
  );
  return group ? [...group.querySelectorAll(point)] : [];
}
function recordOf(element) {
  return boundTo(element);
}
function shapeOf(group) {
  return group.firstElementChild;
}
function bind(element, record) {
  element.__data__ = record;
}
function drawnText(element) {
  return element.dataset.unformatted;
}
function noteText(element, text) {
  element.dataset.unformatted = text;
}
function drawing(gd) {
  return gd.querySelector(".svg-container");
}
function boundTo(element) {
  return element.__data__;
}
function fullLayout(gd) {
  return gd._fullLayout;
}
function fullTrace(gd, trace) {
  return gd._fullData?.[trace];
}

// src/plot/cells.ts
var LEVELS = 254;
var Cells = class {
  constructor(gd, trace, message, opacity = 1) {
    this.gd = gd;
    this.trace = trace;
    this.canvas = h("canvas", { class: "explorer-cells" });
    this.canvas.style.opacity = String(opacity);
    this.context = this.canvas.getContext("2d");
    this.set(message);
  }
  gd;
  trace;
  canvas;
  message;
  codes;
  context;
  colours = new Uint32Array(256);
  image = null;
  /** Take other numbers; `draw` shows them. */
  set(message) {
    this.message = message;
    const { buffer, byteOffset, byteLength } = message.codes;
    this.codes = new Uint8Array(buffer, byteOffset, byteLength);
  }
  get axes() {
    const axes = axesOf(this.gd, this.trace);
    if (!axes) throw new Error("a heatmap has no axes before plotly has drawn them");
    return axes;
  }
  /** Take the colours of the figure; called after plotly has worked out its defaults. */
  recolour() {
    const { stops, reversed } = colourScale(this.gd, this.trace);
    this.colours = lookUpTable(stops, reversed);
  }
  draw() {
    const [x, y] = this.axes;
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const width = Math.round(x.length * ratio);
    const height = Math.round(y.length * ratio);
    if (!(width > 0 && height > 0)) return;
    const { canvas, context, message } = this;
    if (canvas.width !== width || canvas.height !== height || !this.image) {
      canvas.width = width;
      canvas.height = height;
      this.image = context.createImageData(width, height);
    }
    Object.assign(canvas.style, {
      left: `${x.offset}px`,
      top: `${y.offset}px`,
      width: `${x.length}px`,
      height: `${y.length}px`
    });
    const container = drawing(this.gd);
    if (canvas.parentNode !== container) container?.prepend(canvas);
    const { columns, rows, x0, dx, y0, dy } = message;
    paintCells(
      new Uint32Array(this.image.data.buffer),
      this.codes,
      columns,
      this.colours,
      coverage((pixel) => x.valueAt(pixel / ratio), width, x0, dx, columns),
      coverage((pixel) => y.valueAt(pixel / ratio), height, y0, dy, rows)
    );
    context.putImageData(this.image, 0, 0);
  }
  /** Return the cell under a point of the axes, in pixels, or null. */
  at(px, py) {
    const [x, y] = this.axes;
    if (px < 0 || py < 0 || px > x.length || py > y.length) return null;
    const { x0, dx, y0, dy, rows, columns } = this.message;
    const column = Math.floor((x.valueAt(px) - x0) / dx + 0.5);
    const row = Math.floor((y.valueAt(py) - y0) / dy + 0.5);
    const inside = row >= 0 && column >= 0 && row < rows && column < columns;
    return inside ? { row, column } : null;
  }
  /** Return the positions (tokens) that a cell stands for: several where the map is pooled. */
  positions(row, column) {
    const { x0, dx, y0, dy } = this.message;
    return { rows: positionsOf(row, y0, dy), columns: positionsOf(column, x0, dx) };
  }
  /** Return the value that a cell's colour stands for; NaN where it has none. */
  approximate(row, column) {
    const { columns, zmin, zmax } = this.message;
    const code = this.codes[row * columns + column];
    return code === MISSING ? Number.NaN : zmin + code / LEVELS * (zmax - zmin);
  }
};
function positionsOf(cell, start, step) {
  const centre = start + cell * step;
  const half = Math.abs(step) / 2;
  const from = Math.ceil(centre - half) + 0;
  return [from, Math.max(from, Math.ceil(centre + half) - 1)];
}
function lookUpTable(stops, reversed) {
  const canvas = h("canvas");
  canvas.width = LEVELS + 1;
  canvas.height = 1;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const gradient = context.createLinearGradient(0.5, 0, LEVELS + 0.5, 0);
  for (const [stop, colour] of stops) gradient.addColorStop(reversed ? 1 - stop : stop, colour);
  context.fillStyle = gradient;
  context.fillRect(0, 0, LEVELS + 1, 1);
  const table = new Uint32Array(256);
  table.set(new Uint32Array(context.getImageData(0, 0, LEVELS + 1, 1).data.buffer));
  table[MISSING] = 0;
  return table;
}
function standIn(trace, cells, extent) {
  const { x0, x1, y0, y1 } = extent;
  const { zmin, zmax } = cells;
  return {
    ...trace,
    x0: x0 + (x1 - x0) / 4,
    dx: (x1 - x0) / 2,
    y0: y0 + (y1 - y0) / 4,
    dy: (y1 - y0) / 2,
    z: [
      [zmin, zmin],
      [zmin, zmin]
    ],
    zmin,
    zmax,
    zauto: false,
    opacity: 0,
    hoverinfo: "skip",
    hovertemplate: void 0
  };
}
function extentOf(cells, labels) {
  const span = (start, step, count2, names) => names?.length ? [-0.5, names.length - 0.5] : [start - step / 2, start + (count2 - 0.5) * step];
  const [x0, x1] = span(cells.x0, cells.dx, cells.columns, labels?.x);
  const [y0, y1] = span(cells.y0, cells.dy, cells.rows, labels?.y);
  return { x0, x1, y0, y1 };
}

// src/plot/figure_theme.ts
var SHADES = {
  light: { ink: "#24292f", axis: "#8c959f", grid: "rgba(110,118,129,0.22)" },
  dark: { ink: "#e2e4e9", axis: "#767d86", grid: "rgba(160,168,179,0.20)" }
};
function paintTheme(layout, data, theme) {
  const shade = SHADES[theme];
  layout.paper_bgcolor = layout.plot_bgcolor = "rgba(0,0,0,0)";
  layout.font = { ...layout.font, color: shade.ink };
  layout.hoverlabel = {
    bgcolor: "rgba(32,32,36,0.95)",
    bordercolor: "rgba(255,255,255,0.16)",
    ...layout.hoverlabel,
    font: { color: "#f4f4f4", size: 12, ...layout.hoverlabel?.font }
  };
  const inked = (part) => {
    if (part?.tickfont) part.tickfont.color = shade.ink;
    if (part?.title?.font) part.title.font.color = shade.ink;
  };
  const named2 = Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key));
  for (const name of /* @__PURE__ */ new Set(["xaxis", "yaxis", ...named2])) {
    layout[name] ??= {};
    const axis = layout[name];
    Object.assign(axis, {
      color: shade.axis,
      gridcolor: shade.grid,
      linecolor: shade.axis,
      tickcolor: shade.axis,
      zerolinecolor: shade.grid
    });
    axis.tickfont = { ...axis.tickfont, color: shade.ink };
    const title = typeof axis.title === "string" ? { text: axis.title } : axis.title;
    axis.title = { ...title, font: { ...title?.font, color: shade.ink } };
  }
  if (layout.title && typeof layout.title === "object") inked({ title: layout.title });
  if (layout.legend?.font) layout.legend.font.color = shade.ink;
  for (const [name, value] of Object.entries(layout)) {
    if (/^coloraxis\d*$/.test(name)) inked(value.colorbar);
  }
  for (const trace of data) inked(trace.colorbar ?? trace.marker?.colorbar);
}

// src/plot/flat_points.ts
var FlatPoints = class {
  constructor(gd) {
    this.gd = gd;
  }
  gd;
  folded = /* @__PURE__ */ new WeakMap();
  /**
   * Move each text by its own place instead of a transform, and take away points without a size.
   *
   * Called when plotly has drawn. Nothing is done where axes can be zoomed: plotly scales the groups
   * of texts during that gesture.
   */
  flatten() {
    for (let i = 0; i < traceCount(this.gd); i++) {
      if (!axesOf(this.gd, i)?.every((axis) => axis.fixed)) continue;
      for (const group of pointsOf(this.gd, i, TEXTS)) this.fold(group);
      for (const point of pointsOf(this.gd, i, MARKERS)) showPoint(point);
    }
  }
  fold(group) {
    const shift = shiftOf(group);
    const text = shapeOf(group);
    if (!shift || !text || text.querySelector("tspan[x]")) return;
    const known = this.folded.get(text);
    const now = placeOf(text);
    const kept = known && known.at[0] === now[0] && known.at[1] === now[1];
    const [x, y] = kept ? [now[0] - known.shift[0], now[1] - known.shift[1]] : now;
    text.setAttribute("x", String(x + shift[0]));
    text.setAttribute("y", String(y + shift[1]));
    group.removeAttribute("transform");
    this.folded.set(text, { at: placeOf(text), shift });
  }
};
function showPoint(point) {
  const display = recordOf(point).mrc === 0 ? "none" : "";
  if (point.style.display !== display) point.style.display = display;
}
function placeOf(text) {
  return [Number(text.getAttribute("x")), Number(text.getAttribute("y"))];
}
function shiftOf(element) {
  const found = /^translate\(([-\d.e]+)[, ]([-\d.e]+)\)$/.exec(
    element.getAttribute("transform") ?? ""
  );
  return found && [Number(found[1]), Number(found[2])];
}

// src/plot/patch.ts
var SILENT = /* @__PURE__ */ new Set(["customdata", "hovertext", "hovertemplate", "meta", "name"]);
var Patch = class {
  constructor(gd) {
    this.gd = gd;
  }
  gd;
  /** Plotly texts with tags or formulas, and the SVG that plotly made of them. */
  made = /* @__PURE__ */ new Map();
  /** Return the steps that carry out all changes, or null where plotly has to draw. */
  plan(changes) {
    const steps = [];
    for (const change of changes) {
      const step = this.step(change);
      if (!step) return null;
      steps.push(step);
    }
    return steps;
  }
  step({ trace, path, value: encoded }) {
    const full = drawnTrace(this.gd, trace);
    if (!full) return null;
    const value = decode(encoded);
    const keep = () => store(this.gd, trace, path, value);
    if (SILENT.has(path)) return keep;
    if (full.type === "bar") {
      const length = full.orientation === "h" ? "x" : "y";
      if (path === length) return this.lengths(trace, full, asArray(value), keep);
      if (path === "marker.color") return this.colours(trace, value);
    }
    if (full.type === "scatter") {
      if ((path === "x" || path === "y") && full.mode === "markers") {
        return this.places(trace, path, asArray(value), keep);
      }
      if (path === "text" && /text/.test(full.mode)) return this.texts(trace, asArray(value), keep);
      if (path === "marker.size" && full.mode !== "lines") {
        return this.sizes(trace, full, asArray(value));
      }
    }
    return null;
  }
  lengths(i, full, values, keep) {
    const axes = axesOf(this.gd, i);
    if (!axes || !values) return null;
    const level = full.orientation === "h";
    const [along, across] = level ? axes : [axes[1], axes[0]];
    const points = pointsOf(this.gd, i, BARS);
    if (along.autorange || full.text || hasStackedBars(this.gd)) return null;
    if (values.length !== recordsOf(this.gd, i).length || points.length !== values.length) {
      return null;
    }
    return () => {
      keep();
      points.forEach((element, n) => {
        const record = recordOf(element);
        const base = record.b ?? 0;
        const end = base + Number(values[record.i ?? n]);
        Object.assign(record, { s: end - base, s0: base, s1: end });
        const path = barPath(
          level,
          pixels(along, record.s0, record.s1),
          pixels(across, record.p0, record.p1),
          full.marker.cornerradius
        );
        shapeOf(element)?.setAttribute("d", path);
      });
    };
  }
  colours(i, colour) {
    const points = pointsOf(this.gd, i, BARS);
    const many = asArray(colour);
    if (!points.length) return null;
    if (many && many.length !== points.length) return null;
    if (many && Array.from(many).some((one) => typeof one !== "string")) return null;
    return () => {
      storeMarker(this.gd, i, "color", colour);
      points.forEach((element, n) => {
        const record = recordOf(element);
        const own = many ? many[record.i ?? n] : colour;
        if (many) record.mc = own;
        else delete record.mc;
        const path = shapeOf(element);
        if (path) Object.assign(path.style, { fill: own, fillOpacity: 1 });
      });
    };
  }
  texts(i, values, keep) {
    const elements = new Map(pointsOf(this.gd, i, TEXTS).map((group) => [recordOf(group), group]));
    for (const group of elements.values()) {
      const text = shapeOf(group);
      const shown = text && drawnText(text);
      if (!text || !shown || this.made.has(shown) || plainLetters(shown) !== null) continue;
      this.made.set(shown, text.innerHTML);
    }
    const records = recordsOf(this.gd, i);
    const [model] = elements.values();
    if (!model || !values || values.length !== records.length) return null;
    const plans = [];
    for (const [n, record] of records.entries()) {
      const text = String(values[record.i ?? n] ?? "");
      const letters = plainLetters(text);
      const made = letters === null ? this.made.get(text) : void 0;
      if (letters === null && made === void 0) return null;
      const write = (element) => {
        if (letters !== null) writeLetters(element, letters);
        else element.innerHTML = made ?? "";
      };
      if (text || elements.has(record)) plans.push([record, text, write]);
    }
    return () => {
      keep();
      for (const [record, text, write] of plans) {
        const group = elements.get(record) ?? this.textLike(i, model, record);
        const element = shapeOf(group);
        record.tx = text;
        if (!element || drawnText(element) === text) continue;
        noteText(element, text);
        write(element);
      }
    };
  }
  textLike(i, model, record) {
    const group = model.cloneNode(true);
    bind(group, record);
    const text = group.querySelector("text");
    const [x, y] = axesOf(this.gd, i) ?? [];
    if (text && x && y) {
      bind(text, record);
      for (const [name, axis] of [["x", x], ["y", y]]) {
        const shift = Number(text.getAttribute(name)) - axis.pixelOfCalculated(recordOf(model)[name]);
        text.setAttribute(name, String(axis.pixelOfCalculated(record[name]) + shift));
      }
    }
    model.parentNode?.append(group);
    return group;
  }
  places(i, key, values, keep) {
    const axes = axesOf(this.gd, i);
    const points = pointsOf(this.gd, i, MARKERS);
    if (!axes || !values || axes.some((axis) => axis.autorange)) return null;
    if (values.length !== recordsOf(this.gd, i).length || points.length !== values.length) {
      return null;
    }
    const [x, y] = axes;
    if ((key === "x" ? x : y).type !== "linear") return null;
    if (Array.from(values).some((value) => !Number.isFinite(value))) return null;
    return () => {
      keep();
      points.forEach((element, n) => {
        const record = recordOf(element);
        record[key] = Number(values[record.i ?? n]);
        const place = [x.pixelOfCalculated(record.x), y.pixelOfCalculated(record.y)];
        element.setAttribute("transform", `translate(${place})`);
      });
    };
  }
  sizes(i, full, sizes) {
    const points = pointsOf(this.gd, i, MARKERS);
    const { symbol = "circle", sizemode, sizeref = 1 } = full.marker;
    if (!sizes || symbol !== "circle" || sizemode === "area" || sizeref !== 1) return null;
    if (sizes.length !== recordsOf(this.gd, i).length || points.length !== sizes.length)
      return null;
    return () => {
      storeMarker(this.gd, i, "size", sizes);
      points.forEach((element, n) => {
        const record = recordOf(element);
        const r = Number(sizes[record.i ?? n]) / 2;
        Object.assign(record, { ms: 2 * r, mrc: r });
        showPoint(element);
        element.setAttribute("d", `M${r},0A${r},${r} 0 1,1 0,-${r}A${r},${r} 0 0,1 ${r},0Z`);
      });
    };
  }
};
function writeLetters(element, letters) {
  const only = element.childNodes.length === 1 ? element.firstChild : null;
  if (only instanceof Text) only.data = letters;
  else element.textContent = letters;
}
var pixels = (axis, from, to) => [
  Math.round(axis.pixelOfCalculated(from)),
  Math.round(axis.pixelOfCalculated(to))
];
var ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', nbsp: " " };
function plainLetters(text) {
  if (/[<\n]/.test(text) || /^\$.*\$$/.test(text)) return null;
  let known = true;
  const letters = text.replace(/&(#?\w+);?/g, (all, name) => {
    const letter = name.startsWith("#") ? String.fromCodePoint(Number(name.slice(1)) || 65533) : ENTITIES[name];
    if (letter === void 0 || !all.endsWith(";")) known = false;
    return letter ?? "";
  });
  return known ? letters : null;
}
function barPath(level, [from, to], [a, b], rounding) {
  if (from === to || a === b || ![from, to, a, b].every(Number.isFinite)) return "M0,0Z";
  const low = Math.min(a, b);
  const high = Math.max(a, b);
  const wanted = rounding?.value ?? rounding;
  const most = Math.min(Math.abs(to - from), (high - low) / 2);
  const r = Math.min(Number.parseFloat(String(wanted)) || 0, most);
  const way = Math.sign(to - from);
  const at = (u, v) => level ? `${u},${v}` : `${v},${u}`;
  const sweep = way > 0 === level ? 1 : 0;
  const arc = (u, v) => r ? `A${r},${r} 0 0 ${sweep} ${at(u, v)}` : "";
  const shoulder = to - way * r;
  return `M${at(from, low)}L${at(shoulder, low)}${arc(to, low + r)}L${at(to, high - r)}${arc(shoulder, high)}L${at(from, high)}Z`;
}

// src/plot/ticks.ts
var LABEL_LENGTH = 14;
var LABEL_GAP = 14;
var STEPS2 = [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1e3, 2e3, 2500, 5e3, 1e4];
var Ticks = class {
  constructor(gd) {
    this.gd = gd;
  }
  gd;
  all = /* @__PURE__ */ new Map();
  /** Take over the axes of a new figure, before plotly draws it; `cells` is what a heatmap covers. */
  prepare(layout, labels, cells) {
    this.all.clear();
    for (const name of Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key))) {
      const axis = layout[name];
      const own = name === "xaxis" ? labels.x : name === "yaxis" ? labels.y : null;
      const ticks = allTicks(own, axis);
      if (!ticks) continue;
      this.all.set(name, ticks);
      if (name.startsWith("x") && cells) axis.tickangle ??= -90;
      Object.assign(axis, { tickmode: "array", tickvals: [], ticktext: [] });
    }
    if (!cells) return;
    for (const [name, ...ends] of [
      ["xaxis", cells.x0, cells.x1],
      ["yaxis", cells.y0, cells.y1]
    ]) {
      const axis = layout[name];
      axis.showgrid ??= false;
      axis.zeroline ??= false;
      if (axis.range || axis.autorange === false) continue;
      axis.range = axis.autorange === "reversed" ? ends.reverse() : ends;
      delete axis.autorange;
    }
  }
  /** Take other tokens for the first axes. */
  rename(labels) {
    for (const [name, own] of [["xaxis", labels.x], ["yaxis", labels.y]]) {
      const ticks = own && allTicks(own);
      if (ticks) this.all.set(name, ticks);
    }
  }
  /** Return what plotly must be told for the ticks of the visible range; null when it knows. */
  update() {
    const update = {};
    for (const [name, ticks] of this.all) {
      const axis = namedAxis(this.gd, name);
      if (!axis) continue;
      const { tickvals, ticktext } = thinned(ticks, axis);
      const now = this.gd.layout[name];
      if (sameItems(tickvals, now.tickvals) && sameItems(ticktext, now.ticktext)) continue;
      Object.assign(update, {
        [`${name}.tickmode`]: "array",
        [`${name}.tickvals`]: tickvals,
        [`${name}.ticktext`]: ticktext
      });
    }
    return Object.keys(update).length ? update : null;
  }
};
function asText(token) {
  return token.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
function shortened(token) {
  const letters = Array.from(token);
  return letters.length > LABEL_LENGTH ? `${letters.slice(0, LABEL_LENGTH - 1).join("")}…` : token;
}
function allTicks(labels, axis) {
  if (labels?.length) return labels.map((token, i) => [i, asText(shortened(String(token)))]);
  const values = asArray(axis?.tickvals);
  const texts = asArray(axis?.ticktext);
  if (axis?.tickmode === "linear" || !values || !texts || texts.length < 2) return null;
  return Array.from(values, (value, i) => [value, String(texts[i] ?? "")]);
}
function thinned(ticks, axis) {
  const [low, high] = [...axis.ends].sort((a, b) => a - b);
  const place = (i) => axis.calculated(ticks[i][0]);
  const visible = [...ticks.keys()].filter((i) => place(i) >= low && place(i) <= high);
  if (!visible.length) return { tickvals: [], ticktext: [] };
  const first = visible[0];
  const last = visible[visible.length - 1];
  const count2 = last - first + 1;
  const share = visible.length > 1 ? Math.abs(place(last) - place(first)) / (high - low) * count2 / (count2 - 1) : 1;
  const gap = axis.length * Math.min(1, share) / count2;
  const step = STEPS2.find((candidate) => gap * candidate >= LABEL_GAP) ?? STEPS2[STEPS2.length - 1];
  const shown = spoken(ticks, step, Math.ceil(LABEL_GAP / gap)).filter(
    (i) => i >= first && i <= last
  );
  return { tickvals: shown.map((i) => ticks[i][0]), ticktext: shown.map((i) => ticks[i][1]) };
}
function spoken(ticks, step, apart) {
  const shown = [];
  for (let start = 0; start < ticks.length; start += step) {
    let best = -1;
    const from = Math.max(start, shown.length ? shown[shown.length - 1] + apart : 0);
    for (let i = from; i < Math.min(start + step, ticks.length); i += 1) {
      if (best < 0 || worth(ticks[i][1]) > worth(ticks[best][1])) best = i;
    }
    if (best >= 0) shown.push(best);
  }
  return shown;
}
function worth(text) {
  if (/\p{L}[\p{L}\p{N}_]+/u.test(text.replace(/&\w+;/g, ""))) return 2;
  return /[\p{L}\p{N}]/u.test(text.replace(/&\w+;/g, "")) ? 1 : 0;
}

// src/plot/figure.ts
var CONFIG = {
  displayModeBar: false,
  displaylogo: false,
  typesetMath: false,
  responsive: false,
  doubleClick: false,
  // plotly goes back to the first figure that it has drawn, not to this one
  showTips: false
};
var NARROW = 340;
var Figure = class {
  /** `moved` is called whenever the axes may lie elsewhere, `renumbered` with new numbers. */
  constructor(gd, plotly, texts, on) {
    this.gd = gd;
    this.plotly = plotly;
    this.texts = texts;
    this.on = on;
    this.words = { x: texts.key, y: texts.query, z: texts.weight };
    this.ticks = new Ticks(gd);
    this.patch = new Patch(gd);
    this.points = new FlatPoints(gd);
  }
  gd;
  plotly;
  texts;
  on;
  grids = [];
  labels = {};
  words;
  drawn = { figure: 0, heatmap: 0, arrays: 0 };
  /** Serial of the numbers that the first heatmap shows. */
  heatmapSerial = 0;
  /** Whether plotly reports what was asked of it here, and not a gesture. */
  asked = 0;
  /** What the cells of a heatmap cover. */
  extent = null;
  /** What shows all of the figure. */
  home = {};
  narrow = false;
  ticks;
  patch;
  points;
  get isOurs() {
    return this.asked > 0;
  }
  /** The first axes, or null before the first drawing. */
  get axes() {
    const x = firstAxis(this.gd, "x");
    const y = firstAxis(this.gd, "y");
    return x && y ? { x, y } : null;
  }
  /** Draw a figure as it is by now: with the newest numbers of its heatmap and its arrays. */
  async draw(figure, labels, heatmap, arrays, size) {
    const { gd, plotly } = this;
    this.check(figure);
    const newer = heatmap?.labels ?? {};
    this.labels = { x: newer.x ?? labels.x, y: newer.y ?? labels.y };
    const messages = figure.data.map((trace) => trace.cells);
    const first = messages.findIndex(Boolean);
    this.extent = first < 0 ? null : extentOf(messages[first] ?? never(), this.labels);
    const data = figure.data.map((trace, i) => {
      const { cells, ...rest } = trace;
      const decoded = decode(rest);
      if (cells) {
        return standIn(decoded, cells, i === first && this.extent ? this.extent : extentOf(cells));
      }
      for (const change of arrays?.changes ?? []) {
        if (change.trace === i) putAt(decoded, change.path, decode(change.value));
      }
      return decoded;
    });
    const layout = decode(figure.layout);
    paintTheme(layout, data, hostTheme());
    layout.margin = { l: 64, r: 16, t: layout.title?.text ? 48 : 16, b: 44, ...layout.margin };
    this.narrow = size.width < NARROW;
    if (this.extent && this.narrow) leaveLegendOut(layout);
    this.ticks.prepare(layout, this.labels, this.extent);
    this.home = homeOf(layout);
    Object.assign(layout, { ...size, autosize: false });
    for (const cells of this.grids) cells.canvas.remove();
    this.grids = [];
    await plotly.react(gd, data, layout, CONFIG);
    this.points.flatten();
    this.grids = messages.flatMap(
      (message, i) => message ? [new Cells(gd, i, message, figure.data[i].opacity ?? 1)] : []
    );
    for (const cells of this.grids) cells.recolour();
    const [grid] = this.grids;
    if (heatmap && grid) {
      const { zmin, zmax } = grid.message;
      grid.set(heatmap);
      if (heatmap.zmin !== zmin || heatmap.zmax !== zmax) await this.rescale(heatmap);
    }
    this.readWords();
    await this.retick();
    this.redrawCells();
    Object.assign(this.drawn, {
      figure: figure.serial,
      heatmap: heatmap?.serial ?? 0,
      arrays: arrays?.serial ?? 0
    });
    this.heatmapSerial = Math.max(figure.serial, this.drawn.heatmap);
    this.on.renumbered();
  }
  /** Put other numbers into the first heatmap. They show with this frame. */
  async drawHeatmap(heatmap) {
    const [cells] = this.grids;
    if (!cells) return;
    const { zmin, zmax } = cells.message;
    cells.set(heatmap);
    cells.draw();
    this.drawn.heatmap = this.heatmapSerial = heatmap.serial;
    const { x, y } = heatmap.labels;
    const renamed = x && !sameItems(x, this.labels.x) || y && !sameItems(y, this.labels.y);
    if (renamed) {
      this.labels = { x: x ?? this.labels.x, y: y ?? this.labels.y };
      this.ticks.rename(this.labels);
    }
    this.on.renumbered();
    if (renamed) await this.retick();
    if (heatmap.zmin !== zmin || heatmap.zmax !== zmax) await this.rescale(heatmap);
  }
  /** Carry out the changes of arrays that are newer than the picture. */
  async drawArrays(arrays) {
    const changes = arrays.changes.filter(({ serial }) => serial > this.drawn.arrays);
    const steps = this.grids.length ? null : this.patch.plan(changes);
    if (steps) for (const step of steps) step();
    else {
      const traces = [...new Set(changes.map(({ trace }) => trace))];
      const paths = [...new Set(changes.map(({ path }) => path))];
      const newest = (trace, path) => changes.find((change) => change.trace === trace && change.path === path)?.value;
      const update = Object.fromEntries(
        // undefined: as it was
        paths.map((path) => [path, traces.map((trace) => decode(newest(trace, path)))])
      );
      await this.plotly.restyle(this.gd, update, traces);
      this.points.flatten();
    }
    this.drawn.arrays = arrays.serial;
  }
  /** Draw for another size, or note that the whole figure has to be drawn for it. */
  async fit(size) {
    if (this.extent && size.width < NARROW !== this.narrow) {
      this.drawn.figure = 0;
      return;
    }
    const now = drawnSize(this.gd);
    if (!now || now.width === size.width && now.height === size.height) return;
    await this.relayout({ ...size });
    await this.retick();
    this.redrawCells();
  }
  /** Draw in the host's theme as it is now. */
  async retheme() {
    const { gd } = this;
    paintTheme(gd.layout, gd.data, hostTheme());
    await this.ours(() => this.plotly.redraw(gd));
    this.redrawCells();
  }
  async retick() {
    const update = this.ticks.update();
    if (update) await this.relayout(update);
  }
  redrawCells() {
    for (const cells of this.grids) cells.draw();
    this.on.moved();
  }
  /** The visible window in axis units, or null where everything is visible. */
  window() {
    const { x, y } = this.axes ?? never();
    const ends = (axis) => [...axis.ends].sort((a, b) => a - b);
    const [x0, x1] = ends(x);
    const [y0, y1] = ends(y);
    if (this.extent) {
      const [ex0, ex1] = [this.extent.x0, this.extent.x1].sort((a, b) => a - b);
      const [ey0, ey1] = [this.extent.y0, this.extent.y1].sort((a, b) => a - b);
      if (x0 <= ex0 && x1 >= ex1 && y0 <= ey0 && y1 >= ey1) return null;
    } else if (x.autorange && y.autorange) return null;
    return [x0, x1, y0, y1];
  }
  /** Show a window of the axes, or everything. */
  async zoomTo(window2) {
    const axes = this.axes ?? never();
    const e = this.extent;
    const [x0, x1, y0, y1] = window2 ?? (e ? [e.x0, e.x1, e.y0, e.y1] : []);
    const turned = (axis, ends) => {
      const [low, high] = ends.sort((a, b) => a - b);
      return axis.reversed ? [high, low] : [low, high];
    };
    await this.relayout(
      x0 === void 0 ? { "xaxis.autorange": true, "yaxis.autorange": true } : { "xaxis.range": turned(axes.x, [x0, x1]), "yaxis.range": turned(axes.y, [y0, y1]) }
    );
    await this.retick();
    this.redrawCells();
  }
  /** Show everything. */
  async goHome() {
    await this.relayout(this.home);
    await this.retick();
    this.redrawCells();
  }
  check(figure) {
    const supported = this.plotly.PlotSchema.get().traces;
    const types = figure.data.map((trace) => trace.type ?? "scatter");
    const odd = types.find((type) => !(type in supported));
    if (odd) throw new Error(this.texts.unknown_type.replace("{type}", odd));
  }
  /** The colour bar's numbers. */
  rescale({ zmin, zmax }) {
    const z = [
      [zmin, zmin],
      [zmin, zmin]
    ];
    return this.plotly.restyle(this.gd, { zmin, zmax, z: [z] }, [this.grids[0].trace]);
  }
  readWords() {
    const { key, query, weight } = this.texts;
    const [grid] = this.grids;
    const colourBar = grid ? drawnTrace(this.gd, grid.trace)?.colorbar?.title?.text : null;
    const z = /^Click to enter/.test(colourBar ?? "") ? null : colourBar;
    this.words = {
      x: this.axes?.x.title ?? key,
      y: this.axes?.y.title ?? query,
      z: z || weight
    };
  }
  relayout(update) {
    return this.ours(() => this.plotly.relayout(this.gd, update));
  }
  async ours(work) {
    this.asked += 1;
    try {
      await work();
      this.points.flatten();
    } finally {
      this.asked -= 1;
    }
  }
};
function leaveLegendOut(layout) {
  const inside = ({ x }) => !(typeof x === "number" && x >= 1);
  layout.images = layout.images?.filter(inside);
  layout.annotations = layout.annotations?.filter(inside);
  layout.margin.r = 12;
}
function homeOf(layout) {
  const home = {};
  for (const name of Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key))) {
    const { range, autorange, fixedrange } = layout[name];
    if (fixedrange) continue;
    if (range) home[`${name}.range`] = [...range];
    else home[`${name}.autorange`] = autorange ?? true;
  }
  return home;
}
function never() {
  throw new Error("nothing is drawn yet");
}

// src/plot/gestures.ts
var PATIENCE = 1e3;
var Gestures = class {
  constructor(model) {
    this.model = model;
  }
  model;
  view = viewName();
  line = this.throttled("line", { every: 33 });
  hovered = this.throttled("hovered", { every: 60 });
  clicked = this.throttled("clicked", { patience: 0 });
  zoom = this.throttled("zoom", { every: 100 });
  pin = this.throttled("pin");
  /** Rows whose true values are wanted. */
  exact = new Throttle(
    (rows, n) => this.send({ kind: "exact", rows, ack: this.ack("exact", n) }),
    { every: 30, patience: PATIENCE }
  );
  closed = false;
  throttled(kind, options) {
    return new Throttle(
      (value, n) => this.send({ kind, value, ack: this.ack(kind, n) }),
      { patience: PATIENCE, ...options }
    );
  }
  drawn(report) {
    this.send({ kind: "drawn", ...report });
  }
  width(width) {
    this.send({ kind: "width", width });
  }
  error(value) {
    this.send({ kind: "error", value });
  }
  /** Take note that the kernel has dealt with a gesture; returns its kind when it was of this view. */
  acknowledged({ view, key, n }) {
    if (view !== this.view) return null;
    this.throttles.get(key)?.acknowledged(n);
    return key;
  }
  close() {
    this.closed = true;
    for (const throttle of this.throttles.values()) throttle.close();
  }
  get throttles() {
    const { line, hovered, clicked, zoom, pin, exact } = this;
    return new Map(Object.entries({ line, hovered, clicked, zoom, pin, exact }));
  }
  ack(key, n) {
    return { view: this.view, key, n };
  }
  send(gesture) {
    if (!this.closed) this.model.send(gesture);
  }
};

// src/plot/line.ts
var STEPS3 = {
  ArrowRight: 1,
  ArrowUp: 1,
  ArrowLeft: -1,
  ArrowDown: -1,
  PageUp: 10,
  PageDown: -10
};
var Line = class {
  /** `moved` is called with every value that a hand or a key gives the line. */
  constructor(over, moved2) {
    this.moved = moved2;
    this.handle = h("div", {
      role: "slider",
      tabindex: "0",
      onPointerdown: (event) => this.take(event),
      onKeydown: (event) => this.key(event)
    });
    this.handle.hidden = true;
    over.append(this.handle);
  }
  moved;
  handle;
  options = { value: null, axis: "x", name: "" };
  value = null;
  held = false;
  axes = null;
  /** Lay the line over these axes; null before the first drawing. */
  place(axes) {
    this.axes = axes;
    this.handle.hidden = this.value === null || axes === null;
    if (this.value === null || axes === null) return;
    const { x, y } = axes;
    const upright = this.options.axis === "x";
    const axis = upright ? x : y;
    const [low, high] = lineLimits(axis, this.options);
    const pixel = axis.pixelOf(onAxis(axis, this.value));
    const at = Math.min(axis.length, Math.max(0, pixel));
    this.handle.className = `explorer-plot-line ${upright ? "upright" : "level"}${this.held ? " held" : ""}`;
    Object.assign(
      this.handle.style,
      upright ? { left: `${x.offset + at}px`, top: `${y.offset}px`, height: `${y.length}px`, width: "" } : { top: `${y.offset + at}px`, left: `${x.offset}px`, width: `${x.length}px`, height: "" }
    );
    const aria = {
      "aria-label": this.options.name,
      "aria-valuenow": this.value,
      "aria-valuemin": low,
      "aria-valuemax": high,
      "aria-orientation": upright ? "horizontal" : "vertical",
      "aria-valuetext": threeDigits(this.value)
    };
    for (const [name, value] of Object.entries(aria)) this.handle.setAttribute(name, String(value));
  }
  get axis() {
    return this.axes?.[this.options.axis] ?? null;
  }
  move(axis, value) {
    const [low, high] = lineLimits(axis, this.options);
    this.value = Math.min(high, Math.max(low, value));
    this.place(this.axes);
    this.moved(this.value);
  }
  take(event) {
    const axis = this.axis;
    if (event.button !== 0 || !axis || this.value === null) return;
    event.preventDefault();
    event.stopPropagation();
    this.handle.focus({ preventScroll: true });
    this.handle.setPointerCapture(event.pointerId);
    this.held = true;
    const upright = this.options.axis === "x";
    const point = (e) => upright ? e.clientX : e.clientY;
    const offset = point(event) - axis.pixelOf(onAxis(axis, this.value));
    const follow2 = (e) => {
      const now = this.axis;
      if (now) this.move(now, now.valueAt(point(e) - offset));
    };
    const release = () => {
      this.held = false;
      this.handle.removeEventListener("pointermove", follow2);
      this.handle.removeEventListener("lostpointercapture", release);
      this.place(this.axes);
    };
    this.handle.addEventListener("pointermove", follow2);
    this.handle.addEventListener("lostpointercapture", release);
    this.place(this.axes);
  }
  key(event) {
    const axis = this.axis;
    if (!axis || this.value === null) return;
    const next = lineAfterKey(event.key, axis, this.options, this.value);
    if (next === null) return;
    event.preventDefault();
    event.stopPropagation();
    this.move(axis, next);
  }
};
function lineLimits(axis, options) {
  const ends = [axis.valueAt(0), axis.valueAt(axis.length)];
  return [options.minimum ?? Math.min(...ends), options.maximum ?? Math.max(...ends)];
}
function onAxis(axis, value) {
  if (axis.type !== "log") return value;
  return Math.max(value, Math.min(axis.valueAt(0), axis.valueAt(axis.length)));
}
function lineAfterKey(key, axis, options, value) {
  const [low, high] = lineLimits(axis, options);
  if (key === "Home") return low;
  if (key === "End") return high;
  const size = STEPS3[key];
  if (size === void 0) return null;
  if (options.step) return value + size * options.step;
  if (axis.type !== "log") return value + size * (high - low) / 100;
  const [first, last] = axis.ends;
  return onAxis(axis, value) * 10 ** (size * Math.abs(last - first) / 100);
}

// src/plot/pointer.ts
var DOUBLE_CLICK = 300;
var Pointer = class {
  constructor(plot) {
    this.plot = plot;
    const bands = Object.values(this.bands);
    for (const band of bands) band.hidden = true;
    this.area.append(...bands, this.frames);
    plot.over.prepend(this.area);
    this.tip.hidden = true;
    plot.el.append(this.tip);
    const { host } = plot;
    host.addEventListener("pointermove", (event) => this.move(event));
    host.addEventListener("pointerleave", () => this.leave());
    host.addEventListener("pointerdown", (event) => this.press(event), true);
  }
  plot;
  exact = /* @__PURE__ */ new Map();
  // row -> values, of the heatmap now drawn
  area = h("div", { class: "explorer-plot-area" });
  tip = h("div", { class: "explorer-plot-tip", role: "tooltip" });
  bands = {
    row: h("div", { class: "explorer-plot-band over" }),
    column: h("div", { class: "explorer-plot-band over" }),
    pinnedRow: h("div", { class: "explorer-plot-band pinned" }),
    pinnedColumn: h("div", { class: "explorer-plot-band pinned" })
  };
  frames = h("div");
  // around marked stretches of columns
  last = null;
  waiting;
  clickedAt = Number.NEGATIVE_INFINITY;
  /** Pin a cell of the map, or let go what is pinned. */
  pin(cell) {
    const [row, column] = cell ?? [null, null];
    this.plot.marks = { ...this.plot.marks, row, column };
    this.plot.gestures.pin.post(cell);
    this.show();
  }
  /** Take the true values of rows; those of numbers that are not drawn yet come again later. */
  answer({ serial, rows }, buffers) {
    if (serial !== this.plot.heatmapSerial) return;
    rows.forEach((row, i) => {
      const { buffer, byteOffset, byteLength } = buffers[i];
      this.exact.set(row, new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength)));
    });
    this.show();
  }
  /** New numbers are drawn: the values read before are not theirs. */
  forget() {
    this.exact.clear();
    if (!this.last) return;
    const { cells, row, column } = this.last;
    const { rows, columns } = cells.message;
    if (!this.plot.grids.includes(cells) || row >= rows || column >= columns) this.last = null;
    else this.ask(this.last);
    this.show();
  }
  show() {
    this.crosshair();
    const found = this.last;
    this.tip.hidden = !found;
    if (!found) return;
    const { lines, isExact } = this.described(found);
    this.tip.replaceChildren(h("dl", null, lines));
    this.tip.dataset.exact = String(isExact);
    const room = this.plot.el.getBoundingClientRect();
    const beside = (at, size, all) => Math.max(0, at + 14 + size > all ? at - 14 - size : at + 14);
    const left = beside(found.px, this.tip.offsetWidth, room.width);
    const top = beside(found.py, this.tip.offsetHeight, room.height);
    Object.assign(this.tip.style, { left: 0, top: 0, transform: `translate(${left}px, ${top}px)` });
  }
  crosshair() {
    const cells = this.last?.cells ?? this.plot.grids[0];
    for (const band of Object.values(this.bands)) band.hidden = true;
    this.frames.replaceChildren();
    if (!cells || !this.plot.isDrawn) return;
    const [x, y] = cells.axes;
    Object.assign(this.area.style, {
      left: `${x.offset}px`,
      top: `${y.offset}px`,
      width: `${x.length}px`,
      height: `${y.length}px`
    });
    const { row: bandRow, column: bandColumn, pinnedRow, pinnedColumn } = this.bands;
    if (this.last) {
      const { x0, dx, y0, dy } = cells.message;
      layBand(bandRow, y, y0 + this.last.row * dy, Math.abs(dy), "level");
      layBand(bandColumn, x, x0 + this.last.column * dx, Math.abs(dx), "upright");
    }
    const { row, column, columns } = this.plot.marks;
    this.frames.append(...columns.map(([start, stop]) => frameOf(x, start, stop)));
    if (row !== null) layBand(pinnedRow, y, row, 1, "level");
    if (column !== null) layBand(pinnedColumn, x, column, 1, "upright");
  }
  find(event) {
    const box = this.plot.host.getBoundingClientRect();
    const px = event.clientX - box.left;
    const py = event.clientY - box.top;
    for (const cells of this.plot.grids) {
      const [x, y] = cells.axes;
      const cell = cells.at(px - x.offset, py - y.offset);
      if (cell) return { cells, ...cell, px, py };
    }
    return null;
  }
  move(event) {
    const found = event.buttons ? null : this.find(event);
    if (!found) {
      this.leave();
      return;
    }
    const same = this.last?.row === found.row && this.last.column === found.column;
    this.last = found;
    if (!same) {
      this.plot.gestures.hovered.post(placeOf2(found));
      this.ask(found);
    }
    this.show();
  }
  leave() {
    if (!this.last) return;
    this.last = null;
    this.show();
    this.plot.gestures.hovered.post(null);
  }
  press(down) {
    if (down.button !== 0) return;
    const up = (event) => {
      window.removeEventListener("pointerup", up, true);
      const moved2 = Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY);
      const again = event.timeStamp - this.clickedAt < DOUBLE_CLICK;
      const found = moved2 < 4 ? this.find(event) : null;
      if (!found) return;
      this.clickedAt = event.timeStamp;
      this.plot.el.focus({ preventScroll: true });
      clearTimeout(this.waiting);
      if (!again) this.waiting = setTimeout(() => this.click(found), DOUBLE_CLICK);
    };
    window.addEventListener("pointerup", up, true);
  }
  click(found) {
    const { marks, gestures } = this.plot;
    gestures.clicked.post({ ...placeOf2(found), n: this.plot.nextClick() });
    if (!marks.pin) return;
    const { rows, columns } = found.cells.positions(found.row, found.column);
    const pinned = marks.row === rows[0] && marks.column === columns[0];
    this.pin(pinned ? null : [rows[0], columns[0]]);
  }
  /** Ask the kernel for the true values of the row under the pointer, once for each drawing. */
  ask({ cells, row }) {
    const { marks, grids, gestures } = this.plot;
    if (marks.exact && cells === grids[0] && !this.exact.has(row)) gestures.exact.post([row]);
  }
  described({ cells, row, column }) {
    const { grids, labels, texts, words } = this.plot;
    const block = cells.positions(row, column);
    const exact = cells === grids[0] ? this.exact.get(row)?.[column] : void 0;
    const value = exact ?? cells.approximate(row, column);
    const about = exact !== void 0 || Number.isNaN(value) ? "" : texts.approximate;
    const many = Math.abs(cells.message.dx * cells.message.dy) > 1;
    return {
      lines: [
        ...tipLine(words.y, ...named(block.rows, labels.y)),
        ...tipLine(words.x, ...named(block.columns, labels.x)),
        ...tipLine(many ? `${texts.largest} ${words.z}` : words.z, about + threeDigits(value))
      ],
      isExact: exact !== void 0
    };
  }
};
function placeOf2({ cells, row, column }) {
  const { x0, dx, y0, dy } = cells.message;
  const value = cells.approximate(row, column);
  return {
    trace: cells.trace,
    row,
    column,
    value: Number.isNaN(value) ? null : value,
    x: x0 + column * dx,
    y: y0 + row * dy
  };
}
function named([first, last], labels) {
  const end = labels ? labels.length - 1 : Number.POSITIVE_INFINITY;
  if (first === last || last > end && first === end) return [String(first), labels?.[first]];
  const tokens = labels ? `${labels[first] ?? ""} … ${labels[last] ?? labels[end]}` : void 0;
  return [`${first}–${Math.min(last, end)}`, tokens];
}
function tipLine(word2, number, token) {
  const code = token === void 0 ? [] : ["  ", h("code", null, token)];
  return [h("dt", null, word2), h("dd", null, number, code)];
}
function frameOf(axis, start, stop) {
  const frame = h("div", { class: "explorer-plot-band marked" });
  const ends = [axis.pixelOf(start - 0.5), axis.pixelOf(stop - 0.5)];
  const [a, b] = ends.sort((p, q) => p - q);
  Object.assign(frame.style, { left: `${a}px`, width: `${b - a}px`, top: "0", bottom: "0" });
  return frame;
}
function layBand(band, axis, centre, size, way) {
  const ends = [axis.pixelOf(centre - size / 2), axis.pixelOf(centre + size / 2)];
  const [a, b] = ends.sort((p, q) => p - q);
  const thickness = Math.max(b - a, 3);
  const start = `${(a + b - thickness) / 2}px`;
  band.hidden = false;
  Object.assign(
    band.style,
    way === "level" ? { top: start, height: `${thickness}px`, left: "-2px", right: "-2px" } : { left: start, width: `${thickness}px`, top: "-2px", bottom: "-2px" }
  );
}

// src/plot/zoom.ts
var PER_NOTCH = 1.0015;
var LEAST_CELLS = 3;
function within([low, high], [first, last]) {
  const length = Math.min(high - low, last - first);
  const start = Math.min(Math.max(low, first), last - length);
  return [start, start + length];
}
function stretched([low, high], place, factor) {
  return [place - (place - low) * factor, place + (high - place) * factor];
}
var Zoom = class {
  /** `told` is called with every window that a hand has chosen. */
  constructor(plot, figure, texts, told, failed) {
    this.plot = plot;
    this.figure = figure;
    this.told = told;
    this.failed = failed;
    this.button = h(
      "button",
      { type: "button", class: "explorer-plot-all", hidden: true, onClick: () => this.reset() },
      texts.see_all
    );
    plot.el.append(this.button);
    plot.host.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }
  plot;
  figure;
  told;
  failed;
  /** The window in view; null is all. */
  window = null;
  button;
  wheeled = null;
  /** A figure has been drawn: the zoom of another one is over. */
  drawn() {
    const now = this.figure.window();
    if (this.window && !sameItems(this.window, now)) this.report(null);
    this.show();
  }
  /** Take what plotly has made of a gesture; what was dragged past the edge comes back. */
  take() {
    const now = this.figure.window();
    const { extent } = this.figure;
    if (!now || !extent) {
      this.report(now);
      return;
    }
    const x = within([now[0], now[1]], ordered(extent.x0, extent.x1));
    const y = within([now[2], now[3]], ordered(extent.y0, extent.y1));
    const kept = [...x, ...y];
    if (sameItems(kept, now)) this.report(now);
    else this.go(kept);
  }
  /** Show a window that the kernel asks for. */
  set(window2) {
    this.window = window2;
    this.figure.zoomTo(window2).then(() => this.show(), this.failed);
  }
  /** Show everything in the figure. */
  reset() {
    this.figure.goHome().then(() => this.report(null), this.failed);
  }
  /** Move the window to a row and a column that are out of view. */
  reveal(row, column) {
    if (!this.window) return;
    const [x0, x1, y0, y1] = this.window;
    const around = (ends, place) => {
      if (place === null || place >= ends[0] && place <= ends[1]) return ends;
      const half = (ends[1] - ends[0]) / 2;
      return [place - half, place + half];
    };
    const { extent } = this.figure;
    if (!extent) return;
    const x = within(around([x0, x1], column), ordered(extent.x0, extent.x1));
    const y = within(around([y0, y1], row), ordered(extent.y0, extent.y1));
    if (!sameItems([...x, ...y], this.window)) this.go([...x, ...y]);
  }
  go(window2) {
    const { extent } = this.figure;
    const all = extent && [...ordered(extent.x0, extent.x1), ...ordered(extent.y0, extent.y1)];
    if (all && sameItems(all, window2)) this.reset();
    else this.figure.zoomTo(window2).then(() => this.report(this.figure.window()), this.failed);
  }
  report(window2) {
    const same = window2 === this.window || window2 && this.window && sameItems(window2, this.window);
    this.window = window2;
    this.show();
    if (!same) this.told(window2);
  }
  show() {
    this.button.hidden = this.window === null || !this.figure.extent;
  }
  /** With Ctrl, or once the plot was clicked: a page must go on scrolling under a resting hand. */
  wheel(event) {
    const { extent, axes } = this.figure;
    const { el, host } = this.plot;
    const meant = event.ctrlKey || event.metaKey || el.contains(document.activeElement);
    if (!extent || !axes || !meant || !event.deltaY) return;
    if (event.deltaY > 0 && !this.window) return;
    const box = host.getBoundingClientRect();
    const x = event.clientX - box.left - axes.x.offset;
    const y = event.clientY - box.top - axes.y.offset;
    if (x < 0 || y < 0 || x > axes.x.length || y > axes.y.length) return;
    event.preventDefault();
    const pixels2 = event.deltaY * (event.deltaMode ? 30 : 1);
    const waiting = this.wheeled !== null;
    this.wheeled = { factor: (this.wheeled?.factor ?? 1) * PER_NOTCH ** pixels2, x, y };
    if (!waiting) requestAnimationFrame(() => this.turn());
  }
  turn() {
    const wheeled = this.wheeled;
    this.wheeled = null;
    const { extent, axes } = this.figure;
    if (!wheeled || !extent || !axes) return;
    const part = (axis, pixel, all) => {
      const now = ordered(...axis.ends);
      const least = Math.min(LEAST_CELLS, all[1] - all[0]) / (now[1] - now[0]);
      return within(stretched(now, axis.valueAt(pixel), Math.max(wheeled.factor, least)), all);
    };
    const x = part(axes.x, wheeled.x, ordered(extent.x0, extent.x1));
    const y = part(axes.y, wheeled.y, ordered(extent.y0, extent.y1));
    this.go([...x, ...y]);
  }
};
function ordered(a, b) {
  return a < b ? [a, b] : [b, a];
}

// src/plot/view.ts
var PARTS = ["figure", "heatmap", "arrays"];
var HIDDEN_FRAMES = 30;
function mountPlot(model, el, plotly) {
  const view = new View(model, el, plotly);
  return () => view.close();
}
var View = class {
  constructor(model, el, plotly) {
    this.model = model;
    this.el = el;
    this.plotly = plotly;
    this.marks = { ...model.get("marks") };
    this.texts = model.get("texts");
    this.gestures = new Gestures(model);
    this.host.append(this.gd);
    el.append(this.host, this.over);
    el.setAttribute("role", "group");
    this.line = new Line(this.over, (value) => this.gestures.line.post(value));
    this.figure = new Figure(this.gd, plotly, this.texts, {
      moved: () => {
        this.line.place(this.figure.axes);
        this.pointer.crosshair();
      },
      renumbered: () => this.pointer.forget()
    });
    this.pointer = new Pointer(this);
    this.zoom = new Zoom(
      this,
      this.figure,
      this.texts,
      (window2) => this.gestures.zoom.post(window2),
      (error) => this.fail(error)
    );
    this.listen();
    this.request();
  }
  model;
  el;
  plotly;
  marks;
  texts;
  gestures;
  host = h("div", { class: "explorer-plot-host", role: "img" });
  over = h("div", { class: "explorer-plot-over" });
  gd = h("div", { style: "width:100%;height:100%" });
  figure;
  line;
  pointer;
  stops = [];
  alert = null;
  clicks = 0;
  drawing = false;
  asked = false;
  closed = false;
  connected = false;
  /** Size of the element; null when it has to be measured. */
  measured = null;
  resized = false;
  rethemed = false;
  failed = 0;
  // serial of the newest state that could not be drawn
  hiddenFrames = 0;
  zoom;
  zoomSerial = 0;
  // ---- what the pointer asks for
  get grids() {
    return this.figure.grids;
  }
  get labels() {
    return this.figure.labels;
  }
  get words() {
    return this.figure.words;
  }
  get heatmapSerial() {
    return this.figure.heatmapSerial;
  }
  get isDrawn() {
    return isDrawn(this.gd);
  }
  nextClick() {
    this.clicks += 1;
    return this.clicks;
  }
  // ---- when to draw
  listen() {
    const on = (name, handler) => {
      this.model.on(`change:${name}`, handler);
      this.stops.push(() => this.model.off(`change:${name}`, handler));
    };
    for (const name of PARTS) on(name, () => this.request());
    on("marks", () => this.takeMarks());
    const receive = (message, buffers) => {
      if (message.kind === "exact") this.pointer.answer(message, buffers);
      else if (this.gestures.acknowledged(message.ack) === "line") this.takeMarks();
    };
    this.stops.push(listen(this.model, receive));
    const resize = new ResizeObserver(() => {
      this.measured = this.measure();
      this.resized = true;
      this.hiddenFrames = 0;
      this.request();
    });
    resize.observe(this.el);
    this.stops.push(() => resize.disconnect());
    this.stops.push(
      followTheme(() => {
        this.rethemed = isDrawn(this.gd);
        if (this.rethemed) this.request();
      })
    );
    this.el.tabIndex = -1;
    this.el.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      if (this.marks.row !== null && this.marks.pin) this.pointer.pin(null);
      askToUnpin(this.el);
    });
  }
  request() {
    if (this.asked || this.closed) return;
    this.asked = true;
    requestAnimationFrame(() => this.frame());
  }
  async frame() {
    this.asked = false;
    if (this.closed || this.drawing) return;
    this.applyHeight();
    if (this.rethemed || this.model.get("figure")?.serial !== this.figure.drawn.figure) {
      this.measured = null;
    }
    const { width, height } = this.size;
    if (!(width > 0 && height > 0)) {
      this.measured = null;
      if (this.hiddenFrames++ < HIDDEN_FRAMES) this.request();
      return;
    }
    this.hiddenFrames = 0;
    if (this.failed && this.newestSerial() <= this.failed) return;
    this.drawing = true;
    try {
      await this.draw();
    } catch (error) {
      this.fail(error);
    }
    this.drawing = false;
    const anew = this.model.get("figure") !== null && this.figure.drawn.figure === 0;
    if (!this.closed && (anew || this.newestSerial() > this.drawnSerial())) this.request();
  }
  newestSerial() {
    return Math.max(0, ...PARTS.map((name) => this.model.get(name)?.serial ?? 0));
  }
  drawnSerial() {
    return Math.max(this.failed, ...Object.values(this.figure.drawn));
  }
  // ---- drawing
  /** Draw what is newer than the picture. Everything up to the first `await` shows in this frame. */
  async draw() {
    const figure = this.model.get("figure");
    const heatmap = this.model.get("heatmap");
    const arrays = this.model.get("arrays");
    if (!figure) return;
    const { drawn } = this.figure;
    let drew = 0;
    if (figure.serial !== drawn.figure) {
      await this.figure.draw(figure, this.model.get("labels"), heatmap, arrays, this.size);
      drew = Math.max(figure.serial, heatmap?.serial ?? 0, arrays?.serial ?? 0);
      this.resized = this.rethemed = false;
      this.connect();
      this.zoom.drawn();
      this.clearError();
    } else {
      if (heatmap && heatmap.serial !== drawn.heatmap) {
        drew = Math.max(drew, heatmap.serial);
        await this.figure.drawHeatmap(heatmap);
      }
      if (arrays && arrays.serial !== drawn.arrays) {
        drew = Math.max(drew, arrays.serial);
        await this.figure.drawArrays(arrays);
      }
      if (this.rethemed) {
        this.rethemed = false;
        await this.figure.retheme();
      }
      if (this.resized) {
        this.resized = false;
        await this.figure.fit(this.size);
        this.gestures.width(this.size.width);
      }
    }
    this.applyMarks();
    if (drew) this.report(drew);
  }
  /** A size that is read after a change of the page makes the browser lay it out at once. */
  get size() {
    this.measured ??= this.measure();
    return this.measured;
  }
  measure() {
    return { width: this.el.clientWidth, height: this.el.clientHeight };
  }
  // ---- plotly's events
  connect() {
    if (this.connected) return;
    this.connected = true;
    const { gd, gestures } = this;
    gd.on("plotly_relayouting", () => this.figure.redrawCells());
    gd.on("plotly_afterplot", () => {
      if (!this.drawing) this.figure.redrawCells();
    });
    gd.on("plotly_relayout", (change) => {
      if (!this.figure.isOurs) this.zoomed(change);
    });
    gd.on("plotly_doubleclick", () => this.zoom.reset());
    const point = ({ points: [one] }) => {
      const { curveNumber: trace, pointIndex, pointNumber, x, y } = one;
      return { trace, x, y, index: pointIndex ?? pointNumber };
    };
    gd.on("plotly_hover", (event) => gestures.hovered.post(point(event)));
    gd.on("plotly_unhover", () => gestures.hovered.post(null));
    gd.on(
      "plotly_click",
      (event) => gestures.clicked.post({ ...point(event), n: this.nextClick() })
    );
  }
  zoomed(change) {
    if (!Object.keys(change).some((key) => /axis\d*\.(range|autorange)/.test(key))) return;
    this.figure.redrawCells();
    this.figure.retick().catch((error) => this.fail(error));
    this.zoom.take();
  }
  // ---- marks
  applyHeight() {
    const height = `${this.marks.height}px`;
    if (this.el.style.height === height) return;
    this.el.style.height = height;
    this.measured = null;
  }
  takeMarks() {
    const marks = this.model.get("marks");
    const before = this.marks;
    const { row, column } = this.gestures.pin.busy ? before : marks;
    this.marks = { ...marks, row, column };
    this.applyHeight();
    this.applyMarks();
    if (row !== before.row || column !== before.column) this.zoom.reveal(row, column);
  }
  applyMarks() {
    const { line, name, zoom } = this.marks;
    this.el.setAttribute("aria-label", name);
    this.host.setAttribute("aria-label", name);
    this.line.options = line;
    if (!this.line.held && !this.gestures.line.busy) this.line.value = line.value;
    if (!isDrawn(this.gd)) return;
    this.line.place(this.figure.axes);
    this.pointer.crosshair();
    if (zoom.n <= this.zoomSerial) return;
    this.zoomSerial = zoom.n;
    this.zoom.set(zoom.window);
  }
  // ---- how it went
  report(serial, state = "ready") {
    this.el.dataset.state = state;
    this.el.dataset.drawn = String(serial);
    this.gestures.drawn({ serial, width: this.size.width });
  }
  fail(error) {
    console.error("[explorer] plot", error);
    const reason = error instanceof Error ? error.message : String(error);
    const message = fill(this.texts.not_drawn, { reason });
    this.alert?.remove();
    this.alert = h("p", { class: "explorer-plot-note", role: "alert" }, message);
    this.el.append(this.alert);
    this.failed = this.newestSerial();
    this.figure.drawn.figure = 0;
    this.gestures.error(message);
    this.report(this.failed, "failed");
  }
  clearError() {
    if (!this.failed) return;
    this.alert?.remove();
    this.failed = 0;
    this.gestures.error("");
  }
  close() {
    this.closed = true;
    for (const stop of this.stops) stop();
    this.gestures.close();
    this.plotly.purge(this.gd);
  }
};

// src/page.ts
var SLOW_MS2 = 300;
function mount(part, model, library, el) {
  if (part === "plot") return startPlot(model, library, el);
  const panel2 = PANELS[part];
  if (!panel2) throw new Error(`there is no part “${part}”`);
  return panel2(model, el);
}
function startPlot(model, library, el) {
  const texts = model.get("texts");
  let unmount;
  let removed = false;
  el.classList.add("explorer-plot");
  el.dataset.state = "loading";
  el.style.height = `${model.get("marks").height}px`;
  const note = (text, role) => el.replaceChildren(h("p", { class: "explorer-plot-note", role }, text));
  const slow = setTimeout(() => note(texts.loading, "status"), SLOW_MS2);
  const start = async () => {
    const plotly = await oncePerPage(library, "plotly", () => loadPlotly(library));
    clearTimeout(slow);
    if (removed) return;
    el.replaceChildren();
    unmount = mountPlot(model, el, plotly);
  };
  start().catch((error) => {
    clearTimeout(slow);
    console.error("[explorer] plot", error);
    el.dataset.state = "failed";
    note(fill(texts.not_started, { reason: error?.message ?? String(error) }), "alert");
  });
  return () => {
    removed = true;
    clearTimeout(slow);
    unmount?.();
  };
}
export {
  mount
};
