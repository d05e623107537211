// What a new mask has changed lights up for a moment: a stroke in one place may change others.

import { context, h } from "./dom";
import type { Painted } from "./painter";
import type { View } from "./view";

const MILLISECONDS = 700;
/** Of the image; where more has changed everything is new, and nothing need be pointed out. */
const MOST = 0.5;

export class Flash {
  readonly element = h("canvas", { class: "layer flash", "aria-hidden": "true" });
  private animation: Animation | null = null;

  show(changed: NonNullable<Painted["changed"]>, view: View, ratio: number): void {
    this.stop();
    const { width, height } = view.image;
    if (!changed.picture || changed.count > MOST * width * height) return;
    [this.element.width, this.element.height] = [Math.round(view.screen.width * ratio), Math.round(view.screen.height * ratio)];
    const ctx = context(this.element);
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.imageSmoothingEnabled = false;
    ctx.drawImage(changed.picture, view.x, view.y, width * view.scale, height * view.scale);
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.element.dataset.changed = String(changed.count);
    this.animation = this.element.animate([{ opacity: still ? 0.6 : 0.9 }, { opacity: still ? 0.6 : 0 }], MILLISECONDS);
    this.animation.onfinish = () => this.stop();
  }

  stop(): void {
    this.animation?.cancel();
    this.animation = null;
    this.element.width = 0;
    delete this.element.dataset.changed;
  }
}
