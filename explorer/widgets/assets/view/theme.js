// Light or dark, as the host is, and without asking the kernel.

const SHADES = {
  light: { ink: "#24292f", axis: "#8c959f", grid: "rgba(110,118,129,0.22)", line: "#6e7681" },
  dark: { ink: "#e2e4e9", axis: "#767d86", grid: "rgba(160,168,179,0.20)", line: "#9aa1aa" },
};

function hostTheme() {
  const body = document.body?.dataset ?? {};
  if (body.jpThemeLight) return body.jpThemeLight === "false" ? "dark" : "light";
  const code = body.vscodeThemeKind ?? document.documentElement.dataset.vscodeThemeKind;
  if (code) return /light/.test(code) ? "light" : "dark";
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

function watchTheme(changed) {
  let theme = hostTheme();
  const look = () => {
    const now = hostTheme();
    if (now === theme) return;
    theme = now;
    changed(now);
  };
  const observer = new MutationObserver(look);
  const attributeFilter = ["data-jp-theme-light", "data-vscode-theme-kind", "class"];
  observer.observe(document.body, { attributes: true, attributeFilter });
  observer.observe(document.documentElement, { attributes: true, attributeFilter });
  const media = matchMedia("(prefers-color-scheme: dark)");
  media.addEventListener("change", look);
  return () => {
    observer.disconnect();
    media.removeEventListener("change", look);
  };
}

// Put a theme's colours into a layout and its traces' colour bars, in place. Colours with a meaning
// (shapes, bars, annotations that set their own) stay as the figure has them.
function paint(layout, data, theme) {
  const shade = SHADES[theme];
  layout.paper_bgcolor = layout.plot_bgcolor = "rgba(0,0,0,0)";
  layout.font = { ...layout.font, color: shade.ink };
  layout.hoverlabel = {
    bgcolor: "rgba(32,32,36,0.95)", bordercolor: "rgba(255,255,255,0.16)", ...layout.hoverlabel,
    font: { color: "#f4f4f4", size: 12, ...layout.hoverlabel?.font },
  };
  const inked = (part) => {
    if (part?.tickfont) part.tickfont.color = shade.ink;
    if (part?.title?.font) part.title.font.color = shade.ink;
  };
  const axes = new Set(["xaxis", "yaxis", ...Object.keys(layout).filter((k) => /^[xy]axis\d*$/.test(k))]);
  for (const name of axes) {
    const axis = (layout[name] ??= {});
    Object.assign(axis, {
      color: shade.axis, gridcolor: shade.grid, linecolor: shade.axis, tickcolor: shade.axis,
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
