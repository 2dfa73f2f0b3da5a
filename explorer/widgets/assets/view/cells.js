// Heatmap cells: one byte each, painted on a canvas behind plotly's axes.

const MISSING = 255;
const LEVELS = 254;

// A colour scale as 256 pixels; the canvas interpolates between plotly's stops as plotly does.
function lookUpTable(colorscale, reversed) {
  const canvas = document.createElement("canvas");
  canvas.width = LEVELS + 1;
  canvas.height = 1;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const gradient = context.createLinearGradient(0.5, 0, LEVELS + 0.5, 0);
  for (const [stop, colour] of colorscale) gradient.addColorStop(reversed ? 1 - stop : stop, colour);
  context.fillStyle = gradient;
  context.fillRect(0, 0, LEVELS + 1, 1);
  const table = new Uint32Array(256);
  table.set(new Uint32Array(context.getImageData(0, 0, LEVELS + 1, 1).data.buffer));
  table[MISSING] = 0;
  return table;
}

// Which cells [first, last] each screen pixel covers along one axis; first > last where none does.
// A pixel inside a cell takes the cell under its centre, a pixel over several takes them all.
function coverage(axis, pixels, ratio, start, step, count) {
  const first = new Int32Array(pixels);
  const last = new Int32Array(pixels);
  const cellAt = (pixel) => (axis.p2d(pixel / ratio) - start) / step + 0.5;
  let left = cellAt(0);
  for (let i = 0; i < pixels; i++) {
    const right = cellAt(i + 1);
    const [low, high] = left < right ? [left, right] : [right, left];
    let from;
    let to;
    if (high - low < 1) from = to = Math.floor((low + high) / 2);
    else {
      from = Math.floor(low + 1e-6);
      to = Math.max(from, Math.ceil(high - 1e-6) - 1);
    }
    const outside = !(to >= 0 && from < count); // NaN too: a log axis below zero
    first[i] = outside ? 1 : Math.max(0, from);
    last[i] = outside ? 0 : Math.min(count - 1, to);
    left = right;
  }
  return [first, last];
}

// The largest code of a block, where a missing cell counts for nothing.
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

class Cells {
  constructor(gd, trace, message, opacity = 1) {
    this.gd = gd;
    this.trace = trace;
    this.canvas = document.createElement("canvas");
    this.canvas.style.opacity = opacity;
    this.canvas.className = "explorer-cells";
    this.context = this.canvas.getContext("2d");
    this.set(message);
  }

  set(message) {
    Object.assign(this, message);
    const view = message.codes;
    this.codes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  }

  get axes() {
    const { xaxis, yaxis } = this.gd._fullData[this.trace];
    const name = (ref) => ref.charAt(0) + "axis" + ref.slice(1);
    const layout = this.gd._fullLayout;
    return [layout[name(xaxis ?? "x")], layout[name(yaxis ?? "y")]];
  }

  // Colours follow the figure's scale; called after plotly has worked out its defaults.
  recolour() {
    const full = this.gd._fullData[this.trace];
    const source = full.coloraxis ? this.gd._fullLayout[full.coloraxis] : full;
    this.table = lookUpTable(source.colorscale, source.reversescale);
  }

  draw() {
    const [x, y] = this.axes;
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const width = Math.round(x._length * ratio);
    const height = Math.round(y._length * ratio);
    if (!(width > 0 && height > 0)) return;
    const { canvas, context, codes, columns, table } = this;
    if (canvas.width !== width || canvas.height !== height || !this.image) {
      canvas.width = width;
      canvas.height = height;
      this.image = context.createImageData(width, height);
      this.pixels = new Uint32Array(this.image.data.buffer);
    }
    Object.assign(canvas.style, {
      left: `${x._offset}px`, top: `${y._offset}px`, width: `${x._length}px`, height: `${y._length}px`,
    });
    const container = this.gd.querySelector(".svg-container");
    if (canvas.parentNode !== container) container.prepend(canvas);

    const [c0, c1] = coverage(x, width, ratio, this.x0, this.dx, columns);
    const [r0, r1] = coverage(y, height, ratio, this.y0, this.dy, this.rows);
    const pixels = this.pixels;
    for (let j = 0, at = 0; j < height; j++, at += width) {
      if (r0[j] > r1[j]) {
        pixels.fill(0, at, at + width);
      } else if (j > 0 && r0[j] === r0[j - 1] && r1[j] === r1[j - 1]) {
        pixels.copyWithin(at, at - width, at);
      } else if (r0[j] === r1[j]) {
        const row = r0[j] * columns;
        for (let i = 0; i < width; i++) {
          const from = c0[i];
          const to = c1[i];
          pixels[at + i] = from === to ? table[codes[row + from]]
            : from < to ? table[largest(codes, columns, r0[j], r0[j], from, to)] : 0;
        }
      } else {
        for (let i = 0; i < width; i++) {
          pixels[at + i] = c0[i] <= c1[i]
            ? table[largest(codes, columns, r0[j], r1[j], c0[i], c1[i])] : 0;
        }
      }
    }
    context.putImageData(this.image, 0, 0);
  }

  // The cell under a point of the page, or null.
  at(px, py) {
    const [x, y] = this.axes;
    if (px < 0 || py < 0 || px > x._length || py > y._length) return null;
    const column = Math.floor((x.p2d(px) - this.x0) / this.dx + 0.5);
    const row = Math.floor((y.p2d(py) - this.y0) / this.dy + 0.5);
    if (!(row >= 0 && column >= 0 && row < this.rows && column < this.columns)) return null;
    return { row, column };
  }

  // Positions (tokens) that a cell stands for: one each, or a block where the map is pooled.
  positions(row, column) {
    const range = (cell, start, step) => {
      const centre = start + cell * step;
      const half = Math.abs(step) / 2;
      const from = Math.ceil(centre - half);
      return [from, Math.max(from, Math.ceil(centre + half) - 1)];
    };
    return { rows: range(row, this.y0, this.dy), columns: range(column, this.x0, this.dx) };
  }

  // The value that a cell's colour stands for.
  approximate(row, column) {
    const code = this.codes[row * this.columns + column];
    return code === MISSING ? NaN : this.zmin + (code / LEVELS) * (this.zmax - this.zmin);
  }
}

// What plotly gets in place of the cells: it draws axes and colour bar, and no cells.
function standIn(trace, extent) {
  const { cells, ...rest } = trace;
  const { x0, x1, y0, y1 } = extent;
  return {
    ...rest,
    x0: x0 + (x1 - x0) / 4, dx: (x1 - x0) / 2, y0: y0 + (y1 - y0) / 4, dy: (y1 - y0) / 2,
    z: [[cells.zmin, cells.zmin], [cells.zmin, cells.zmin]],
    zmin: cells.zmin, zmax: cells.zmax, zauto: false,
    opacity: 0, hoverinfo: "skip", hovertemplate: undefined,
  };
}

function extentOf(cells, labels) {
  const span = (start, step, count, names) => names?.length
    ? [-0.5, names.length - 0.5] : [start - step / 2, start + (count - 0.5) * step];
  const [x0, x1] = span(cells.x0, cells.dx, cells.columns, labels?.x);
  const [y0, y1] = span(cells.y0, cells.dy, cells.rows, labels?.y);
  return { x0, x1, y0, y1 };
}
