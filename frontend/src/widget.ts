// The place on the page where a plot or a panel is shown. Small on purpose: it comes with every
// widget, and anywidget gives up on a module that takes two seconds to import. What draws comes from
// the library's model, once for a page.

import { importText, type LibraryState, oncePerPage } from "./lib/library.ts";
import type { Model } from "./lib/model.ts";
import type { mount } from "./page.ts";

interface WidgetState {
  /** What is shown: `plot`, or the name of a panel. */
  readonly part: string;
  readonly channel_id: string;
  readonly library_id: string;
}

interface WidgetModel extends Model<WidgetState> {
  readonly widget_manager: { get_model(id: string): Promise<unknown> };
}

interface Place {
  readonly model: WidgetModel;
  readonly el: HTMLElement;
  readonly signal?: AbortSignal;
}

function render({ model, el, signal }: Place): () => void {
  let unmount: (() => void) | undefined;
  let removed = false;
  const start = async () => {
    const find = (id: string) => model.widget_manager.get_model(id);
    const channel = (await find(model.get("channel_id"))) as Model<object>;
    const library = (await find(model.get("library_id"))) as Model<LibraryState>;
    const page = await oncePerPage(library, "page", () => importText(library.get("page")));
    if (!removed) unmount = (page.mount as typeof mount)(model.get("part"), channel, library, el);
  };
  start().catch((error) => {
    console.error("[explorer] widget", error);
    const alert = document.createElement("p");
    alert.setAttribute("role", "alert");
    alert.textContent = `This part could not be started: ${error?.message ?? error}. Run its cell again.`;
    el.replaceChildren(alert);
  });
  const remove = () => {
    if (removed) return;
    removed = true;
    unmount?.();
  };
  signal?.addEventListener("abort", remove);
  return remove;
}

export default { render };
