// @vitest-environment happy-dom
import { afterEach, describe, expect, it, vi } from "vitest";
import { followTheme, hostTheme } from "../src/lib/theme.ts";

const root = document.documentElement;
let systemChanged: () => void = () => {};

function system(dark: boolean): void {
  window.matchMedia = vi.fn().mockReturnValue({
    matches: dark,
    addEventListener: (_: string, handler: () => void) => {
      systemChanged = handler;
    },
    removeEventListener: () => {
      systemChanged = () => {};
    },
  });
}

afterEach(() => {
  for (const node of [document.body, root]) {
    for (const { name } of [...node.attributes]) node.removeAttribute(name);
  }
});

const HOSTS: [
  host: string,
  on: "body" | "root",
  attribute: string,
  value: string,
  theme: string,
][] = [
  ["Lab, Notebook and Voila", "body", "data-jp-theme-light", "true", "light"],
  ["Lab, Notebook and Voila", "body", "data-jp-theme-light", "false", "dark"],
  ["VS Code", "body", "data-vscode-theme-kind", "vscode-light", "light"],
  ["VS Code", "body", "data-vscode-theme-kind", "vscode-dark", "dark"],
  ["VS Code", "body", "data-vscode-theme-kind", "vscode-high-contrast", "dark"],
  ["VS Code", "body", "data-vscode-theme-kind", "vscode-high-contrast-light", "light"],
  ["VS Code, on its root", "root", "data-vscode-theme-kind", "vscode-dark", "dark"],
  ["Colab", "root", "theme", "dark", "dark"],
  ["Colab", "root", "theme", "light", "light"],
  ["VS Code, by a class", "body", "class", "vscode-body vscode-dark", "dark"],
  ["VS Code, by a class", "body", "class", "vscode-high-contrast-light", "light"],
  ["a documentation page", "root", "data-theme", "dark", "dark"],
  ["a page of Bootstrap", "root", "data-bs-theme", "dark", "dark"],
  ["a page of Bootstrap", "body", "data-bs-theme", "light", "light"],
  ["a page of Tailwind", "root", "class", "h-full dark", "dark"],
  ["a page with a background", "body", "style", "background-color: rgb(17, 17, 20)", "dark"],
  ["a page with a background", "body", "style", "background-color: rgb(250, 250, 250)", "light"],
];

describe("hostTheme", () => {
  it.each(HOSTS)("reads %s: %s %s=%s is %s", (_, on, attribute, value, theme) => {
    system(theme === "light"); // what the host says counts, not the system
    (on === "body" ? document.body : root).setAttribute(attribute, value);
    expect(hostTheme()).toBe(theme);
  });

  it("reads the theme that the address of a Voila page asks for", () => {
    system(false);
    history.replaceState(null, "", "?theme=dark");
    expect(hostTheme()).toBe("dark");
    document.body.setAttribute("data-jp-theme-light", "true"); // the page itself knows better
    expect(hostTheme()).toBe("light");
    history.replaceState(null, "", location.pathname);
  });

  it("takes no word from a background that is not there", () => {
    system(true);
    document.body.setAttribute("style", "background-color: rgba(255, 255, 255, 0)");
    expect(hostTheme()).toBe("dark");
  });

  it("follows the system where the host says nothing", () => {
    system(true);
    expect(hostTheme()).toBe("dark");
    root.setAttribute("data-theme", "auto");
    expect(hostTheme()).toBe("dark");
    document.body.setAttribute("data-jp-theme-light", "");
    system(false);
    expect(hostTheme()).toBe("light");
  });
});

describe("followTheme", () => {
  it("tells the theme at once and when it changes, once each", async () => {
    system(false);
    const told: string[] = [];
    const stop = followTheme((theme) => told.push(theme));
    expect(told).toEqual(["light"]);
    document.body.setAttribute("data-jp-theme-light", "false");
    await vi.waitFor(() => expect(told).toEqual(["light", "dark"]));
    document.body.className = "other";
    document.body.setAttribute("data-jp-theme-light", "true");
    await vi.waitFor(() => expect(told).toEqual(["light", "dark", "light"]));
    stop();
  });

  it("hears of the system's change until it is stopped", () => {
    system(false);
    const told: string[] = [];
    const stop = followTheme((theme) => told.push(theme));
    const changed = systemChanged;
    system(true);
    changed();
    expect(told).toEqual(["light", "dark"]);
    stop();
  });
});
