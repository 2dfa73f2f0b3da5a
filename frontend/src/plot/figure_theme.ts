// The host's colours in a figure.

import type { Theme } from "../lib/theme.ts";
import type { Layout, Trace } from "./plotly_internals.ts";

const SHADES = {
  light: { ink: "#24292f", axis: "#8c959f", grid: "rgba(110,118,129,0.22)" },
  dark: { ink: "#e2e4e9", axis: "#767d86", grid: "rgba(160,168,179,0.20)" },
};

/**
 * Put a theme's colours into a layout and its traces' colour bars, in place.
 *
 * Colours with a meaning (shapes, bars, annotations that set their own) stay as the figure has them.
 */
export function paintTheme(layout: Layout, data: readonly Trace[], theme: Theme): void {
  const shade = SHADES[theme];
  layout.paper_bgcolor = layout.plot_bgcolor = "rgba(0,0,0,0)";
  layout.font = { ...layout.font, color: shade.ink };
  layout.hoverlabel = {
    bgcolor: "rgba(32,32,36,0.95)",
    bordercolor: "rgba(255,255,255,0.16)",
    ...layout.hoverlabel,
    font: { color: "#f4f4f4", size: 12, ...layout.hoverlabel?.font },
  };
  // biome-ignore lint/suspicious/noExplicitAny: whatever has fonts
  const inked = (part: any) => {
    if (part?.tickfont) part.tickfont.color = shade.ink;
    if (part?.title?.font) part.title.font.color = shade.ink;
  };
  const named = Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key));
  for (const name of new Set(["xaxis", "yaxis", ...named])) {
    layout[name] ??= {};
    const axis = layout[name];
    Object.assign(axis, {
      color: shade.axis,
      gridcolor: shade.grid,
      linecolor: shade.axis,
      tickcolor: shade.axis,
      zerolinecolor: shade.grid,
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
