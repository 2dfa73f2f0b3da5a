// Files dropped anywhere in the tab.

const TAB = ".ex-traces-panel";

/** Give files that are dropped in the tab of an element to `upload`; returns what stops it. */
export function dropTarget(el: HTMLElement, upload: (file: File) => void): () => void {
  // The tab is around this element once the host has put both on the page.
  const region = () => el.closest<HTMLElement>(TAB) ?? el;
  const mine = (event: DragEvent) => region().contains(event.target as Node | null);
  const take = (event: DragEvent) => {
    event.preventDefault();
    event.stopPropagation();
  };
  const over = (event: DragEvent) => {
    if (!mine(event) || !event.dataTransfer?.types.includes("Files")) return;
    take(event);
    region().classList.add("ex-dropping");
  };
  const leave = (event: DragEvent) => {
    if (!region().contains(event.relatedTarget as Node | null)) {
      region().classList.remove("ex-dropping");
    }
  };
  const drop = (event: DragEvent) => {
    region().classList.remove("ex-dropping");
    if (!mine(event)) return;
    const dropped = event.dataTransfer?.files[0];
    if (!dropped) return;
    take(event);
    upload(dropped);
  };
  // Before the host hears of it: JupyterLab has uses of its own for dropped files.
  document.addEventListener("dragover", over, true);
  document.addEventListener("dragleave", leave, true);
  document.addEventListener("drop", drop, true);
  return () => {
    document.removeEventListener("dragover", over, true);
    document.removeEventListener("dragleave", leave, true);
    document.removeEventListener("drop", drop, true);
  };
}
