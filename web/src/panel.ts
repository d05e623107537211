// The panel beside the image: classes, brush, what is shown, where to draw next.

import { counted } from "./chrome";
import { ClassList, type ClassListHost } from "./class_list";
import { Contrast } from "./contrast";
import { h, icon } from "./dom";
import { chooseLanguage, chosenLanguage, LANGUAGES, t, textOr } from "./language";
import type { LayerSettings } from "./layers";
import type { FolderState, Region } from "./protocol";

export interface PanelHost extends ClassListHost {
  setBrush(width: number): void;
  /** Parts of the range of values, 0 to 1. */
  setContrast(black: number, white: number): void;
  setLayers(change: Partial<LayerSettings>): void;
  tidy(how: "fill" | "smooth"): void;
  setPreset(preset: string): void;
  suggest(): void;
  goTo(region: Region): void;
  applyToAll(): void;
  setFolder(change: { shared?: boolean; connected?: boolean }): void;
}

const LEAST = 1;
const MOST = 200;

export class Panel {
  readonly element: HTMLElement;
  private size: HTMLInputElement;
  private sizeText = h("output", { class: "value" });
  private opacity: HTMLInputElement;
  private strokeOpacity: HTMLInputElement;
  readonly contrast: Contrast;
  private toggles = new Map<keyof LayerSettings, HTMLInputElement>();
  private preset: HTMLSelectElement;
  private regions = h("ol", { class: "regions" });
  private shared: HTMLInputElement;
  private learns = h("span", {}, t("learnFromAll"));
  private source = h("p", { class: "source", "data-testid": "source" });
  private folder: HTMLElement;
  private featherText = h("output", { class: "value" }, "0 px");
  private featherSlider = h("input", {
    type: "range", min: "0", max: "20", value: "0", "data-testid": "feather", "aria-label": t("featherTitle"),
    input: () => (this.featherText.value = `${this.feather} px`),
  });
  readonly classes: ClassList;
  private connected: HTMLInputElement;

  constructor(private host: PanelHost) {
    this.classes = new ClassList(host);
    this.size = h("input", {
      type: "range", min: "0", max: "100", step: "1", "data-testid": "brush-size", "aria-label": t("brushSize"),
      input: () => host.setBrush(fromSlider(Number(this.size.value))),
    });
    this.opacity = h("input", {
      type: "range", min: "0", max: "100", "data-testid": "opacity", "aria-label": t("maskOpacityLabel"),
      input: () => {
        const opacity = Number(this.opacity.value) / 100;
        host.setLayers(this.toggles.get("uncertainty")!.checked ? { uncertaintyOpacity: opacity } : { opacity });
      },
    });
    this.strokeOpacity = h("input", {
      type: "range", min: "0", max: "100", value: "100", "data-testid": "stroke-opacity", "aria-label": t("strokeOpacityLabel"),
      input: () => host.setLayers({ strokeOpacity: Number(this.strokeOpacity.value) / 100 }),
    });
    this.contrast = new Contrast((black, white) => host.setContrast(black, white));
    this.preset = h("select", {
      "data-testid": "preset", "aria-label": t("preset"), change: () => host.setPreset(this.preset.value),
    });
    this.shared = h("input", { type: "checkbox", "data-testid": "toggle-shared", change: () => host.setFolder({ shared: this.shared.checked }) });
    const apply = h("button", { type: "button", class: "wide", title: t("applyTitle"), "data-testid": "apply-all", click: () => host.applyToAll() }, t("applyToAll"));
    this.folder = h("section", { hidden: true },
      h("label", { class: "toggle" }, this.shared, this.learns), this.source, apply);
    this.connected = h("input", { type: "checkbox", "data-testid": "toggle-connected", change: () => host.setFolder({ connected: this.connected.checked }) });
    const connected = h("label", { class: "toggle", title: t("connectedTitle") },
      this.connected, h("span", {}, t("connected")));
    const tidy = (how: "fill" | "smooth") =>
      h("button", { type: "button", class: "wide", title: t(how === "fill" ? "fillTitle" : "smoothTitle"), "data-testid": how, click: () => host.tidy(how) }, t(how));
    const add = h("button", { type: "button", class: "quiet", "data-testid": "add-class", click: () => host.addClass() });
    add.append(icon("plus"), t("addClass"));
    const suggest = h("button", { type: "button", class: "wide", title: t("whereNextTitle"), "data-testid": "suggest", click: () => host.suggest() });
    suggest.append(icon("target"), t("whereNext"));
    this.element = h(
      "aside",
      { class: "panel", "aria-label": t("settings") },
      h("section", {}, h("h2", {}, t("classes")), this.classes.element, add),
      h("section", {}, h("div", { class: "row" }, h("h2", {}, t("brushHead")), this.sizeText), this.size),
      h(
        "section", {}, h("h2", {}, t("show")),
        h("div", { class: "toggles" },
          this.toggle("mask", "M"), this.toggle("outline", "O"),
          this.toggle("strokes", "S"), this.toggle("uncertainty", "U")),
        h("label", { class: "row slim" }, h("span", {}, t("maskOpacity")), this.opacity),
        h("label", { class: "row slim" }, h("span", {}, t("strokeOpacity")), this.strokeOpacity),
        ...this.contrast.rows,
      ),
      h("section", {}, h("label", { class: "row slim" }, h("span", {}, t("preset")), this.preset), connected,
        h("div", { class: "pair" }, tidy("fill"), tidy("smooth")),
        h("label", { class: "row slim", title: t("featherTitle") }, h("span", {}, t("feather")), this.featherText, this.featherSlider)),
      this.folder,
      h("section", {}, suggest, this.regions),
      h("section", {}, h("label", { class: "row slim" }, h("span", {}, t("language")), languageChoice())),
    );
  }

  /** Pixels over which the edge of a cut-out is soft. */
  get feather(): number {
    return Number(this.featherSlider.value);
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
    this.preset.replaceChildren(...presets.map((p) => h("option", { value: p }, textOr(p, p))));
    this.preset.value = chosen;
  }

  /** Where the masks come from; `sources` is of the one that is shown, null while there is none. */
  showFolder(state: FolderState, images: number, sources: number | null): void {
    this.folder.hidden = images < 2;
    this.shared.checked = state.shared;
    this.learns.textContent = t(state.network ? "useNetwork" : "learnFromAll");
    this.connected.checked = state.connected;
    const network = state.network.split(/[\\/]/).pop() ?? "";
    const alone = network ? t("fromNetwork", { network }) : t("fromThisAlone");
    const own = sources === 0 ? alone : "";
    const mask = sources ? t("fromThese", { images: counted(sources) }) : own;
    const model = state.fitting ? t("learningNow") : state.images === 0 ? t("oneGivesAll") : "";
    this.source.textContent = state.shared ? state.problem || mask || model : t("eachAlone");
  }

  showRegions(regions: Region[] | null): void {
    if (regions === null) this.regions.replaceChildren();
    else if (regions.length === 0) this.regions.replaceChildren(h("li", { class: "none" }, `${t("littleUncertain")}.`));
    else {
      this.regions.replaceChildren(
        ...regions.map((region, i) => {
          const share = Math.round((100 * region.score) / regions[0].score);
          const button = h("button", { type: "button", class: "region-row", "data-testid": `suggestion-${i}`, title: t("goThere"), click: () => this.host.goTo(region) },
            h("span", { class: "number" }, String(i + 1)),
            h("span", { class: "share" }, h("i", {})));
          button.querySelector<HTMLElement>("i")!.style.width = `${share}%`;
          return h("li", {}, button);
        }),
      );
    }
  }

  private toggle(key: "mask" | "outline" | "strokes" | "uncertainty", letter: string): HTMLElement {
    const box = h("input", { type: "checkbox", "data-testid": `toggle-${key}`, change: () => this.host.setLayers({ [key]: box.checked }) });
    this.toggles.set(key, box);
    return h("label", { class: "toggle" }, box, h("span", {}, t(key)), h("kbd", {}, letter));
  }
}

function languageChoice(): HTMLSelectElement {
  const select = h("select", { "data-testid": "language", "aria-label": t("language"), change: () => chooseLanguage(select.value) },
    ...[["", t("languageBrowser")], ...LANGUAGES].map(([code, name]) => h("option", { value: code, ...(code && { lang: code }) }, name)));
  select.value = chosenLanguage();
  return select;
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
