// Tick labels: as many as there is room for, and every token as text.

const LABEL_LENGTH = 14;
const LABEL_GAP = 14; // CSS pixels from one label to the next
const STEPS = [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 2500, 5000, 10000];

// plotly reads tags and entities in its texts; a token has neither.
function asText(token) {
  return String(token).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function shortened(token) {
  const letters = Array.from(String(token));
  return letters.length > LABEL_LENGTH ? letters.slice(0, LABEL_LENGTH - 1).join("") + "…" : String(token);
}

// All labels of an axis as [position, plotly text]; null where plotly's own ticks do.
function allTicks(labels, axis) {
  if (labels?.length) return labels.map((token, i) => [i, asText(shortened(token))]);
  const values = asArray(axis?.tickvals);
  const texts = asArray(axis?.ticktext);
  if (axis?.tickmode === "linear" || !values || !texts || texts.length < 2) return null;
  return Array.from(values, (value, i) => [value, String(texts[i] ?? "")]);
}

// The ticks to draw in the visible range, so that no two labels touch.
function thinned(ticks, fullAxis) {
  const [a, b] = fullAxis.range.map((r) => fullAxis.r2c?.(r) ?? Number(r));
  const [low, high] = a < b ? [a, b] : [b, a];
  const place = (value) => Number(fullAxis.d2c?.(value) ?? value);
  const visible = [];
  ticks.forEach(([value], i) => {
    const at = place(value);
    if (at >= low && at <= high) visible.push(i);
  });
  if (!visible.length) return { tickvals: [], ticktext: [] };
  const count = visible[visible.length - 1] - visible[0] + 1;
  const pixels = fullAxis._length * Math.min(1, visible.length > 1
    ? Math.abs(place(ticks[visible[visible.length - 1]][0]) - place(ticks[visible[0]][0])) / (high - low) * count / (count - 1)
    : 1);
  const step = STEPS.find((s) => (pixels / count) * s >= LABEL_GAP) ?? STEPS.at(-1);
  // Multiples of the step, not every step-th from the edge: labels stay put while panning.
  const shown = visible.filter((i) => i % step === 0);
  return { tickvals: shown.map((i) => ticks[i][0]), ticktext: shown.map((i) => ticks[i][1]) };
}
