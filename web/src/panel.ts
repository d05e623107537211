// The panel beside the image: classes, brush, what is shown, where to draw next.

import { h, icon, iconButton } from "./dom";
import type { Shown } from "./layers";
import type { Region, StrokeClass, StrokeDocument } from "./protocol";

export interface PanelHost {
  choose(value: number): void;
  addClass(): void;
  changeClass(value: number, change: Partial<StrokeClass>): void;
  deleteClass(value: number): void;
  setBrush(width: number): void;
  setShown(change: Partial<Shown>): void;
  setPreset(preset: string): void;
  suggest(): void;
  goTo(region: Region): void;
}

const LEAST = 1;
const MOST = 200;

export class Panel {
  readonly element: HTMLElement;
  private classes = h("ul", { class: "class-list", "data-testid": "class-list" });
  private size: HTMLInputElement;
  private sizeText = h("output", { class: "value" });
  private opacity: HTMLInputElement;
  private toggles = new Map<keyof Shown, HTMLInputElement>();
  private preset: HTMLSelectElement;
  private regions = h("ol", { class: "regions" });

  constructor(private host: PanelHost) {
    this.size = h("input", {
      type: "range", min: "0", max: "100", step: "1", "data-testid": "brush-size", "aria-label": "Brush size",
      input: () => host.setBrush(fromSlider(Number(this.size.value))),
    });
    this.opacity = h("input", {
      type: "range", min: "0", max: "100", "data-testid": "opacity", "aria-label": "Opacity of the mask",
      input: () => host.setShown({ opacity: Number(this.opacity.value) / 100 }),
    });
    this.preset = h("select", {
      "data-testid": "preset", "aria-label": "Preset", change: () => host.setPreset(this.preset.value),
    });
    const add = h("button", { type: "button", class: "quiet", "data-testid": "add-class", click: () => host.addClass() });
    add.append(icon("plus"), "Add class");
    const suggest = h("button", { type: "button", class: "wide", title: "Where next? (W)", "data-testid": "suggest", click: () => host.suggest() });
    suggest.append(icon("target"), "Where next?");
    this.element = h(
      "aside",
      { class: "panel", "aria-label": "Settings" },
      h("section", {}, h("h2", {}, "Classes"), this.classes, add),
      h("section", {}, h("div", { class: "row" }, h("h2", {}, "Brush"), this.sizeText), this.size),
      h(
        "section", {}, h("h2", {}, "Show"),
        h("div", { class: "toggles" },
          this.toggle("mask", "Mask", "M"), this.toggle("outline", "Outline", "O"),
          this.toggle("strokes", "Strokes", "S"), this.toggle("uncertainty", "Uncertainty", "U")),
        h("label", { class: "row slim" }, h("span", {}, "Opacity"), this.opacity),
      ),
      h("section", {}, h("label", { class: "row slim" }, h("span", {}, "Preset"), this.preset)),
      h("section", {}, suggest, this.regions),
    );
  }

  showClasses(document: StrokeDocument, chosen: number): void {
    const counts = new Map<number, number>();
    for (const item of document.items) counts.set(item.value, (counts.get(item.value) ?? 0) + 1);
    // While a name is being typed its row must stay as it is.
    if (this.classes.contains(window.document.activeElement) && window.document.activeElement?.matches("input[type=text]")) return;
    this.classes.replaceChildren(
      ...document.classes.map((c, i) => this.classRow(c, i, c.value === chosen, counts.get(c.value) ?? 0, document.classes.length)),
    );
  }

  showBrush(width: number): void {
    this.size.value = String(toSlider(width));
    this.sizeText.value = `${Math.round(width)} px`;
  }

  showShown(shown: Shown): void {
    for (const [key, box] of this.toggles) box.checked = Boolean(shown[key]);
    this.opacity.value = String(Math.round(shown.opacity * 100));
    this.opacity.disabled = !shown.mask || shown.uncertainty;
  }

  showPresets(presets: string[], chosen: string): void {
    const titles: Record<string, string> = { fast: "Fast", best: "Best quality", paper: "As in the paper" };
    this.preset.replaceChildren(...presets.map((p) => h("option", { value: p }, titles[p] ?? p)));
    this.preset.value = chosen;
  }

  showRegions(regions: Region[] | null): void {
    if (regions === null) this.regions.replaceChildren();
    else if (regions.length === 0) this.regions.replaceChildren(h("li", { class: "none" }, "Little is in doubt."));
    else {
      this.regions.replaceChildren(
        ...regions.map((region, i) => {
          const share = Math.round((100 * region.score) / regions[0].score);
          const button = h("button", { type: "button", class: "region-row", "data-testid": `suggestion-${i}`, click: () => this.host.goTo(region) },
            h("span", { class: "number" }, String(i + 1)),
            h("span", { class: "share" }, h("i", {})),
            h("span", { class: "place" }, `${region.column}, ${region.row}`));
          button.querySelector<HTMLElement>("i")!.style.width = `${share}%`;
          return h("li", {}, button);
        }),
      );
    }
  }

  private classRow(c: StrokeClass, index: number, chosen: boolean, strokes: number, count: number): HTMLElement {
    const color = h("input", {
      type: "color", value: c.color ?? "#888888", title: "Colour", "aria-label": `Colour of ${c.name}`,
      change: () => this.host.changeClass(c.value, { color: color.value }),
    });
    const name = h("input", {
      type: "text", value: c.name, maxlength: "100", spellcheck: "false", "aria-label": "Name of the class",
      change: () => this.host.changeClass(c.value, { name: name.value.trim() }),
      focus: () => this.host.choose(c.value),
      keydown: (e: KeyboardEvent) => { if (e.key === "Enter" || e.key === "Escape") name.blur(); },
    });
    const row = h("li", {
      class: chosen ? "class-row chosen" : "class-row", "data-testid": `class-${c.value}`,
      "aria-current": chosen ? "true" : "false", click: () => this.host.choose(c.value),
    }, color, name, h("span", { class: "count", title: `${strokes} strokes` }, strokes ? String(strokes) : ""),
    index < 9 ? h("kbd", {}, String(index + 1)) : null);
    if (count > 1) {
      const remove = iconButton("close", `Delete ${c.name} and its strokes`, `delete-${c.value}`, () => this.host.deleteClass(c.value));
      remove.addEventListener("click", (e) => e.stopPropagation());
      row.append(remove);
    }
    return row;
  }

  private toggle(key: "mask" | "outline" | "strokes" | "uncertainty", title: string, letter: string): HTMLElement {
    const box = h("input", { type: "checkbox", "data-testid": `toggle-${key}`, change: () => this.host.setShown({ [key]: box.checked }) });
    this.toggles.set(key, box);
    return h("label", { class: "toggle" }, box, h("span", {}, title), h("kbd", {}, letter));
  }
}

/** The slider is finer for small brushes. */
export function fromSlider(value: number): number {
  return Math.round(LEAST * (MOST / LEAST) ** (value / 100));
}

export function toSlider(width: number): number {
  return Math.round((100 * Math.log(width / LEAST)) / Math.log(MOST / LEAST));
}

export function clampBrush(width: number): number {
  return Math.max(LEAST, Math.min(MOST, width));
}
