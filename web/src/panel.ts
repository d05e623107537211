// The panel beside the image: classes, brush, what is shown, where to draw next.

import { counted } from "./chrome";
import { h, icon, iconButton } from "./dom";
import type { LayerSettings } from "./layers";
import type { FolderState, Region, StrokeClass, StrokeDocument } from "./protocol";

export interface PanelHost {
  choose(value: number): void;
  addClass(): void;
  changeClass(value: number, change: Partial<StrokeClass>): void;
  deleteClass(value: number): void;
  setBrush(width: number): void;
  setLayers(change: Partial<LayerSettings>): void;
  setPreset(preset: string): void;
  suggest(): void;
  goTo(region: Region): void;
  setShared(shared: boolean): void;
}

const LEAST = 1;
const MOST = 200;

export class Panel {
  readonly element: HTMLElement;
  private classes = h("ul", { class: "class-list", "data-testid": "class-list" });
  private size: HTMLInputElement;
  private sizeText = h("output", { class: "value" });
  private opacity: HTMLInputElement;
  private toggles = new Map<keyof LayerSettings, HTMLInputElement>();
  private preset: HTMLSelectElement;
  private regions = h("ol", { class: "regions" });
  private shared: HTMLInputElement;
  private source = h("p", { class: "source", "data-testid": "source" });
  private folder: HTMLElement;
  private rows = new Map<number, HTMLElement>();
  private listed = "";
  private redraw: () => void = () => undefined;

  constructor(private host: PanelHost) {
    this.size = h("input", {
      type: "range", min: "0", max: "100", step: "1", "data-testid": "brush-size", "aria-label": "Brush size",
      input: () => host.setBrush(fromSlider(Number(this.size.value))),
    });
    this.opacity = h("input", {
      type: "range", min: "0", max: "100", "data-testid": "opacity", "aria-label": "Opacity",
      input: () => {
        const opacity = Number(this.opacity.value) / 100;
        host.setLayers(this.toggles.get("uncertainty")!.checked ? { uncertaintyOpacity: opacity } : { opacity });
      },
    });
    this.preset = h("select", {
      "data-testid": "preset", "aria-label": "Preset", change: () => host.setPreset(this.preset.value),
    });
    this.shared = h("input", { type: "checkbox", "data-testid": "toggle-shared", change: () => host.setShared(this.shared.checked) });
    this.folder = h("section", { hidden: true },
      h("label", { class: "toggle" }, this.shared, h("span", {}, "Learn from all images")), this.source);
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
      this.folder,
      h("section", {}, suggest, this.regions),
    );
  }

  /** `provisional`: classes that are assumed to be everything else until somebody draws them. */
  showClasses(document: StrokeDocument, chosen: number, provisional: number[]): void {
    this.redraw = () => this.showClasses(document, chosen, provisional);
    const counts = new Map<number, number>();
    for (const item of document.items) counts.set(item.value, (counts.get(item.value) ?? 0) + 1);
    // Rows stay where nothing but the choice has changed, and while a name is being typed.
    const listed = JSON.stringify([document.classes, [...counts], provisional]);
    if (listed !== this.listed && !this.classes.querySelector("input[type=text]:not([readonly])")) {
      this.listed = listed;
      this.rows = new Map(
        document.classes.map((c, i) => {
          const strokes = counts.get(c.value) ?? 0;
          const label = strokes === 0 && provisional.includes(c.value) ? provisionalTag() : strokeCount(strokes);
          return [c.value, this.classRow(c, i, label, document.classes.length)];
        }),
      );
      this.classes.replaceChildren(...this.rows.values());
    }
    for (const [value, row] of this.rows) {
      row.classList.toggle("chosen", value === chosen);
      row.setAttribute("aria-current", String(value === chosen));
    }
  }

  /** Lets the name of a class be typed. */
  rename(value: number): void {
    const name = this.rows.get(value)?.querySelector<HTMLInputElement>("input[type=text]");
    if (!name) return;
    name.readOnly = false;
    name.focus();
    name.select();
  }

  showBrush(width: number): void {
    this.size.value = String(toSlider(width));
    this.sizeText.value = `${Math.round(width)} px`;
  }

  showLayers(layers: LayerSettings): void {
    for (const [key, box] of this.toggles) box.checked = Boolean(layers[key]);
    this.opacity.value = String(Math.round((layers.uncertainty ? layers.uncertaintyOpacity : layers.opacity) * 100));
    this.opacity.disabled = !layers.mask && !layers.uncertainty;
  }

  showPresets(presets: string[], chosen: string): void {
    const titles: Record<string, string> = { fast: "Fast", best: "Best quality", paper: "As in the paper" };
    this.preset.replaceChildren(...presets.map((p) => h("option", { value: p }, titles[p] ?? p)));
    this.preset.value = chosen;
  }

  /** Where the masks come from; `sources` is of the one that is shown, null while there is none. */
  showFolder(state: FolderState, images: number, sources: number | null): void {
    this.folder.hidden = images < 2;
    this.shared.checked = state.shared;
    const own = sources === 0 ? "This mask comes from the strokes on this image alone." : "";
    const mask = sources ? `This mask comes from the strokes on ${counted(sources)}.` : own;
    const model = state.fitting ? "Learning from the strokes …" : state.images === 0 ? "Strokes on one image give masks of the others." : "";
    this.source.textContent = state.shared ? state.problem || mask || model : "Each image has its own strokes alone.";
  }

  showRegions(regions: Region[] | null): void {
    if (regions === null) this.regions.replaceChildren();
    else if (regions.length === 0) this.regions.replaceChildren(h("li", { class: "none" }, "Little is uncertain."));
    else {
      this.regions.replaceChildren(
        ...regions.map((region, i) => {
          const share = Math.round((100 * region.score) / regions[0].score);
          const button = h("button", { type: "button", class: "region-row", "data-testid": `suggestion-${i}`, title: "Go there", click: () => this.host.goTo(region) },
            h("span", { class: "number" }, String(i + 1)),
            h("span", { class: "share" }, h("i", {})));
          button.querySelector<HTMLElement>("i")!.style.width = `${share}%`;
          return h("li", {}, button);
        }),
      );
    }
  }

  private classRow(c: StrokeClass, index: number, label: HTMLElement, count: number): HTMLElement {
    const color = h("input", {
      type: "color", value: c.color ?? "#888888", title: "Colour", "aria-label": `Colour of ${c.name}`,
      change: () => this.host.changeClass(c.value, { color: color.value }),
    });
    const name = h("input", {
      type: "text", value: c.name, maxlength: "100", spellcheck: "false", readonly: true, "aria-label": "Name of the class",
      title: "Double click or F2: rename",
      mousedown: (e: MouseEvent) => { if (name.readOnly) e.preventDefault(); },
      dblclick: () => { if (name.readOnly || name.value === c.name) this.rename(c.value); },
      keydown: (e: KeyboardEvent) => {
        if (name.readOnly || (e.key !== "Enter" && e.key !== "Escape")) return;
        e.stopPropagation();
        if (e.key === "Escape") name.value = c.name;
        name.blur();
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
    const row = h("li", { class: "class-row", "data-testid": `class-${c.value}`, click: () => this.host.choose(c.value) },
      h("kbd", {}, index < 9 ? String(index + 1) : ""), color, name, label);
    if (count > 1) {
      const remove = iconButton("close", `Delete ${c.name} and its strokes`, `delete-${c.value}`, () => this.host.deleteClass(c.value));
      remove.addEventListener("click", (e) => e.stopPropagation());
      row.append(remove);
    }
    return row;
  }

  private toggle(key: "mask" | "outline" | "strokes" | "uncertainty", title: string, letter: string): HTMLElement {
    const box = h("input", { type: "checkbox", "data-testid": `toggle-${key}`, change: () => this.host.setLayers({ [key]: box.checked }) });
    this.toggles.set(key, box);
    return h("label", { class: "toggle" }, box, h("span", {}, title), h("kbd", {}, letter));
  }
}

function strokeCount(strokes: number): HTMLElement {
  return h("span", { class: "count", title: strokes === 1 ? "1 stroke" : `${strokes} strokes` }, strokes ? String(strokes) : "");
}

function provisionalTag(): HTMLElement {
  return h("span", { class: "provisional", title: "Provisional: everything else, until you draw on it", "data-testid": "provisional" }, "guess");
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
