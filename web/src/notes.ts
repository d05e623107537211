// What was assumed, converted or left out of the image and its strokes: a button beside its name,
// which is there when there is something to say, and stands out until it was looked at.

import { notesMenu } from "./chrome";
import { h } from "./dom";
import { t } from "./language";
import { menuButton } from "./menus";

export class Notes {
  readonly element = menuButton("note", t("notes"), "notes", notesMenu);
  private button = this.element.querySelector("button")!;
  private count = this.element.querySelector("span")!;
  private lines: string[] = [];

  constructor() {
    this.element.classList.add("notes");
    this.button.addEventListener("click", () => this.element.classList.remove("new"));
    this.show([]);
  }

  /** The lines of another image, or of this one opened again. */
  show(lines: string[]): void {
    const before = this.lines;
    const isNew = this.element.classList.contains("new");
    this.lines = [];
    this.add(lines);
    const same = lines.every((line) => before.includes(line));
    this.element.classList.toggle("new", lines.length > 0 && (isNew || !same));
  }

  /** Further lines; those that are there already change nothing. */
  add(lines: string[]): void {
    const unseen = [...new Set(lines)].filter((line) => !this.lines.includes(line));
    this.lines.push(...unseen);
    this.element.hidden = this.lines.length === 0;
    if (unseen.length > 0) this.element.classList.add("new");
    const title = this.lines.length === 1 ? t("oneNote") : t("someNotes", { count: this.lines.length });
    this.count.textContent = title;
    this.button.title = t("notesTitle");
    notesMenu.replaceChildren(h("ul", {}, ...this.lines.map((line) => h("li", { "data-testid": "note" }, line))));
  }
}
