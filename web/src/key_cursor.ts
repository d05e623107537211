// Draws without a pointer: arrows move a cursor over the image, Space begins and ends a stroke.

import { h } from "./dom";
import type { GestureHost, Gestures, Surface } from "./gestures";
import type { Point } from "./protocol";

/** Pixels of the screen that an arrow moves the cursor. */
const STEP = 8;
/** Pixels of the screen that stay between the cursor and the border. */
const MARGIN = 40;
const MOVES: Record<string, Point> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class KeyCursor {
  /** Place in the image, from pixel centres; null while a pointer draws. */
  private at: Point | null = null;
  private pressed = false;
  private sign = h("div", { class: "key-cursor", "aria-hidden": "true", hidden: true });

  constructor(
    private element: HTMLElement,
    private host: GestureHost,
    private surface: Surface,
    private gestures: Gestures,
  ) {
    element.after(this.sign);
    let byPointer = false;
    element.addEventListener("pointerdown", () => {
      byPointer = true;
      this.leave();
      setTimeout(() => (byPointer = false));
    }, { capture: true });
    element.addEventListener("focus", () => { if (!byPointer) this.show(); });
    element.addEventListener("blur", () => this.leave());
    element.addEventListener("keydown", (e) => this.key(e));
  }

  /** Put the cursor on the image. */
  show(): void {
    const view = this.surface.view;
    if (!view || this.at) return;
    if (document.activeElement !== this.element) return this.element.focus();
    const middle = view.toImage([view.screen.width / 2, view.screen.height / 2]);
    this.at = [0, 0];
    this.move([Math.round(middle[0]), Math.round(middle[1])]);
  }

  /** The view has changed. */
  place(): void {
    const view = this.surface.view;
    this.sign.hidden = !this.at;
    this.element.classList.toggle("keyed", this.at !== null);
    if (!this.at || !view) return;
    const on = view.toScreen([this.at[0] + 0.5, this.at[1] + 0.5]);
    this.sign.style.transform = `translate(${on[0]}px, ${on[1]}px)`;
    this.surface.showRing(on);
  }

  private leave(): void {
    if (!this.at) return;
    if (this.pressed) this.gestures.finish();
    this.pressed = false;
    this.at = null;
    this.place();
    this.surface.showRing(null);
  }

  private key(e: KeyboardEvent): void {
    if (!this.at || e.ctrlKey || e.metaKey || e.altKey) return;
    const by = MOVES[e.key];
    if (by) {
      const step = e.shiftKey ? 1 : Math.max(1, Math.round(STEP / this.surface.view!.scale));
      this.move([this.at[0] + by[0] * step, this.at[1] + by[1] * step]);
    } else if (e.key === " " || e.key === "Enter") this.press();
    else if (e.key === "Escape" && this.pressed) {
      this.pressed = false;
      this.gestures.finish(true);
    } else return;
    e.preventDefault();
    e.stopPropagation();
  }

  private press(): void {
    if (!this.host.enabled() || !this.at) return;
    if (this.pressed) {
      this.pressed = false;
      this.gestures.finish();
      return;
    }
    const tool = this.host.tool();
    if (tool === "pan") return;
    this.gestures.begin(this.at, tool);
    this.pressed = this.gestures.drawing;
  }

  private move([x, y]: Point): void {
    const view = this.surface.view!;
    this.at = [Math.max(0, Math.min(view.image.width - 1, x)), Math.max(0, Math.min(view.image.height - 1, y))];
    if (this.pressed) this.gestures.extend(this.at, 0);
    const [sx, sy] = view.toScreen(this.at);
    const { width, height } = view.screen;
    if (sx < MARGIN || sy < MARGIN || sx > width - MARGIN || sy > height - MARGIN) {
      if (!view.fitted) view.center(this.at);
      this.surface.moved();
    }
    this.place();
  }
}
