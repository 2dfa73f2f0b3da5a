// The place on the page where a Plot is shown. Small on purpose: anywidget gives up on a module
// that takes two seconds to import. What draws comes from the shared library model, once a page.

const LIBRARIES = Symbol.for("attention-explorer.libraries");

async function importText(...parts) {
  const url = URL.createObjectURL(new Blob(parts, { type: "text/javascript" }));
  try {
    return await import(url);
  } finally {
    URL.revokeObjectURL(url);
  }
}

function filled(model, name) {
  const value = () => model.get(name);
  return new Promise((resolve) => {
    if (value()?.byteLength) return resolve(value());
    const look = () => {
      if (!value()?.byteLength) return;
      model.off(`change:${name}`, look);
      resolve(value());
    };
    model.on(`change:${name}`, look);
  });
}

async function load(model) {
  // plotly.js leaves itself on `window`; whatever another extension put there is put back.
  const plotly = importText(
    "const before = globalThis.Plotly; const module = { exports: {} };\n",
    await filled(model, "plotly"),
    "\nif (before === undefined) delete globalThis.Plotly; else globalThis.Plotly = before;",
    "\nexport default module.exports;",
  );
  const view = importText(model.get("view"));
  return { Plotly: (await plotly).default, mount: (await view).mount };
}

function library(model) {
  const shared = (globalThis[LIBRARIES] ??= new Map());
  const release = model.get("release");
  if (!shared.has(release)) {
    const loading = load(model);
    shared.set(release, loading);
    loading.catch(() => shared.delete(release)); // the next view may try again
  }
  return shared.get(release);
}

function note(el, text, role = "status") {
  const line = document.createElement("p");
  line.className = "explorer-plot-note";
  line.setAttribute("role", role);
  line.textContent = text;
  el.replaceChildren(line);
}

function render({ model, el, signal }) {
  el.classList.add("explorer-plot");
  el.dataset.state = "loading";
  let unmount = () => {};
  let removed = false;
  const start = async () => {
    const manager = model.widget_manager;
    const channel = await manager.get_model(model.get("channel_id"));
    el.style.height = `${channel.get("marks").height ?? 360}px`;
    const slow = setTimeout(() => note(el, "Loading the drawing library…"), 300);
    try {
      const { Plotly, mount } = await library(await manager.get_model(model.get("library_id")));
      clearTimeout(slow);
      if (removed) return;
      el.replaceChildren();
      unmount = mount({ channel, el, Plotly });
    } finally {
      clearTimeout(slow);
    }
  };
  start().catch((error) => {
    console.error("[explorer] plot", error);
    el.dataset.state = "failed";
    note(el, `This plot could not be started: ${error.message ?? error}. Run its cell again.`, "alert");
  });
  const remove = () => {
    if (removed) return;
    removed = true;
    unmount();
  };
  signal?.addEventListener("abort", remove);
  return remove;
}

export default { render };
