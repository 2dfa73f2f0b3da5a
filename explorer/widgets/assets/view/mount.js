// One view of one plot: waits until it can be seen, draws the newest state once a frame, reports back.

const CONFIG = { displayModeBar: false, displaylogo: false, typesetMath: false, responsive: false, doubleClick: "reset", showTips: false };

const PARTS = ["figure", "heatmap", "arrays"];
const HIDDEN_FRAMES = 30;

class View {
  constructor({ channel, el, Plotly }) {
    Object.assign(this, { channel, el, Plotly });
    this.grids = [];
    this.labels = {};
    this.words = { x: "key", y: "query", z: "weight" };
    this.marks = { ...channel.get("marks") };
    this.serials = { figure: 0, heatmap: 0, arrays: 0, zoom: 0 };
    this.clicks = 0;
    this.drawing = false;
    this.asked = false;
    this.closed = false;
    this.failed = 0; // serial of the newest state that could not be drawn
    this.looks = 0;
    this.id = Math.random().toString(36).slice(2);
    this.build();
    const send = (message) => { if (!this.closed) channel.send({ ...message, view: this.id }); };
    const stream = (kind, options) => new Stream(send, kind, options);
    this.send = send;
    this.streams = {
      line: stream("line"), hovered: stream("hovered", { every: 60 }), clicked: stream("clicked", { every: 0, patience: 0 }),
      zoom: stream("zoom", { every: 100 }), pin: stream("pin", { every: 0 }), exact: stream("exact", { every: 30 }),
    };
    this.patch = new Patch(this.gd);
    this.line = new Line(this.over, (value) => this.streams.line.post(value));
    this.pointer = new Pointer(this);
    this.listen();
    this.request();
  }

  build() {
    this.host = document.createElement("div");
    this.host.className = "explorer-plot-host";
    this.host.setAttribute("role", "img");
    this.gd = document.createElement("div");
    this.gd.style.cssText = "width:100%;height:100%";
    this.host.append(this.gd);
    this.over = document.createElement("div");
    this.over.className = "explorer-plot-over";
    this.el.append(this.host, this.over);
    this.el.setAttribute("role", "group");
  }

  listen() {
    const { channel } = this;
    this.onChange = () => this.request();
    for (const name of PARTS) channel.on(`change:${name}`, this.onChange);
    this.onMarks = () => this.takeMarks();
    channel.on("change:marks", this.onMarks);
    this.onMessage = (message, buffers) => {
      if (message.kind === "ack" && message.view === this.id) {
        this.streams[message.of]?.acknowledged(message.n);
        if (message.of === "line") this.takeMarks();
      }
      else if (message.kind === "exact") this.pointer.answer(message, buffers);
    };
    channel.on("msg:custom", this.onMessage);
    // A hidden tab has no size: drawing waits here until it has one.
    this.resize = new ResizeObserver(() => { this.resized = true; this.looks = 0; this.request(); });
    this.resize.observe(this.el);
    this.unwatch = watchTheme(() => { this.rethemed = true; this.request(); });
    this.el.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.marks.row !== null) this.pointer.pin(null);
    });
  }

  request() {
    if (this.asked || this.closed) return;
    this.asked = true;
    requestAnimationFrame(() => this.frame());
  }

  async frame() {
    this.asked = false;
    if (this.closed || this.drawing) return; // what is drawing now looks again when it is done
    this.applyHeight();
    if (!(this.el.clientWidth > 0 && this.el.clientHeight > 0)) {
      // JupyterLab hides everything for a moment when the theme changes, too short for a resize to
      // be noticed. What is hidden for longer is noticed.
      if (this.looks++ < HIDDEN_FRAMES) this.request();
      return;
    }
    this.looks = 0;
    if (this.failed && this.newestSerial() <= this.failed) return; // it would fail the same way
    this.drawing = true;
    try {
      await this.draw();
    } catch (error) {
      this.fail(error);
    }
    this.drawing = false;
    if (!this.closed && this.newestSerial() > this.drawnSerial()) this.request();
  }

  newestSerial() {
    return Math.max(0, ...PARTS.map((name) => this.channel.get(name)?.serial ?? 0));
  }

  drawnSerial() {
    return Math.max(this.failed, ...PARTS.map((name) => this.serials[name]));
  }

  // Draw what is newer than the picture. Everything up to the first `await` shows in this frame.
  async draw() {
    const [figure, heatmap, arrays] = PARTS.map((name) => this.channel.get(name));
    if (!figure) return;
    let drew = 0;
    if (figure.serial !== this.serials.figure && this.patchFigure(figure, heatmap, arrays)) {
      drew = figure.serial;
    } else if (figure.serial !== this.serials.figure) {
      await this.drawFigure(figure, heatmap, arrays);
      drew = Math.max(figure.serial, heatmap?.serial ?? 0, arrays?.serial ?? 0);
      this.resized = this.rethemed = false;
    } else {
      if (heatmap && heatmap.serial !== this.serials.heatmap) {
        drew = Math.max(drew, heatmap.serial);
        await this.drawHeatmap(heatmap);
      }
      if (arrays && arrays.serial !== this.serials.arrays) {
        drew = Math.max(drew, arrays.serial);
        await this.drawArrays(arrays);
      }
      if (this.rethemed) await this.retheme();
      if (this.resized) {
        await this.fit();
        // What fits a figure of this width is the kernel's to say.
        this.send({ kind: "width", width: this.el.clientWidth });
      }
    }
    this.applyMarks();
    if (drew) this.report(drew);
  }

  async drawFigure(figure, heatmap, arrays) {
    const { Plotly, gd } = this;
    const supported = Plotly.PlotSchema.get().traces;
    const odd = figure.data.map((trace) => trace.type ?? "scatter").find((type) => !(type in supported));
    if (odd) throw new Error(`traces of type “${odd}” are not drawn here; use a cartesian one such as bar, scatter or heatmap`);
    const labels = heatmap?.labels ?? {};
    this.labels = { x: labels.x ?? figure.labels?.x, y: labels.y ?? figure.labels?.y };
    const layout = decode(figure.layout);
    const messages = figure.data.map((trace) => trace.cells);
    const first = messages.findIndex(Boolean);
    this.extent = first < 0 ? null : extentOf(messages[first], this.labels);
    const data = figure.data.map((trace, i) => decode(trace.cells
      ? standIn(trace, i === first ? this.extent : extentOf(trace.cells, null)) : withChanges(trace, arrays?.traces[i])));
    paint(layout, data, hostTheme());
    layout.margin = { l: 64, r: 16, t: layout.title?.text ? 48 : 16, b: 44, ...layout.margin };
    this.prepareAxes(layout, first >= 0);
    Object.assign(layout, { width: this.el.clientWidth, height: this.el.clientHeight, autosize: false });
    for (const cells of this.grids) cells.canvas.remove();
    this.grids = [];
    await Plotly.react(gd, data, layout, CONFIG);
    this.connect();
    this.grids = messages.flatMap((message, i) => message ? [new Cells(gd, i, message, figure.data[i].opacity ?? 1)] : []);
    for (const cells of this.grids) cells.recolour();
    if (heatmap && this.grids[0]) {
      this.grids[0].set(heatmap);
      if (heatmap.zmin !== messages[first].zmin || heatmap.zmax !== messages[first].zmax) await this.rescale(heatmap);
    }
    this.readWords();
    await this.retick();
    this.redrawCells();
    this.remember(figure, arrays);
    this.serials.heatmap = heatmap?.serial ?? 0;
    this.heatmapSerial = Math.max(figure.serial, heatmap?.serial ?? 0);
    if (this.zoom && !sameTexts(this.zoom, this.window())) {
      this.zoom = null; // the new figure begins unzoomed
      this.streams.zoom.post(null);
    }
    this.pointer.forget();
    this.clearError();
  }

  // True when the figure could be changed in place.
  patchFigure(figure, heatmap, arrays) {
    const before = this.figure;
    if (!before || !this.serials.figure || heatmap || arrays || this.grids.length || this.rethemed) return false;
    if (changedKeys(before.layout, figure.layout).some((key) => key !== "meta") || !sameDeep(before.labels, figure.labels)) return false;
    const steps = this.patch.plan(this.traces, figure.data);
    if (!steps) return false;
    for (const step of steps) step();
    this.remember(figure);
    return true;
  }

  // What is on the page now, as the kernel sent it.
  remember(figure, arrays = null) {
    this.figure = figure;
    this.traces = figure.data.map((trace, i) => withChanges(trace, arrays?.traces[i]));
    Object.assign(this.serials, { figure: figure.serial, arrays: arrays?.serial ?? 0 });
  }

  async drawHeatmap(heatmap) {
    const cells = this.grids[0];
    const rescaled = heatmap.zmin !== cells.zmin || heatmap.zmax !== cells.zmax;
    cells.set(heatmap);
    cells.draw(); // on the screen with this frame, whatever plotly has to do afterwards
    this.serials.heatmap = this.heatmapSerial = heatmap.serial;
    this.pointer.forget();
    const { x, y } = heatmap.labels ?? {};
    const renamed = (x && !sameTexts(x, this.labels.x)) || (y && !sameTexts(y, this.labels.y));
    if (renamed) {
      this.labels = { x: x ?? this.labels.x, y: y ?? this.labels.y };
      this.pointer.show();
      await this.retick(true);
    }
    if (rescaled) await this.rescale(heatmap);
  }

  // The colour bar's numbers.
  rescale({ zmin, zmax }) {
    return this.Plotly.restyle(this.gd, { zmin, zmax, z: [[[zmin, zmin], [zmin, zmin]]] }, [this.grids[0].trace]);
  }

  // All traces in one call: plotly works everything out anew for each.
  async drawArrays(arrays) {
    const after = this.figure.data.map((trace, i) => withChanges(trace, arrays.traces[i]));
    const steps = this.grids.length ? null : this.patch.plan(this.traces, after);
    if (steps) {
      for (const step of steps) step();
      this.remember(this.figure, arrays);
      return;
    }
    const traces = Object.keys(arrays.traces);
    const paths = new Set(traces.flatMap((i) => Object.keys(arrays.traces[i])));
    const update = Object.fromEntries([...paths].map((path) => [
      path, traces.map((i) => decode(arrays.traces[i][path])), // undefined: as it was
    ]));
    await this.Plotly.restyle(this.gd, update, traces.map(Number));
    this.remember(this.figure, arrays);
  }

  // Axes whose labels we thin, and how they read under many labels.
  prepareAxes(layout, hasCells) {
    this.ticks = {};
    for (const name of Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key))) {
      const axis = layout[name];
      const own = name === "xaxis" ? this.labels.x : name === "yaxis" ? this.labels.y : null;
      const ticks = allTicks(own, axis);
      if (!ticks) continue;
      this.ticks[name] = ticks;
      if (name.startsWith("x") && hasCells) axis.tickangle ??= -90;
      Object.assign(axis, { tickmode: "array", tickvals: [], ticktext: [] });
    }
    if (hasCells) {
      for (const [name, from, to] of [["xaxis", "x0", "x1"], ["yaxis", "y0", "y1"]]) {
        const axis = layout[name];
        axis.showgrid ??= false; // lines would lie over the cells
        axis.zeroline ??= false;
        if (axis.range || axis.autorange === false) continue;
        const ends = [this.extent[from], this.extent[to]];
        axis.range = axis.autorange === "reversed" ? ends.reverse() : ends;
        delete axis.autorange;
      }
    }
  }

  async retick(renamed = false) {
    if (renamed) {
      for (const [name, labels] of [["xaxis", this.labels.x], ["yaxis", this.labels.y]]) {
        const ticks = labels && allTicks(labels);
        if (ticks) this.ticks[name] = ticks;
      }
    }
    const update = {};
    for (const [name, ticks] of Object.entries(this.ticks ?? {})) {
      const { tickvals, ticktext } = thinned(ticks, this.gd._fullLayout[name]);
      const now = this.gd.layout[name];
      if (sameTexts(tickvals, now.tickvals) && sameTexts(ticktext, now.ticktext)) continue;
      Object.assign(update, { [`${name}.tickmode`]: "array", [`${name}.tickvals`]: tickvals, [`${name}.ticktext`]: ticktext });
    }
    if (Object.keys(update).length) await this.relayout(update);
  }

  async relayout(update) {
    this.ours = (this.ours ?? 0) + 1;
    try {
      await this.Plotly.relayout(this.gd, update);
    } finally {
      this.ours -= 1;
    }
  }

  async fit() {
    this.resized = false;
    const width = this.el.clientWidth;
    const height = this.el.clientHeight;
    const now = this.gd._fullLayout;
    if (!now || (now.width === width && now.height === height)) return;
    await this.relayout({ width, height });
    await this.retick();
    this.redrawCells();
  }

  async retheme() {
    this.rethemed = false;
    const { gd } = this;
    paint(gd.layout, gd.data, hostTheme());
    this.ours = (this.ours ?? 0) + 1;
    await this.Plotly.redraw(gd);
    this.ours -= 1;
    this.redrawCells();
  }

  redrawCells() {
    for (const cells of this.grids) cells.draw();
    this.line.place(this.gd._fullLayout);
    this.pointer.crosshair();
  }

  connect() {
    if (this.connected) return;
    this.connected = true;
    const { gd } = this;
    gd.on("plotly_relayouting", () => this.redrawCells());
    gd.on("plotly_afterplot", () => { if (!this.drawing) this.redrawCells(); });
    gd.on("plotly_relayout", (change) => { if (!this.ours) this.zoomed(change); });
    const point = (event) => {
      const { curveNumber: trace, pointIndex: index, pointNumber, x, y } = event.points[0];
      return { trace, x, y, index: index ?? pointNumber };
    };
    gd.on("plotly_hover", (event) => this.streams.hovered.post(point(event)));
    gd.on("plotly_unhover", () => this.streams.hovered.post(null));
    gd.on("plotly_click", (event) => this.streams.clicked.post({ ...point(event), n: ++this.clicks }));
  }

  zoomed(change) {
    if (!Object.keys(change).some((key) => /axis\d*\.(range|autorange)/.test(key))) return;
    this.redrawCells();
    this.retick().catch((error) => this.fail(error));
    this.zoom = this.window();
    this.streams.zoom.post(this.zoom);
  }

  // The visible window in axis units, or null where everything is visible.
  window() {
    const { xaxis: x, yaxis: y } = this.gd._fullLayout;
    const ends = (axis) => axis.range.map((r) => axis.r2c(r)).sort((a, b) => a - b);
    const [x0, x1] = ends(x);
    const [y0, y1] = ends(y);
    if (this.extent) {
      const e = this.extent;
      const [ex, ey] = [[e.x0, e.x1].sort((a, b) => a - b), [e.y0, e.y1].sort((a, b) => a - b)];
      if (x0 <= ex[0] && x1 >= ex[1] && y0 <= ey[0] && y1 >= ey[1]) return null;
    } else if (x.autorange && y.autorange) return null;
    return [x0, x1, y0, y1];
  }

  applyHeight() {
    const height = `${this.marks.height}px`;
    if (this.el.style.height !== height) this.el.style.height = height;
  }

  takeMarks() {
    const marks = this.channel.get("marks");
    const pinned = this.streams.pin.busy ? { row: this.marks.row, column: this.marks.column } : {};
    this.marks = { ...marks, ...pinned };
    this.applyHeight();
    this.applyMarks();
  }

  applyMarks() {
    const { line, name, zoom } = this.marks;
    this.el.setAttribute("aria-label", name);
    this.host.setAttribute("aria-label", name);
    this.line.options = line;
    // While a hand moves the line, or its last place is on the way, the kernel's word is older.
    if (!this.line.held && !this.streams.line.busy) this.line.value = line.value;
    if (!this.gd._fullLayout) return;
    this.line.place(this.gd._fullLayout);
    this.pointer.crosshair();
    if (zoom.n > this.serials.zoom) this.applyZoom(zoom).catch((error) => this.fail(error));
  }

  async applyZoom({ n, window }) {
    this.serials.zoom = n;
    this.zoom = window;
    const { xaxis: x, yaxis: y } = this.gd._fullLayout;
    const turned = (axis, ends) => (axis.range[0] > axis.range[1] ? ends.reverse() : ends);
    const e = this.extent;
    const [x0, x1, y0, y1] = window ?? (e ? [e.x0, e.x1, e.y0, e.y1] : []);
    await this.relayout(x0 === undefined ? { "xaxis.autorange": true, "yaxis.autorange": true }
      : { "xaxis.range": turned(x, [x0, x1].sort((a, b) => a - b)), "yaxis.range": turned(y, [y0, y1].sort((a, b) => a - b)) });
    await this.retick();
    this.redrawCells();
  }

  readWords() {
    const { xaxis, yaxis } = this.gd._fullLayout;
    const plain = (axis) => (axis?.title?.text && axis.title.text !== axis._dfltTitle?.x ? axis.title.text : null);
    const first = this.grids[0] && this.gd._fullData[this.grids[0].trace];
    const clean = (text, other) => (text && !/^Click to enter/.test(text) ? text : other);
    this.words = {
      x: clean(plain(xaxis), "key"), y: clean(plain(yaxis), "query"), z: clean(first?.colorbar?.title?.text, "weight"),
    };
  }

  report(serial, state = "ready") {
    this.el.dataset.state = state;
    this.el.dataset.drawn = serial;
    this.send({ kind: "drawn", serial, width: this.el.clientWidth });
  }

  fail(error) {
    console.error("[explorer] plot", error);
    const message = `This figure could not be drawn: ${error?.message ?? error}.`;
    this.alert?.remove();
    this.alert = document.createElement("p");
    this.alert.className = "explorer-plot-note";
    this.alert.setAttribute("role", "alert");
    this.alert.textContent = message;
    this.el.append(this.alert);
    this.el.dataset.state = "failed";
    this.failed = this.newestSerial();
    this.serials.figure = 0; // whatever comes next starts from the whole figure
    this.send({ kind: "error", value: message });
    this.report(this.failed, "failed");
  }

  clearError() {
    if (!this.failed) return;
    this.alert?.remove();
    this.failed = 0;
    this.send({ kind: "error", value: "" });
  }

  close() {
    this.closed = true;
    const { channel } = this;
    for (const name of PARTS) channel.off(`change:${name}`, this.onChange);
    channel.off("change:marks", this.onMarks);
    channel.off("msg:custom", this.onMessage);
    this.resize.disconnect();
    this.unwatch();
    for (const stream of Object.values(this.streams)) stream.close();
    this.Plotly.purge(this.gd);
  }
}

// A trace, as the kernel sent it, with arrays under plotly's dotted names put in their places.
function withChanges(trace, changed) {
  if (!changed) return trace;
  const copy = { ...trace };
  for (const [path, value] of Object.entries(changed)) {
    const steps = path.split(".");
    const last = steps.pop();
    let place = copy;
    for (const step of steps) place = place[step] = { ...place[step] };
    place[last] = value;
  }
  return copy;
}

function sameTexts(a, b) {
  if (a === b) return true;
  if (!a || !b || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

export function mount(parts) {
  const view = new View(parts);
  return () => view.close();
}
