// A figure that differs from the one on the page only in the lengths and colours of bars, in texts,
// and in where single points lie, is changed in place: plotly would work out everything anew, which takes fifty times as long.
// Every plan is checked against what is on the page first; what does not fit is left to plotly.

const SILENT = new Set(["customdata", "hovertext", "hovertemplate", "meta", "name"]);

function sameDeep(a, b) {
  if (a === b) return true;
  if (!a || !b || typeof a !== "object" || typeof b !== "object") return false;
  if (ArrayBuffer.isView(a)) {
    if (!ArrayBuffer.isView(b) || a.byteLength !== b.byteLength) return false;
    const [p, q] = [a, b].map((v) => new Uint8Array(v.buffer, v.byteOffset, v.byteLength));
    for (let i = 0; i < p.length; i++) if (p[i] !== q[i]) return false;
    return true;
  }
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && sameDeep(a[key], b[key]));
}

const changedKeys = (a, b) => [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => !sameDeep(a[key], b[key]));

const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', nbsp: "\u00a0" };

// The letters that a plotly text stands for, or null where it has tags, formulas or lines.
function plainLetters(text) {
  if (/[<\n]/.test(text)) return null;
  let known = true;
  const letters = text.replace(/&(#?\w+);?/g, (all, name) => {
    const letter = name.startsWith("#") ? String.fromCodePoint(Number(name.slice(1)) || 0xfffd) : ENTITIES[name];
    known &&= letter !== undefined && all.endsWith(";");
    return letter;
  });
  return known && !/^\$.*\$$/.test(text) ? letters : null;
}

class Patch {
  constructor(gd) {
    this.gd = gd;
    this.texts = new Map(); // plotly text -> the SVG that plotly made of it
  }

  // What to do to turn `before` into `after` (traces as the kernel sends them), or null.
  plan(before, after) {
    if (before.length !== after.length) return null;
    const steps = [];
    for (let i = 0; i < after.length; i++) {
      for (const key of changedKeys(before[i], after[i])) {
        const step = this.step(i, key, before[i], after[i]);
        if (!step) return null;
        steps.push(step);
      }
    }
    return steps;
  }

  step(i, key, before, after) {
    const { gd } = this;
    const value = decode(after[key]);
    const full = gd._fullData[i];
    if (!full || full.index !== i || full.visible !== true) return null;
    const store = (name = key, stored = value) => { gd.data[i][name] = stored; full[name] = stored; };
    if (SILENT.has(key)) return () => store();
    if (full.type === "bar") {
      const length = full.orientation === "h" ? "x" : "y";
      if (key === length) return this.lengths(i, full, asArray(value), () => store());
      if (key === "marker" && changedKeys(before.marker ?? {}, after.marker ?? {}).join() === "color") {
        return this.colours(i, full, value.color);
      }
    }
    if (full.type === "scatter") {
      if ((key === "x" || key === "y") && full.mode === "markers") return this.places(i, full, key, asArray(value), () => store());
      if (key === "text" && /text/.test(full.mode)) return this.words(i, full, asArray(value), () => store());
      if (key === "marker" && full.mode !== "lines" && changedKeys(before.marker ?? {}, after.marker ?? {}).join() === "size") {
        return this.sizes(i, full, asArray(value.size));
      }
    }
    return null;
  }

  // The elements of a trace's points, each with plotly's own record of the point.
  points(i, trace, point) {
    const group = [...this.gd.querySelectorAll(trace)].find((g) => g.__data__?.[0]?.trace?.index === i);
    return group ? [...group.querySelectorAll(point)] : [];
  }

  axes(full) {
    const name = (ref) => ref.charAt(0) + "axis" + ref.slice(1);
    return [full.xaxis, full.yaxis].map((ref) => this.gd._fullLayout[name(ref)]);
  }

  lengths(i, full, values, store) {
    const layout = this.gd._fullLayout;
    const [x, y] = this.axes(full);
    const level = full.orientation === "h";
    const [along, across] = level ? [x, y] : [y, x];
    if (!along || !across) return null;
    const stacked = ["stack", "relative"].includes(layout.barmode) && this.gd._fullData.filter((t) => t.type === "bar").length > 1;
    const records = this.gd.calcdata[i];
    const points = this.points(i, ".trace.bars", ".point");
    if (along.autorange || stacked || full.text || !values || values.length !== records.length || points.length !== values.length) return null;
    return () => {
      store();
      points.forEach((element, n) => {
        const record = element.__data__;
        const value = Number(values[record.i ?? n]);
        Object.assign(record, { s: value, s0: record.b ?? 0, s1: (record.b ?? 0) + value });
        const [from, to] = [record.s0, record.s1].map((v) => Math.round(along.c2p(v, true)));
        const [a, b] = [record.p0, record.p1].map((v) => Math.round(across.c2p(v, true)));
        element.querySelector("path")?.setAttribute("d", barPath(level, from, to, a, b, full.marker.cornerradius));
      });
    };
  }

  colours(i, full, colour) {
    const points = this.points(i, ".trace.bars", ".point");
    const many = asArray(colour);
    if (!points.length || (many && (many.length !== points.length || Array.from(many).some((c) => typeof c !== "string")))) return null;
    return () => {
      this.gd.data[i].marker = { ...this.gd.data[i].marker, color: colour };
      full.marker.color = colour;
      points.forEach((element, n) => {
        const record = element.__data__;
        const own = many ? many[record.i ?? n] : colour;
        if (many) record.mc = own; else delete record.mc;
        const path = element.querySelector("path");
        if (path) Object.assign(path.style, { fill: own, fillOpacity: 1 });
      });
    };
  }

  words(i, full, values, store) {
    const elements = new Map(this.points(i, ".trace.scatter", ".textpoint").map((g) => [g.__data__, g]));
    for (const group of elements.values()) {
      const text = group.querySelector("text");
      if (text) this.texts.set(text.dataset.unformatted, text.innerHTML);
    }
    const records = this.gd.calcdata[i];
    const [model] = elements.values(); // plotly has no element for an empty text: made after another
    if (!model || !values || values.length !== records.length) return null;
    const plans = [];
    for (const [n, record] of records.entries()) {
      const text = String(values[record.i ?? n] ?? "");
      const letters = plainLetters(text);
      const made = letters === null ? this.texts.get(text) : null;
      if (made === undefined) return null;
      if (text || elements.has(record)) plans.push([record, text, letters, made]);
    }
    return () => {
      store();
      for (const [record, text, letters, made] of plans) {
        const group = elements.get(record) ?? this.textLike(model, record, full);
        const element = group.querySelector("text");
        record.tx = text;
        if (element.dataset.unformatted === text) continue;
        element.dataset.unformatted = text;
        if (letters !== null) element.textContent = letters;
        else element.innerHTML = made; // SVG that plotly itself made, and cleaned, for the same text
      }
    };
  }

  textLike(model, record, full) {
    const [x, y] = this.axes(full);
    const group = model.cloneNode(true);
    group.__data__ = record;
    const text = group.querySelector("text");
    text.__data__ = record;
    for (const [name, axis] of [["x", x], ["y", y]]) {
      const shift = Number(text.getAttribute(name)) - axis.c2p(model.__data__[name], true);
      text.setAttribute(name, axis.c2p(record[name], true) + shift);
    }
    model.parentNode.append(group);
    return group;
  }

  places(i, full, key, values, store) {
    const [x, y] = this.axes(full);
    const records = this.gd.calcdata[i];
    const points = this.points(i, ".trace.scatter", "path.point");
    if (!x || !y || x.autorange || y.autorange || !values || values.length !== records.length || points.length !== values.length) return null;
    if (Array.from(values).some((value) => !Number.isFinite(value)) || (key === "x" ? x : y).type !== "linear") return null;
    return () => {
      store();
      points.forEach((element, n) => {
        const record = element.__data__;
        record[key] = Number(values[record.i ?? n]);
        element.setAttribute("transform", `translate(${x.c2p(record.x, true)},${y.c2p(record.y, true)})`);
      });
    };
  }

  sizes(i, full, sizes) {
    const points = this.points(i, ".trace.scatter", "path.point");
    const records = this.gd.calcdata[i];
    if (!sizes || sizes.length !== records.length || points.length !== records.length) return null;
    if ((full.marker.symbol ?? "circle") !== "circle" || full.marker.sizemode === "area" || (full.marker.sizeref ?? 1) !== 1) return null;
    return () => {
      this.gd.data[i].marker = { ...this.gd.data[i].marker, size: sizes };
      full.marker.size = sizes;
      points.forEach((element, n) => {
        const record = element.__data__;
        const r = Number(sizes[record.i ?? n]) / 2;
        Object.assign(record, { ms: 2 * r, mrc: r });
        element.setAttribute("d", `M${r},0A${r},${r} 0 1,1 0,-${r}A${r},${r} 0 0,1 ${r},0Z`);
      });
    };
  }
}

function barPath(level, from, to, a, b, rounding) {
  if (from === to || a === b || ![from, to, a, b].every(Number.isFinite)) return "M0,0Z";
  const [low, high] = a < b ? [a, b] : [b, a];
  const wanted = typeof rounding === "object" ? rounding?.value : rounding;
  const r = Math.min(Number.parseFloat(wanted) || 0, Math.abs(to - from), (high - low) / 2);
  const way = Math.sign(to - from);
  const at = level ? (u, v) => `${u},${v}` : (u, v) => `${v},${u}`;
  // Both turns go the same way round, which depends on where the bar points.
  const sweep = (way > 0) === level ? 1 : 0;
  const arc = (u, v) => (r ? `A${r},${r} 0 0 ${sweep} ${at(u, v)}` : "");
  return `M${at(from, low)}L${at(to - way * r, low)}${arc(to, low + r)}L${at(to, high - r)}${arc(to - way * r, high)}L${at(from, high)}Z`;
}
