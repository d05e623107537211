// The bars around the image: their buttons, and where everything stands on the page.

import { exportMenu, filePicker, imageName, importMenu, notices, position, progress, status, toggleQueue, veil } from "./chrome";
import { h, icon, iconButton } from "./dom";
import type { Tool } from "./gestures";
import { menuButton } from "./menus";
import { toggleTheme } from "./theme";

export interface BarsHost {
  undo(): void;
  redo(): void;
  clear(): void;
  step(by: number): void;
  setTool(tool: Tool): void;
  setScale(scale: number | null): void;
  showKeys(): void;
  /** Files that were dropped. */
  take(files: Iterable<File>): void;
  notes: HTMLElement;
  queue: HTMLElement;
  hints: HTMLElement;
}

const TOOLS: [Tool, string][] = [
  ["brush", "Brush (B)"],
  ["eraser", "Eraser (E)"],
  ["remove", "Remove a whole stroke (R)"],
  ["paint", "Paint on the mask: it stays (G)"],
  ["wipe", "Take from the mask of the class: it stays (T)"],
  ["pin", "Pin a region: it stays as it is (P)"],
  ["pan", "Move the image (H)"],
];

export class Bars {
  private undo: HTMLButtonElement;
  private redo: HTMLButtonElement;
  private clear: HTMLButtonElement;
  private previous: HTMLButtonElement;
  private next: HTMLButtonElement;
  private list = iconButton("list", "Show or hide the list of images", "toggle-queue", toggleQueue);
  private tools: Map<Tool, HTMLButtonElement>;

  constructor(private host: BarsHost) {
    this.undo = iconButton("undo", "Undo (Ctrl Z)", "undo", () => host.undo());
    this.redo = iconButton("redo", "Redo (Ctrl Shift Z)", "redo", () => host.redo());
    this.previous = iconButton("previous", "Previous image (A)", "previous", () => host.step(-1));
    this.next = iconButton("next", "Next image (D)", "next", () => host.step(1));
    this.clear = h("button", { type: "button", class: "text-button plain", "data-testid": "clear", title: "Remove all strokes (Ctrl Del)", "aria-label": "Clear: remove all strokes", click: () => host.clear() });
    this.clear.append(icon("clear"), h("span", {}, "Clear"));
    this.tools = new Map(TOOLS.map(([tool, label]) => [tool, iconButton(tool, label, `tool-${tool}`, () => host.setTool(tool))]));
  }

  showTool(tool: Tool): void {
    for (const [name, button] of this.tools) button.setAttribute("aria-pressed", String(name === tool));
  }

  showHistory(canUndo: boolean, canRedo: boolean, empty: boolean): void {
    this.undo.disabled = !canUndo;
    this.redo.disabled = !canRedo;
    this.clear.disabled = empty;
  }

  showCount(images: number): void {
    for (const button of [this.previous, this.next]) button.disabled = images < 2;
    this.list.hidden = images < 2;
  }

  /** Put the page together. */
  layOut(stage: HTMLElement, panel: HTMLElement, keys: HTMLElement): void {
    const { host } = this;
    const actual = h("button", { type: "button", class: "icon-button text", title: "100 % (Shift 1)", "aria-label": "1:1, 100 %", "data-testid": "zoom-100", click: () => host.setScale(1) }, "1:1");
    const main = h("main", {}, stage, host.hints, notices, veil);
    document.querySelector("#app")!.append(
      h("header", { class: "bar" },
        h("h1", { class: "brand" }, "Saccade"),
        h("div", { class: "group" }, this.previous, imageName, this.next, position, host.notes),
        status,
        h("div", { class: "group end" }, this.undo, this.redo, this.clear),
        h("div", { class: "group" }, menuButton("import", "Import", "import", importMenu), menuButton("export", "Export", "export", exportMenu)),
        h("div", { class: "group" },
          iconButton("sun", "Light or dark", "theme", toggleTheme),
          iconButton("help", "Keys (?)", "help", () => host.showKeys()),
          this.list,
          iconButton("panel", "Show or hide the panel", "toggle-panel", () => document.body.classList.toggle("no-panel"))),
        progress),
      h("nav", { class: "tools", "aria-label": "Tools" }, ...this.tools.values(), h("hr", {}),
        iconButton("fit", "Whole image (0)", "zoom-fit", () => host.setScale(null)), actual),
      host.queue, main, panel, keys, filePicker);
    main.addEventListener("dragover", (e) => { e.preventDefault(); main.classList.add("drop"); });
    main.addEventListener("dragleave", () => main.classList.remove("drop"));
    main.addEventListener("drop", (e) => {
      e.preventDefault();
      main.classList.remove("drop");
      host.take(e.dataTransfer?.files ?? []);
    });
  }
}
