// Whether the place that shows the page is light or dark, found without asking the kernel.

export type Theme = "light" | "dark";

const WATCHED = ["data-jp-theme-light", "data-vscode-theme-kind", "theme", "data-theme", "class"];

/**
 * Return the theme of the host.
 *
 * JupyterLab, Notebook and Voila say it in `data-jp-theme-light`, VS Code in
 * `data-vscode-theme-kind`, Colab in the attribute `theme` of the root, documentation pages in its
 * `data-theme`. Any other page follows the system.
 */
export function hostTheme(): Theme {
  const body = document.body?.dataset ?? {};
  const root = document.documentElement;
  const jupyter = body.jpThemeLight ?? root.dataset.jpThemeLight;
  if (jupyter) return jupyter === "false" ? "dark" : "light";
  const code = body.vscodeThemeKind ?? root.dataset.vscodeThemeKind;
  if (code) return code.endsWith("light") ? "light" : "dark";
  const named = root.getAttribute("theme") ?? root.dataset.theme;
  if (named === "dark" || named === "light") return named;
  return darkSystem()?.matches ? "dark" : "light";
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
  const system = darkSystem();
  system?.addEventListener("change", look);
  update(last);
  return () => {
    observer.disconnect();
    system?.removeEventListener("change", look);
  };
}

function darkSystem(): MediaQueryList | undefined {
  return window.matchMedia?.("(prefers-color-scheme: dark)");
}
