// A part of the image, larger: at the pointer as long as a key is held, and of what a finger covers.

import { context, h } from "./dom";
import type { Point } from "./protocol";

/** Pixels of the screen. */
const SIZE = 150;
const FACTOR = 4;
const MARGIN = 10;

export class Magnifier {
  readonly element = h("canvas", { class: "magnifier", "aria-hidden": "true", "data-testid": "magnifier", hidden: true });

  /** `at`: what is in its middle, on the screen; `layers`: what is magnified, the lowest first. */
  show(at: Point | null, layers: HTMLCanvasElement[], ratio: number, width: number): void {
    this.element.hidden = !at;
    if (!at) return;
    const covered = at[0] < SIZE + 4 * MARGIN && at[1] < SIZE + 4 * MARGIN;
    this.element.style.transform = `translate(${covered ? width - SIZE - MARGIN : MARGIN}px, ${MARGIN}px)`;
    this.element.width = this.element.height = SIZE * ratio;
    const ctx = context(this.element);
    ctx.imageSmoothingEnabled = false;
    const part = (SIZE / FACTOR) * ratio;
    for (const layer of layers) {
      ctx.globalAlpha = Number(layer.style.opacity || 1);
      ctx.drawImage(layer, at[0] * ratio - part / 2, at[1] * ratio - part / 2, part, part, 0, 0, SIZE * ratio, SIZE * ratio);
    }
    ctx.globalAlpha = 1;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    for (const [color, line] of [["rgba(0, 0, 0, 0.6)", 3], ["#ffffff", 1]] as const) {
      ctx.strokeStyle = color;
      ctx.lineWidth = line;
      ctx.beginPath();
      ctx.arc(SIZE / 2, SIZE / 2, 5, 0, 2 * Math.PI);
      ctx.stroke();
    }
  }
}
