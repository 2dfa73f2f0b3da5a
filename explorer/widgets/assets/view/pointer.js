// Pointer over heatmap cells: crosshair, tooltip with the true value, click to pin.

const DOUBLE_CLICK = 300; // milliseconds in which plotly takes two clicks for one double click

// Number and token of a position, or of the first and the last of several.
function named([first, last], labels) {
  const one = first === last || (labels && last >= labels.length && first === labels.length - 1);
  if (one) return [String(first), labels?.[first]];
  const tokens = labels ? `${labels[first] ?? ""} … ${labels[last] ?? labels.at(-1)}` : undefined;
  return [`${first}–${Math.min(last, (labels?.length ?? Infinity) - 1)}`, tokens];
}

class Pointer {
  // `plot` is the mounted view: gd, host, over, el, grids(), labels, marks, streams.
  constructor(plot) {
    this.plot = plot;
    this.exact = new Map(); // row of the map -> Float32Array, for the heatmap now drawn
    this.wanted = null;
    this.last = null;
    this.bands = {};
    this.area = document.createElement("div");
    this.area.className = "explorer-plot-area";
    for (const [name, kind] of [["row", "over"], ["column", "over"], ["pinnedRow", "pinned"], ["pinnedColumn", "pinned"]]) {
      const band = document.createElement("div");
      band.className = `explorer-plot-band ${kind}`;
      band.hidden = true;
      this.bands[name] = band;
      this.area.append(band);
    }
    this.frames = []; // around marked stretches of columns
    plot.over.prepend(this.area);
    this.tip = document.createElement("div");
    this.tip.className = "explorer-plot-tip";
    this.tip.setAttribute("role", "tooltip");
    this.tip.hidden = true;
    plot.el.append(this.tip);
    const { host } = plot;
    host.addEventListener("pointermove", (event) => this.move(event));
    host.addEventListener("pointerleave", () => this.leave());
    // plotly covers the page with a sheet while a button is down, so `click` never comes.
    host.addEventListener("pointerdown", (event) => this.press(event), true);
  }

  find(event) {
    const box = this.plot.host.getBoundingClientRect();
    const px = event.clientX - box.left;
    const py = event.clientY - box.top;
    for (const cells of this.plot.grids) {
      const [x, y] = cells.axes;
      const cell = cells.at(px - x._offset, py - y._offset);
      if (cell) return { cells, ...cell, px, py };
    }
    return null;
  }

  describe({ cells, row, column }) {
    return {
      trace: cells.trace, row, column, value: cells.approximate(row, column),
      x: cells.x0 + column * cells.dx, y: cells.y0 + row * cells.dy,
    };
  }

  move(event) {
    if (event.buttons) return this.leave();
    const found = this.find(event);
    if (!found) return this.leave();
    const same = this.last && this.last.row === found.row && this.last.column === found.column;
    this.last = found;
    if (!same) {
      this.plot.streams.hovered.post(this.describe(found));
      this.ask(found);
    }
    this.show();
  }

  leave() {
    if (!this.last) return;
    this.last = null;
    this.show();
    this.plot.streams.hovered.post(null);
  }

  press(down) {
    if (down.button !== 0) return;
    const up = (event) => {
      window.removeEventListener("pointerup", up, true);
      const moved = Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY);
      const again = event.timeStamp - (this.clickedAt ?? -Infinity) < DOUBLE_CLICK;
      const found = moved < 4 && this.find(event);
      if (!found) return;
      this.clickedAt = event.timeStamp;
      if (!again) this.click(found);
    };
    window.addEventListener("pointerup", up, true);
  }

  click(found) {
    const described = this.describe(found);
    const { marks, streams } = this.plot;
    this.plot.clicks += 1;
    streams.clicked.post({ ...described, n: this.plot.clicks });
    if (!marks.pin) return;
    const { rows: [row], columns: [column] } = found.cells.positions(found.row, found.column);
    this.pin(marks.row === row && marks.column === column ? null : [row, column]);
  }

  pin(cell) {
    [this.plot.marks.row, this.plot.marks.column] = cell ?? [null, null];
    this.plot.streams.pin.post(cell);
    this.show();
  }

  // Ask the kernel for the true values of the row under the pointer, once for each drawing.
  ask({ cells, row }) {
    if (!this.plot.marks.exact || cells !== this.plot.grids[0] || this.exact.has(row)) return;
    this.plot.streams.exact.post(null, { rows: [row] });
  }

  answer({ serial, rows }, buffers) {
    // An answer about numbers that are not drawn yet comes again when they are.
    if (serial !== this.plot.heatmapSerial) return;
    rows.forEach((row, i) => {
      const { buffer, byteOffset, byteLength } = buffers[i];
      this.exact.set(row, new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength)));
    });
    this.show();
  }

  // New numbers are drawn: the values read before are not theirs.
  forget() {
    this.exact.clear();
    if (!this.last) return;
    const grid = this.last.cells;
    const still = this.plot.grids.includes(grid) && this.last.row < grid.rows && this.last.column < grid.columns;
    if (!still) this.last = null;
    else this.ask(this.last);
    this.show();
  }

  show() {
    this.crosshair();
    const found = this.last;
    this.tip.hidden = !found;
    if (!found) return;
    const { cells, row, column } = found;
    const { labels, words } = this.plot;
    const block = cells.positions(row, column);
    const exact = cells === this.plot.grids[0] && this.exact.get(row)?.[column];
    const value = exact ?? cells.approximate(row, column);
    const isExact = typeof exact === "number";
    const many = Math.abs(cells.dx * cells.dy) > 1;
    const lines = [
      [words.y, ...named(block.rows, labels.y)],
      [words.x, ...named(block.columns, labels.x)],
      [many ? `largest ${words.z}` : words.z, (isExact || Number.isNaN(value) ? "" : "≈ ") + digits(value)],
    ];
    const list = document.createElement("dl");
    for (const [word, number, token] of lines) {
      const term = document.createElement("dt");
      term.textContent = word;
      const text = document.createElement("dd");
      text.append(number);
      if (token !== undefined) {
        const code = document.createElement("code");
        code.textContent = token;
        text.append("  ", code);
      }
      list.append(term, text);
    }
    this.tip.replaceChildren(list);
    this.tip.dataset.exact = isExact;
    const room = this.plot.el.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.tip;
    const left = found.px + 14 + width > room.width ? found.px - 14 - width : found.px + 14;
    const top = found.py + 14 + height > room.height ? found.py - 14 - height : found.py + 14;
    this.tip.style.transform = `translate(${Math.max(0, left)}px, ${Math.max(0, top)}px)`;
    Object.assign(this.tip.style, { left: 0, top: 0 });
  }

  crosshair() {
    const cells = this.last?.cells ?? this.plot.grids[0];
    for (const band of Object.values(this.bands)) band.hidden = true;
    for (const frame of this.frames) frame.remove();
    this.frames = [];
    if (!cells || !this.plot.gd._fullLayout) return;
    const [x, y] = cells.axes;
    Object.assign(this.area.style, {
      left: `${x._offset}px`, top: `${y._offset}px`, width: `${x._length}px`, height: `${y._length}px`,
    });
    const lay = (band, axis, centre, size, level) => {
      const [a, b] = [axis.d2p(centre - size / 2), axis.d2p(centre + size / 2)].sort((p, q) => p - q);
      // A cell thinner than this would leave no line to see.
      const thickness = Math.max(b - a, 3);
      const start = (a + b - thickness) / 2;
      band.hidden = false;
      Object.assign(band.style, level
        ? { top: `${start}px`, height: `${thickness}px`, left: "-2px", right: "-2px" }
        : { left: `${start}px`, width: `${thickness}px`, top: "-2px", bottom: "-2px" });
    };
    if (this.last) {
      lay(this.bands.row, y, cells.y0 + this.last.row * cells.dy, Math.abs(cells.dy), true);
      lay(this.bands.column, x, cells.x0 + this.last.column * cells.dx, Math.abs(cells.dx), false);
    }
    for (const [start, stop] of this.plot.marks.columns ?? []) {
      const frame = document.createElement("div");
      frame.className = "explorer-plot-band marked";
      const [a, b] = [x.d2p(start - 0.5), x.d2p(stop - 0.5)].sort((p, q) => p - q);
      Object.assign(frame.style, { left: `${a}px`, width: `${b - a}px`, top: "0", bottom: "0" });
      this.frames.push(frame);
      this.area.append(frame);
    }
    const { row, column } = this.plot.marks;
    if (row !== null && row !== undefined) lay(this.bands.pinnedRow, y, row, 1, true);
    if (column !== null && column !== undefined) lay(this.bands.pinnedColumn, x, column, 1, false);
  }
}
