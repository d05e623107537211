// Handles on the outline of a region: where they are moved to, the mask follows and is pinned.

import { setStatus } from "./chrome";
import { h } from "./dom";
import type { Editor } from "./editor";
import { withItems } from "./history";
import { t } from "./language";
import { fewer, filled, outline } from "./outlines";
import type { Point } from "./protocol";
import { type Labels, pinnedPatch, region } from "./regions";
import type { View } from "./view";

/** Pixels of the screen between the outline and its polygon. */
const SLACK = 2;
const MOVES: Record<string, Point> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Shape {
  readonly element = h("div", { class: "shape", role: "group", "aria-label": t("handles"), "data-testid": "shape" });
  private corners: Point[] = [];
  private before: Point[] = [];
  private value = 0;
  private timer = 0;

  constructor(private view: () => View | null, private editor: () => Editor | null) {}

  /** Take hold of the region at a place. */
  open([x, y]: Point): void {
    const labels = this.editor()?.mask.labels;
    const view = this.view();
    if (!labels || !view) return setStatus(t("noMask"), null);
    const at = [Math.round(x), Math.round(y)];
    this.value = labels.at(at[1] * labels.width + at[0]);
    this.corners = fewer(outline(region(labels, at[0], at[1]), labels.width), Math.max(0.7, SLACK / view.scale));
    this.before = [...this.corners];
    this.draw();
  }

  close(): void {
    this.corners = [];
    this.draw();
  }

  /** The view has changed. */
  draw(focus = -1): void {
    const view = this.view();
    if (!view) return;
    const count = this.corners.length;
    const on = (p: Point) => view.toScreen([p[0] + 0.5, p[1] + 0.5]);
    this.element.replaceChildren(...this.corners.flatMap((corner, i) => {
      const next = this.corners[(i + 1) % count];
      const middle: Point = [(corner[0] + next[0]) / 2, (corner[1] + next[1]) / 2];
      return [this.handle(i, on(corner)), this.between(i, middle, on(middle))];
    }));
    if (focus >= 0) this.element.querySelectorAll<HTMLElement>(".handle:not(.between)")[focus % count]?.focus();
  }

  private handle(i: number, at: Point): HTMLElement {
    const button = h("button", {
      type: "button", class: "handle", title: t("handleTitle"), "aria-label": t("corner", { number: i + 1 }), "data-testid": `corner-${i}`,
      pointerdown: (e: PointerEvent) => this.grab(e, button, i),
      dblclick: () => this.remove(i),
      keydown: (e: KeyboardEvent) => this.key(e, i),
    });
    button.style.transform = `translate(${at[0]}px, ${at[1]}px)`;
    return button;
  }

  /** Half of the way to the next corner: a corner once it is moved. */
  private between(i: number, middle: Point, at: Point): HTMLElement {
    const button = h("button", { type: "button", class: "handle between", tabindex: "-1", "aria-hidden": "true", pointerdown: (e: PointerEvent) => {
      this.corners.splice(i + 1, 0, middle);
      this.grab(e, button, i + 1);
    } });
    button.style.transform = `translate(${at[0]}px, ${at[1]}px)`;
    return button;
  }

  private grab(e: PointerEvent, button: HTMLElement, i: number): void {
    e.preventDefault();
    button.setPointerCapture(e.pointerId);
    button.onpointermove = (move) => {
      const box = this.element.getBoundingClientRect();
      const [x, y] = this.view()!.toImage([move.clientX - box.left, move.clientY - box.top]);
      this.corners[i] = [x - 0.5, y - 0.5];
      button.style.transform = `translate(${move.clientX - box.left}px, ${move.clientY - box.top}px)`;
    };
    button.onpointerup = button.onpointercancel = () => {
      button.onpointermove = null;
      this.commit();
      this.draw(i);
    };
  }

  private key(e: KeyboardEvent, i: number): void {
    const by = MOVES[e.key];
    if (e.key === "Delete" || e.key === "Backspace") this.remove(i);
    else if (e.key === "Escape") this.close();
    else if (by) {
      const step = e.shiftKey ? 1 : 4;
      this.corners[i] = [this.corners[i][0] + step * by[0], this.corners[i][1] + step * by[1]];
      this.draw(i);
      clearTimeout(this.timer);
      this.timer = window.setTimeout(() => this.commit(), 400); // once, when the key rests
    } else return;
    e.preventDefault();
    e.stopPropagation();
  }

  private remove(i: number): void {
    if (this.corners.length <= 3) return;
    this.corners.splice(i, 1);
    this.commit();
    this.draw(i);
  }

  /** Pin what the polygon has gained and lost. */
  private commit(): void {
    const editor = this.editor();
    const labels = editor?.mask.labels;
    if (!editor || !labels) return;
    const [was, now] = [this.before, this.corners].map((points) => filled(points, labels.width, labels.height));
    this.before = [...this.corners];
    const gained = now.map((set, i) => (set && !was[i] && labels.at(i) !== this.value ? 1 : 0));
    const lost = was.map((set, i) => (set && !now[i] && labels.at(i) === this.value ? 1 : 0));
    const made = [pinnedPatch(gained, labels.width, this.value), pinnedPatch(lost, labels.width, outside(labels, was, this.value))];
    const items = made.filter((item) => item !== null);
    const { document } = editor.history;
    if (items.length > 0) editor.commit(withItems(document, [...document.items, ...items]));
  }
}

/** The class that most of the pixels just outside of a region have. */
function outside(labels: Labels, inside: Uint8Array, value: number): number {
  const counts = new Map<number, number>([[value === 0 ? 1 : 0, 0]]);
  for (let i = 1; i < inside.length - 1; i++) {
    if (inside[i] || !(inside[i - 1] || inside[i + 1] || inside[i - labels.width] || inside[i + labels.width])) continue;
    const other = labels.at(i);
    if (other !== value) counts.set(other, (counts.get(other) ?? 0) + 1);
  }
  return [...counts].reduce((a, b) => (b[1] > a[1] ? b : a))[0];
}
