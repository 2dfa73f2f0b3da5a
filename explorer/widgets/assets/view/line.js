// The line that can be dragged: a slider for hands, fingers and keys, on linear and log axes.

class Line {
  constructor(over, moved) {
    this.moved = moved;
    this.handle = document.createElement("div");
    this.handle.setAttribute("role", "slider");
    this.handle.tabIndex = 0;
    this.handle.hidden = true;
    over.append(this.handle);
    this.options = {};
    this.value = null;
    this.held = false;
    this.handle.addEventListener("pointerdown", (event) => this.take(event));
    this.handle.addEventListener("keydown", (event) => this.key(event));
  }

  // The axes under the line; null before the first drawing.
  place(layout) {
    this.layout = layout;
    const { axis: letter = "x", name = "threshold" } = this.options;
    const axis = layout?.xaxis && layout[`${letter}axis`];
    this.handle.hidden = this.value === null || !axis;
    if (this.handle.hidden) return;
    const { xaxis: x, yaxis: y } = layout;
    const upright = letter === "x";
    this.handle.className = `explorer-plot-line ${upright ? "upright" : "level"}${this.held ? " held" : ""}`;
    const [low, high] = this.limits();
    const at = Math.min(axis._length, Math.max(0, axis.d2p(this.clamped(this.value))));
    Object.assign(this.handle.style, upright
      ? { left: `${x._offset + at}px`, top: `${y._offset}px`, height: `${y._length}px`, width: "" }
      : { top: `${y._offset + at}px`, left: `${x._offset}px`, width: `${x._length}px`, height: "" });
    const aria = {
      "aria-label": name, "aria-valuenow": this.value, "aria-valuemin": low, "aria-valuemax": high,
      "aria-orientation": upright ? "horizontal" : "vertical",
      "aria-valuetext": digits(this.value),
    };
    for (const [key, text] of Object.entries(aria)) this.handle.setAttribute(key, text);
  }

  get axis() {
    return this.layout?.[`${this.options.axis ?? "x"}axis`];
  }

  limits() {
    const axis = this.axis;
    const ends = [axis.p2d(0), axis.p2d(axis._length)].sort((a, b) => a - b);
    return [this.options.minimum ?? ends[0], this.options.maximum ?? ends[1]];
  }

  // On a log axis 0 has no place: it stands at the edge.
  clamped(value) {
    const axis = this.axis;
    if (axis.type !== "log") return value;
    return Math.max(value, Math.min(axis.p2d(0), axis.p2d(axis._length)));
  }

  move(value) {
    const [low, high] = this.limits();
    this.value = Math.min(high, Math.max(low, value));
    this.place(this.layout);
    this.moved(this.value);
  }

  take(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    event.stopPropagation();
    this.handle.focus({ preventScroll: true });
    this.handle.setPointerCapture(event.pointerId);
    this.held = true;
    const upright = (this.options.axis ?? "x") === "x";
    // Taken a few pixels beside the line it does not jump under the pointer.
    const point = (e) => (upright ? e.clientX : e.clientY);
    const offset = point(event) - this.axis.d2p(this.clamped(this.value));
    const follow = (e) => this.move(this.axis.p2d(point(e) - offset));
    const release = () => {
      this.held = false;
      this.handle.removeEventListener("pointermove", follow);
      this.handle.removeEventListener("lostpointercapture", release);
      this.place(this.layout);
    };
    this.handle.addEventListener("pointermove", follow);
    this.handle.addEventListener("lostpointercapture", release);
    this.place(this.layout);
  }

  key(event) {
    const axis = this.axis;
    if (!axis) return;
    const [low, high] = this.limits();
    const size = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
    let next;
    if (event.key === "Home") next = low;
    else if (event.key === "End") next = high;
    else if (size === undefined) return;
    else if (this.options.step) next = this.value + size * this.options.step;
    else if (axis.type === "log") {
      const decades = Math.abs(axis.range[1] - axis.range[0]);
      next = this.clamped(this.value) * 10 ** (size * decades / 100);
    } else next = this.value + size * (high - low) / 100;
    event.preventDefault();
    event.stopPropagation();
    this.move(next);
  }
}

// Three digits, the way a person writes them.
function digits(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "no value";
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.0001 || size >= 1e6)) return value.toExponential(2);
  return size >= 100 ? value.toFixed(0) : size >= 0.1 || size === 0 ? value.toFixed(3) : value.toPrecision(3);
}
