// Which intensities are shown black and white: to see what is in dark or 16-bit images. Masks stay.

import { h } from "./dom";
import { t } from "./language";

/** Milliseconds without a change before the image is asked for. */
const PAUSE = 150;
/** Dark values have most of the slider, where 16 bits have most of what cannot be seen. */
const POWER = 3;

export class Contrast {
  readonly rows: HTMLElement[];
  private black = this.slider("black", 0);
  private white = this.slider("white", 100);
  private timer = 0;

  constructor(private changed: (black: number, white: number) => void) {
    this.rows = [
      h("label", { class: "row slim" }, h("span", {}, t("black")), this.black),
      h("label", { class: "row slim" }, h("span", {}, t("white")), this.white),
    ];
  }

  /** Of another image: as it is. */
  reset(): void {
    clearTimeout(this.timer);
    this.black.value = "0";
    this.white.value = "100";
  }

  private slider(name: string, value: number): HTMLInputElement {
    return h("input", {
      type: "range", min: "0", max: "100", value: String(value), "data-testid": `contrast-${name}`,
      "aria-label": t(name === "black" ? "shownBlack" : "shownWhite"), title: t("asItWas"),
      input: () => this.later(),
      dblclick: () => { this.reset(); this.later(); },
    });
  }

  private later(): void {
    if (Number(this.black.value) >= Number(this.white.value)) this.black.value = String(Number(this.white.value) - 1);
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      const [black, white] = [this.black, this.white].map((one) => Math.max(0, Number(one.value) / 100) ** POWER);
      this.changed(black, Math.max(white, black + 1e-6));
    }, PAUSE);
  }
}
