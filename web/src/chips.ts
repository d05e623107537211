// The classes in a row above the image, on a phone, where the panel is far from the thumb.

import { h, iconButton } from "./dom";
import { t } from "./language";
import type { StrokeDocument } from "./protocol";

export interface ChipsHost {
  choose(value: number): void;
  addClass(): void;
}

export class Chips {
  readonly element = h("div", { class: "chips", role: "group", "aria-label": t("classToDraw"), "data-testid": "chips" });
  private listed = "";

  constructor(private host: ChipsHost) {}

  show({ classes, items }: StrokeDocument, chosen: number): void {
    const drawn = new Set(items.filter((item) => !item.pinned).map((item) => item.value));
    const listed = JSON.stringify([classes, classes.map((c) => drawn.has(c.value))]);
    if (listed !== this.listed) {
      this.listed = listed;
      const scrolled = this.element.scrollLeft;
      this.element.replaceChildren(...classes.map((c) => {
        const swatch = h("span", { class: drawn.has(c.value) ? "swatch drawn" : "swatch" });
        swatch.style.color = c.color ?? "#888888";
        return h("button", { type: "button", class: "chip", "data-value": c.value, "data-testid": `chip-${c.value}`, click: () => this.host.choose(c.value) }, swatch, h("span", {}, c.name));
      }), iconButton("plus", t("addClass"), "chip-add", () => this.host.addClass()));
      this.element.scrollLeft = scrolled;
    }
    for (const chip of this.element.querySelectorAll<HTMLElement>(".chip")) {
      const pressed = chip.dataset.value === String(chosen);
      if (pressed && chip.getAttribute("aria-pressed") !== "true") chip.scrollIntoView({ block: "nearest", inline: "nearest" });
      chip.setAttribute("aria-pressed", String(pressed));
    }
  }
}
