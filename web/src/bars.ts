// The bars around the image: their buttons, and where everything stands on the page.

import { exportMenu, filePicker, imageName, importMenu, notices, position, progress, status, toggleQueue, veil } from "./chrome";
import { h, icon, iconButton } from "./dom";
import type { Tool } from "./gestures";
import { t } from "./language";
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
  slices: HTMLElement;
  chips: HTMLElement;
}

const TOOLS: [Tool, string][] = [
  ["brush", t("brush")],
  ["eraser", t("eraser")],
  ["remove", t("remove")],
  ["paint", t("paint")],
  ["wipe", t("wipe")],
  ["pin", t("pin")],
  ["shape", t("shape")],
  ["pan", t("pan")],
];

export class Bars {
  private undo: HTMLButtonElement;
  private redo: HTMLButtonElement;
  private clear: HTMLButtonElement;
  private previous: HTMLButtonElement;
  private next: HTMLButtonElement;
  private list = iconButton("list", t("toggleQueue"), "toggle-queue", toggleQueue);
  private tools: Map<Tool, HTMLButtonElement>;

  constructor(private host: BarsHost) {
    this.undo = iconButton("undo", t("undo"), "undo", () => host.undo());
    this.redo = iconButton("redo", t("redo"), "redo", () => host.redo());
    this.previous = iconButton("previous", t("previous"), "previous", () => host.step(-1));
    this.next = iconButton("next", t("next"), "next", () => host.step(1));
    this.clear = h("button", { type: "button", class: "text-button plain", "data-testid": "clear", title: t("clearTitle"), "aria-label": t("clearLabel"), click: () => host.clear() });
    this.clear.append(icon("clear"), h("span", {}, t("clear")));
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
    const actual = h("button", { type: "button", class: "icon-button text", title: t("actualSize"), "aria-label": "1:1, 100 %", "data-testid": "zoom-100", click: () => host.setScale(1) }, "1:1");
    const main = h("main", {}, host.chips, stage, host.slices, host.hints, notices, veil);
    document.querySelector("#app")!.append(
      h("header", { class: "bar" },
        h("h1", { class: "brand" }, "Saccade"),
        h("div", { class: "group" }, this.previous, imageName, this.next, position, host.notes),
        status,
        h("div", { class: "group end" }, this.undo, this.redo, this.clear),
        h("div", { class: "group" }, menuButton("import", t("import"), "import", importMenu), menuButton("export", t("export"), "export", exportMenu)),
        h("div", { class: "group" },
          iconButton("sun", t("theme"), "theme", toggleTheme),
          iconButton("help", t("help"), "help", () => host.showKeys()),
          this.list,
          iconButton("panel", t("togglePanel"), "toggle-panel", () => document.body.classList.toggle("no-panel"))),
        progress),
      h("nav", { class: "tools", "aria-label": t("tools") }, ...this.tools.values(), h("hr", {}),
        iconButton("fit", t("wholeImage"), "zoom-fit", () => host.setScale(null)), actual),
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
