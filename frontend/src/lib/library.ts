// Code that the kernel sends a page once, however many plots and panels are on it.

import type { Model } from "./model.ts";

/** The traits of the library's model. */
export interface LibraryState {
  /** plotly.js; empty as long as it is on its way. */
  readonly plotly: DataView | null;
  /** The module that draws plots and panels. */
  readonly page: string;
  /** By what a page keeps its copy, so that two kernels of different releases do not mix. */
  readonly release: string;
}

const LIBRARIES = Symbol.for("attention-explorer.libraries");

type Loaded = Map<string, Promise<unknown>>;

/** Return what `load` resolves to, once for a page and a release; a failure may be tried again. */
export function oncePerPage<Module>(
  library: Model<LibraryState>,
  part: string,
  load: () => Promise<Module>,
): Promise<Module> {
  const page = globalThis as unknown as Record<symbol, Loaded | undefined>;
  const loaded = page[LIBRARIES] ?? new Map<string, Promise<unknown>>();
  page[LIBRARIES] = loaded;
  const key = `${library.get("release")} ${part}`;
  const known = loaded.get(key);
  if (known) return known as Promise<Module>;
  const loading = load();
  loaded.set(key, loading);
  loading.catch(() => loaded.delete(key));
  return loading;
}

/** Return the module that these texts make together. */
export async function importText(
  ...parts: (DataView | string)[]
): Promise<Record<string, unknown>> {
  const blob = new Blob(parts as BlobPart[], { type: "text/javascript" });
  const url = URL.createObjectURL(blob);
  try {
    return await import(/* @vite-ignore */ url);
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** Return plotly.js, when the kernel has sent it. */
export async function loadPlotly(library: Model<LibraryState>): Promise<unknown> {
  // plotly.js leaves itself on `window`; whatever another extension put there is put back.
  const module = await importText(
    "const before = globalThis.Plotly; const module = { exports: {} };\n",
    await filled(library),
    "\nif (before === undefined) delete globalThis.Plotly; else globalThis.Plotly = before;",
    "\nexport default module.exports;",
  );
  return module.default;
}

function filled(library: Model<LibraryState>): Promise<DataView> {
  return new Promise((resolve) => {
    const look = () => {
      const plotly = library.get("plotly");
      if (!plotly?.byteLength) return;
      library.off("change:plotly", look);
      resolve(plotly);
    };
    library.on("change:plotly", look);
    look();
  });
}
