// Draws the figures of a report for the width and the colour scheme of the page.
(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const SHADES = {
    light: { ink: "#24292f", axis: "#8c959f", grid: "rgba(110,118,129,0.22)" },
    dark: { ink: "#e2e4e9", axis: "#767d86", grid: "rgba(160,168,179,0.20)" },
  };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const paper = matchMedia("print");
  const main = document.querySelector("main");
  const places = [...document.querySelectorAll("figure[data-figure]")].filter((place) => figures[place.dataset.figure]);
  const shown = new Map();

  // Data colours stay; text, axes and grid follow the page.
  function painted(layout, shade) {
    layout.font = { ...layout.font, color: shade.ink };
    for (const name of Object.keys(layout)) {
      if (!/^[xy]axis\d*$/.test(name)) continue;
      const axis = layout[name];
      Object.assign(axis, { color: shade.axis, gridcolor: shade.grid, linecolor: shade.axis, tickcolor: shade.axis });
      axis.tickfont = { ...axis.tickfont, color: shade.ink };
      if (axis.title) axis.title = { ...axis.title, font: { ...axis.title.font, color: shade.ink } };
    }
    return layout;
  }

  function draw(printing) {
    const style = getComputedStyle(main);
    const room = main.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const size = !printing && room >= figures.widths.wide ? "wide" : "narrow";
    const theme = !printing && dark.matches ? "dark" : "light";
    const wanted = `${size} ${theme}`;
    for (const place of places) {
      // A figure in a closed disclosure has no size.
      if (shown.get(place) === wanted || place.closest("details:not([open])")) continue;
      shown.set(place, wanted);
      // Plotly changes its input, so each drawing starts from a copy.
      const { data, layout } = structuredClone(figures[place.dataset.figure][size]);
      layout.width = figures.widths[size];
      Plotly.react(place, data, painted(layout, SHADES[theme]), { displayModeBar: false, responsive: false });
    }
  }

  draw(paper.matches);
  document.documentElement.classList.add("drawn");
  dark.addEventListener("change", () => draw(paper.matches));
  paper.addEventListener("change", () => draw(paper.matches));
  addEventListener("toggle", () => draw(paper.matches), true);
  addEventListener("beforeprint", () => draw(true));
  addEventListener("afterprint", () => draw(false));
  addEventListener("resize", () => draw(paper.matches));
})();
