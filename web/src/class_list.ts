// The classes: a group of radio buttons, each with its color, its name and what can be done with it.

import { Chips, type ChipsHost } from "./chips";
import { h, iconButton } from "./dom";
import { t } from "./language";
import type { StrokeClass, StrokeDocument } from "./protocol";
import { isLocked } from "./regions";

export interface ClassListHost extends ChipsHost {
  changeClass(value: number, change: Partial<StrokeClass>): void;
  deleteClass(value: number): void;
  toggleLock(value: number): void;
  toggleHidden(value: number): void;
  isHidden(value: number): boolean;
}

interface Row {
  element: HTMLElement;
  radio: HTMLInputElement;
  name: HTMLInputElement;
}

export class ClassList {
  readonly element = h("div", { class: "class-list", role: "radiogroup", "aria-label": t("classToDraw"), "data-testid": "class-list" });
  private rows = new Map<number, Row>();
  private listed = "";
  private redraw: () => void = () => undefined;

  readonly chips: Chips;

  constructor(private host: ClassListHost) {
    this.chips = new Chips(host);
  }

  /** `provisional`: classes that are assumed to be everything else until somebody draws them. */
  show(document: StrokeDocument, chosen: number, provisional: number[]): void {
    this.redraw = () => this.show(document, chosen, provisional);
    this.chips.show(document, chosen);
    const counts = new Map<number, number>();
    for (const item of document.items) if (!item.pinned) counts.set(item.value, (counts.get(item.value) ?? 0) + 1);
    const locks = document.classes.map((c) => isLocked(document.items, c.value));
    const hidden = document.classes.map((c) => this.host.isHidden(c.value));
    // Rows stay where nothing but the choice has changed, and while a name is being typed.
    const listed = JSON.stringify([document.classes, [...counts], provisional, locks, hidden]);
    if (listed !== this.listed && !this.element.querySelector("input[type=text]:not([readonly])")) {
      this.listed = listed;
      const focused = [...this.rows].find(([, row]) => row.element.contains(globalThis.document.activeElement))?.[0];
      this.rows = new Map(document.classes.map((c, i) => {
        const strokes = counts.get(c.value) ?? 0;
        const label = strokes === 0 && provisional.includes(c.value) ? provisionalTag() : strokeCount(strokes);
        return [c.value, this.row(c, i, label, document.classes.length, locks[i])];
      }));
      this.element.replaceChildren(...[...this.rows.values()].map((row) => row.element));
      if (focused !== undefined) this.rows.get(focused)?.radio.focus();
    }
    for (const [value, row] of this.rows) {
      row.element.classList.toggle("chosen", value === chosen);
      row.radio.checked = value === chosen;
    }
  }

  /** Lets the name of a class be typed. */
  rename(value: number): void {
    const name = this.rows.get(value)?.name;
    if (!name) return;
    name.readOnly = false;
    name.focus();
    name.select();
  }

  private row(c: StrokeClass, index: number, label: HTMLElement, count: number, locked: boolean): Row {
    const choose = () => this.host.choose(c.value);
    const radio = h("input", { type: "radio", name: "class", class: "hidden-input", "aria-label": c.name, change: choose });
    const color = h("input", {
      type: "color", value: c.color ?? "#888888", title: t("color"), "aria-label": t("colorOf", c),
      change: () => this.host.changeClass(c.value, { color: color.value }),
    });
    const name = this.name(c);
    const lock = iconButton(locked ? "locked" : "unlocked", t(locked ? "unlockClass" : "lockClass", c), `lock-${c.value}`, () => this.host.toggleLock(c.value));
    lock.setAttribute("aria-pressed", String(locked));
    const isHidden = this.host.isHidden(c.value);
    const hide = iconButton(isHidden ? "hidden" : "shown", t(isHidden ? "showClass" : "hideClass", c), `hide-${c.value}`, () => this.host.toggleHidden(c.value));
    hide.setAttribute("aria-pressed", String(isHidden));
    const buttons = [hide, lock];
    if (count > 1) buttons.push(iconButton("close", t("deleteClass", c), `delete-${c.value}`, () => this.host.deleteClass(c.value)));
    for (const button of buttons) button.addEventListener("click", (e) => e.stopPropagation());
    const element = h("div", { class: "class-row", "data-testid": `class-${c.value}`, click: (e: MouseEvent) => { if (e.target !== radio) choose(); } },
      radio, h("kbd", { "aria-hidden": "true" }, String(index + 1)), color, name, label, ...buttons);
    return { element, radio, name };
  }

  private name(c: StrokeClass): HTMLInputElement {
    const name = h("input", {
      type: "text", value: c.name, maxlength: "100", spellcheck: "false", readonly: true, tabindex: "-1", "aria-label": t("className"),
      title: t("renameTitle"),
      mousedown: (e: MouseEvent) => { if (name.readOnly) e.preventDefault(); },
      // A second tap, however late: two quick ones are hard on a phone.
      click: (e: PointerEvent) => { if (name.readOnly && e.pointerType === "touch" && this.rows.get(c.value)?.radio.checked) this.rename(c.value); },
      dblclick: () => { if (name.readOnly || name.value === c.name) this.rename(c.value); },
      keydown: (e: KeyboardEvent) => {
        if (name.readOnly || (e.key !== "Enter" && e.key !== "Escape")) return;
        e.stopPropagation();
        if (e.key === "Escape") name.value = c.name;
        name.blur();
        this.rows.get(c.value)?.radio.focus(); // its row may be another by now
      },
      blur: () => {
        if (name.readOnly) return;
        name.readOnly = true;
        name.setSelectionRange(0, 0);
        const typed = name.value.trim();
        name.value = c.name; // until the change is taken
        this.listed = ""; // what was put off while it was typed
        if (typed === c.name) this.redraw();
        else this.host.changeClass(c.value, { name: typed });
      },
    });
    return name;
  }
}

function strokeCount(strokes: number): HTMLElement {
  return h("span", { class: "count", title: strokes === 1 ? t("oneStroke") : t("someStrokes", { count: strokes }) }, strokes ? String(strokes) : "");
}

function provisionalTag(): HTMLElement {
  return h("span", { class: "provisional", title: t("guessTitle"), "data-testid": "provisional" }, t("guess"));
}
