// Whether the place that shows the page is light or dark, found without asking the kernel.

export type Theme = "light" | "dark";

/** Attributes in which hosts say it, with what they may hold. */
const SAID = ["data-vscode-theme-kind", "theme", "data-theme", "data-bs-theme", "data-color-mode"];
const WATCHED = ["data-jp-theme-light", "data-jp-theme-name", ...SAID, "class", "style"];
/** Classes of the body or the root in which hosts say it. */
const CLASSES: Readonly<Record<string, Theme>> = {
  "vscode-dark": "dark",
  "vscode-high-contrast": "dark",
  "vscode-light": "light",
  "vscode-high-contrast-light": "light",
  dark: "dark",
  light: "light",
  "theme-dark": "dark",
  "theme-light": "light",
};
const DARKER = 0.4; // luminance of a background below which it is dark

/**
 * Return the theme of the host.
 *
 * JupyterLab, Notebook and Voila say it in `data-jp-theme-light`; VS Code in
 * `data-vscode-theme-kind` or a class; Colab in the attribute `theme` of the root; Bootstrap,
 * documentation pages and others in attributes or classes of their own; Voila may be asked for a
 * theme in its address. Any other page says it by its background, and one without follows the
 * system.
 */
export function hostTheme(): Theme {
  const nodes = [document.body, document.documentElement].filter(Boolean);
  const jupyter = firstOf(nodes, (node) => node.dataset.jpThemeLight);
  if (jupyter) return jupyter === "false" ? "dark" : "light";
  return (
    said(nodes) ??
    classed(nodes) ??
    asked() ??
    background(nodes) ??
    (darkSystem() ? "dark" : "light")
  );
}

/** Call `update` with the theme now, and whenever it changes; returns what ends that. */
export function followTheme(update: (theme: Theme) => void): () => void {
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

function firstOf<Place, Found>(
  places: readonly Place[],
  look: (place: Place) => Found | null | undefined,
): Found | null {
  for (const place of places) {
    const found = look(place);
    if (found) return found;
  }
  return null;
}

/** What attributes say: the last word of “vscode-high-contrast-light” counts. */
function said(nodes: readonly HTMLElement[]): Theme | null {
  return firstOf(nodes, (node) => firstOf(SAID, (name) => word(name, node.getAttribute(name))));
}

function word(name: string, value: string | null): Theme | null {
  if (value?.endsWith("light")) return "light";
  if (value?.endsWith("dark") || (name === SAID[0] && value)) return "dark";
  return null;
}

function classed(nodes: readonly HTMLElement[]): Theme | null {
  return firstOf(nodes, (node) => {
    const name = [...node.classList].find((one) => one in CLASSES);
    return name ? CLASSES[name] : null;
  });
}

/** What the address of a Voila page asks for. */
function asked(): Theme | null {
  const theme = new URLSearchParams(location.search).get("theme");
  return theme === "dark" || theme === "light" ? theme : null;
}

/** What a background that the page itself has chosen says. */
function background(nodes: readonly HTMLElement[]): Theme | null {
  return firstOf(nodes, (node) => {
    const numbers = getComputedStyle(node)
      .backgroundColor.match(/[\d.]+/g)
      ?.map(Number);
    if (!numbers || numbers.length < 3 || numbers[3] === 0) return null;
    const [red, green, blue] = numbers;
    return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255 < DARKER ? "dark" : "light";
  });
}

function darkSystem(): boolean {
  return Boolean(darkQuery()?.matches);
}

function darkQuery(): MediaQueryList | undefined {
  return window.matchMedia?.("(prefers-color-scheme: dark)");
}
