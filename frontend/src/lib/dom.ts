// Elements of the page: made, filled and given texts. Nothing here keeps state of its own.

type Value = string | number | boolean | null | undefined;

type Handlers = {
  [Name in keyof HTMLElementEventMap as `on${Capitalize<Name>}`]?: (
    event: HTMLElementEventMap[Name],
  ) => unknown;
};

type Attributes = {
  [Name in `aria-${string}` | `data-${string}`]?: Value;
} & {
  [Name in
    | "accept"
    | "autocapitalize"
    | "autocomplete"
    | "checked"
    | "class"
    | "dir"
    | "disabled"
    | "download"
    | "hidden"
    | "href"
    | "inputmode"
    | "label"
    | "max"
    | "placeholder"
    | "role"
    | "scope"
    | "spellcheck"
    | "style"
    | "tabindex"
    | "title"
    | "type"
    | "value"]?: Value;
};

export type Props = Attributes & Handlers;
export type Child = Node | string | number | null | undefined | Child[];

/** Attributes that an element keeps as properties, and changes without its markup. */
const PROPERTIES = new Set(["value", "checked", "disabled"]);

/** Return an element with attributes, listeners (`on…`) and children; a text is never HTML. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  props?: Props | null,
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") {
      node.addEventListener(name.slice(2).toLowerCase(), value as EventListener);
    } else if (name === "class") node.className = String(value);
    else if (PROPERTIES.has(name)) (node as unknown as Record<string, unknown>)[name] = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...present(children));
  return node;
}

function present(children: Child[]): (Node | string)[] {
  return children.flatMap((child) => {
    if (child === null || child === undefined) return [];
    if (Array.isArray(child)) return present(child);
    return [typeof child === "number" ? String(child) : child];
  });
}

/** Give a node other children. */
export function replace(node: Element, ...children: Child[]): void {
  node.replaceChildren(...present(children));
}

/** Set a text only when it differs, so that screen readers and selections are left in peace. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** Replace the children of a node only when what they show differs from last time. */
export function refill(node: HTMLElement, shown: unknown, children: () => Child[]): void {
  const wanted = JSON.stringify(shown);
  if (node.dataset.shown === wanted) return;
  node.dataset.shown = wanted;
  replace(node, children());
}

const UNPIN = "explorer-unpin";

/** Ask the app that an element is in to unpin. */
export function askToUnpin(node: HTMLElement): void {
  node.dispatchEvent(new CustomEvent(UNPIN, { bubbles: true }));
}

/** Call `unpin` when a part of the app asks for it; returns what ends that. */
export function whenAskedToUnpin(node: HTMLElement, unpin: () => void): () => void {
  const hear = (event: Event) => {
    const app = (event.target as Element).closest(".explorer-app");
    if (!app || app.contains(node)) unpin();
  };
  document.addEventListener(UNPIN, hear);
  return () => document.removeEventListener(UNPIN, hear);
}

/** Esc unpins wherever the focus is, unless it has closed something or left a field. */
export function unpinByKey(node: HTMLElement): void {
  node.addEventListener("keydown", (event) => {
    const typing = (event.target as Element).matches("input:not([type=range]), textarea, select");
    if (event.key === "Escape" && !event.defaultPrevented && !typing) askToUnpin(node);
  });
}

/** Keys typed here belong to the app, not to the notebook's shortcuts. */
export function keepKeys(node: HTMLElement): void {
  node.addEventListener("keydown", (event) => event.stopPropagation());
  node.setAttribute("data-lm-suppress-shortcuts", "true");
}
