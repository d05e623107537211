// The canvases and what the pointer does on them.

import { distance, newId } from "./geometry";
import { context, drawBase, drawLine, drawStrokes, outlinePath, PatchPictures, toImage, type Photo, type Shown } from "./layers";
import type { Painted } from "./painter";
import type { LineItem, Point, Region, StrokeDocument } from "./protocol";
import { View } from "./view";
import { h } from "./dom";

export type Tool = "brush" | "eraser" | "remove" | "pan";

export interface StageHost {
  tool(): Tool;
  brush(): { value: number; color: string; width: number };
  strokes(): StrokeDocument;
  shown(): Shown;
  strokeDone(line: LineItem): void;
  eraseAlong(a: Point, b: Point, radius: number): void;
  eraseDone(path: Point[], radius: number): void;
  removeAt(at: Point, slack: number): void;
  enabled(): boolean;
  frame(milliseconds: number): void;
}

const PEN_MEMORY = 1000;
const MOST_RATIO = 2;

export class Stage {
  readonly element: HTMLElement;
  view: View | null = null;
  private base = h("canvas", { class: "layer" });
  private top = h("canvas", { class: "layer", "data-testid": "canvas", tabindex: "0", "aria-label": "Image to draw on" });
  private ring = h("div", { class: "brush-ring", hidden: true });
  private marks = h("div", { class: "marks" });
  private photo: Photo | null = null;
  private painted: Painted | null = null;
  private outline: Path2D | null = null;
  private patches = new PatchPictures(() => this.refresh("strokes"));
  private dirty = { base: false, strokes: false };
  private asked = false;
  private line: LineItem | null = null;
  private drawn = 0;
  private erasing: Point[] | null = null;
  private panning: Point | null = null;
  private pointers = new Map<number, Point>();
  private pinch: { middle: Point; spread: number } | null = null;
  private penSeen = -1e9;
  private spaceHeld = false;
  private lastFrame = 0;
  private regions: Region[] = [];
  private ratio = 1;

  constructor(private host: StageHost) {
    this.element = h("div", { class: "stage" }, this.base, this.top, this.marks, this.ring);
    new ResizeObserver(() => this.resize()).observe(this.element);
    this.listen();
  }

  setPhoto(photo: Photo): void {
    this.photo?.close();
    this.photo = photo;
    this.painted = this.outline = null;
    this.regions = [];
    this.view = new View(photo, this.screen());
    this.refresh();
  }

  setPainted(painted: Painted | null): void {
    for (const bitmap of [...(this.painted?.masks ?? []), this.painted?.uncertainty]) bitmap?.close();
    this.painted = painted;
    this.outline = painted ? outlinePath(painted.edges) : null;
    this.refresh("base");
  }

  setRegions(regions: Region[]): void {
    this.regions = regions;
    this.placeMarks();
  }

  get drawing(): boolean {
    return this.line !== null || this.erasing !== null;
  }

  refresh(what: "base" | "strokes" | "all" = "all"): void {
    if (what !== "strokes") this.dirty.base = true;
    if (what !== "base") this.dirty.strokes = true;
    this.ask();
  }

  /** Everything on screen moves with the view. */
  moved(): void {
    this.refresh();
    this.placeMarks();
    this.showRing(this.lastAt);
  }

  zoomBy(factor: number): void {
    const { width, height } = this.screen();
    this.view?.zoom(factor, [width / 2, height / 2]);
    this.moved();
  }

  setScale(scale: number | null): void {
    if (!this.view) return;
    if (scale === null) this.view.fit();
    else this.view.zoom(scale / this.view.scale, [this.view.screen.width / 2, this.view.screen.height / 2]);
    this.moved();
  }

  cancelStroke(): boolean {
    const was = this.line !== null;
    this.line = null;
    if (was) this.refresh("strokes");
    return was;
  }

  holdSpace(held: boolean): void {
    this.spaceHeld = held;
    this.setCursor();
  }

  /** Image pixels, counted from pixel centres, to the window. */
  toClient(p: Point): Point {
    const box = this.top.getBoundingClientRect();
    const [x, y] = this.view?.toScreen([p[0] + 0.5, p[1] + 0.5]) ?? [0, 0];
    return [x + box.left, y + box.top];
  }

  setCursor(): void {
    const tool = this.spaceHeld ? "pan" : this.host.tool();
    this.top.dataset.tool = tool;
    this.showRing(this.lastAt);
  }

  private screen(): { width: number; height: number } {
    return { width: Math.max(1, this.element.clientWidth), height: Math.max(1, this.element.clientHeight) };
  }

  private resize(): void {
    const { width, height } = this.screen();
    this.ratio = Math.min(MOST_RATIO, window.devicePixelRatio || 1);
    for (const canvas of [this.base, this.top]) {
      canvas.width = Math.round(width * this.ratio);
      canvas.height = Math.round(height * this.ratio);
    }
    this.view?.resize({ width, height });
    this.moved();
  }

  private ask(): void {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame((now) => this.paint(now));
  }

  private paint(now: number): void {
    this.asked = false;
    if (!this.view || !this.photo) return;
    if (this.drawing) {
      if (this.lastFrame > 0) this.host.frame(now - this.lastFrame);
      this.lastFrame = now;
      this.ask();
    } else {
      this.lastFrame = 0;
    }
    if (this.dirty.base) {
      drawBase(context(this.base), this.view, this.ratio, this.photo, this.painted, this.outline, this.host.shown());
    }
    const ctx = context(this.top);
    if (this.dirty.strokes) {
      if (this.host.shown().strokes || this.drawing) {
        drawStrokes(ctx, this.view, this.ratio, this.host.strokes(), this.patches);
      } else {
        ctx.setTransform(1, 0, 0, 1, 0, 0);
        ctx.clearRect(0, 0, this.top.width, this.top.height);
      }
      this.drawn = 0;
    }
    if (this.line && this.drawn < this.line.points.length) {
      toImage(ctx, this.view, this.ratio);
      drawLine(ctx, this.view, this.line, this.host.brush().color, this.drawn);
      this.drawn = this.line.points.length;
    }
    this.dirty = { base: false, strokes: false };
  }

  private placeMarks(): void {
    const view = this.view;
    if (!view) return;
    this.marks.replaceChildren(
      ...this.regions.map((region, i) => {
        const [top, left, bottom, right] = region.box;
        const [x, y] = view.toScreen([left, top]);
        const box = h("div", { class: "region" }, h("span", {}, String(i + 1)));
        Object.assign(box.style, {
          transform: `translate(${x}px, ${y}px)`,
          width: `${(right - left) * view.scale}px`,
          height: `${(bottom - top) * view.scale}px`,
        });
        return box;
      }),
    );
  }

  private lastAt: Point | null = null;

  private showRing(at: Point | null): void {
    this.lastAt = at;
    const tool = this.host.tool();
    const sized = (tool === "brush" || tool === "eraser") && !this.spaceHeld && !this.panning;
    this.ring.hidden = !at || !sized || !this.view || !this.host.enabled();
    if (this.ring.hidden || !at || !this.view) return;
    const { width, color } = this.host.brush();
    const size = Math.max(4, width * this.view.scale);
    Object.assign(this.ring.style, {
      width: `${size}px`,
      height: `${size}px`,
      transform: `translate(${at[0] - size / 2}px, ${at[1] - size / 2}px)`,
      borderColor: tool === "brush" ? color : "#ffffff",
    });
  }

  private listen(): void {
    const top = this.top;
    top.addEventListener("pointerdown", (e) => this.down(e));
    top.addEventListener("pointermove", (e) => this.move(e));
    top.addEventListener("pointerup", (e) => this.up(e));
    top.addEventListener("pointercancel", (e) => this.up(e, true));
    top.addEventListener("pointerleave", () => this.showRing(null));
    top.addEventListener("contextmenu", (e) => e.preventDefault());
    top.addEventListener("wheel", (e) => this.wheel(e), { passive: false });
  }

  private at(e: MouseEvent): Point {
    const box = this.top.getBoundingClientRect();
    return [e.clientX - box.left, e.clientY - box.top];
  }

  /** Where in the image, from pixel centres; kept inside, as strokes are drawn that way. */
  private inImage(screen: Point): Point {
    const [x, y] = this.view!.toImage(screen);
    const { width, height } = this.view!.image;
    const round = (v: number) => Math.round(v * 100) / 100;
    return [
      round(Math.max(0, Math.min(width - 1, x - 0.5))),
      round(Math.max(0, Math.min(height - 1, y - 0.5))),
    ];
  }

  private down(e: PointerEvent): void {
    if (!this.view) return;
    this.top.focus({ preventScroll: true });
    const at = this.at(e);
    if (e.pointerType === "pen") this.penSeen = e.timeStamp;
    if (e.pointerType === "touch") {
      if (e.timeStamp - this.penSeen < PEN_MEMORY) return; // the palm beside a pen
      this.pointers.set(e.pointerId, at);
      if (this.pointers.size === 2) {
        this.cancelStroke();
        this.erasing = this.panning = null;
        this.pinch = this.pinchNow();
        return;
      }
      if (this.pointers.size > 2) return;
    }
    this.top.setPointerCapture(e.pointerId);
    const tool = this.spaceHeld || e.button === 1 ? "pan" : this.host.tool();
    if (tool === "pan" || !this.host.enabled()) {
      this.panning = at;
      this.top.classList.add("grabbing");
      return;
    }
    const p = this.inImage(at);
    const { value, width } = this.host.brush();
    if (tool === "eraser" || e.button === 2) {
      this.erasing = [p];
      this.host.eraseAlong(p, p, width / 2);
      this.refresh("strokes");
    } else if (tool === "remove") {
      this.host.removeAt(p, 6 / this.view.scale);
    } else if (e.button === 0 && this.isInside(at)) {
      this.line = { id: newId(), kind: "line", value, width: Math.round(width * 10) / 10, points: [p] };
      this.drawn = 0;
      this.ask();
    }
  }

  private isInside(at: Point): boolean {
    const [x, y] = this.view!.toImage(at);
    const slack = this.host.brush().width / 2;
    return x > -slack && y > -slack && x < this.view!.image.width + slack && y < this.view!.image.height + slack;
  }

  private move(e: PointerEvent): void {
    const at = this.at(e);
    if (e.pointerType === "pen") this.penSeen = e.timeStamp;
    if (e.pointerType === "touch") {
      if (this.pointers.has(e.pointerId)) this.pointers.set(e.pointerId, at);
      if (this.pinch) {
        this.pinchMove();
        return;
      }
    }
    this.showRing(e.pointerType === "touch" ? null : at);
    if (this.panning) {
      this.view!.pan(at[0] - this.panning[0], at[1] - this.panning[1]);
      this.panning = at;
      this.moved();
      return;
    }
    const events = e.getCoalescedEvents?.() ?? [];
    for (const event of events.length > 0 ? events : [e]) this.extend(this.inImage(this.at(event)));
  }

  private extend(p: Point): void {
    const least = 0.7 / this.view!.scale;
    if (this.line) {
      const { points } = this.line;
      if (distance(points[points.length - 1], p) >= least) points.push(p);
    } else if (this.erasing) {
      const last = this.erasing[this.erasing.length - 1];
      if (distance(last, p) < least) return;
      this.erasing.push(p);
      this.host.eraseAlong(last, p, this.host.brush().width / 2);
      this.refresh("strokes");
    }
  }

  private up(e: PointerEvent, cancelled = false): void {
    this.pointers.delete(e.pointerId);
    this.top.classList.remove("grabbing");
    this.panning = null;
    if (this.pinch) {
      if (this.pointers.size < 2) this.pinch = null;
      return;
    }
    const { line, erasing } = this;
    this.line = this.erasing = null;
    if (line && !cancelled) this.host.strokeDone(line);
    else if (line) this.refresh("strokes");
    if (erasing) this.host.eraseDone(erasing, this.host.brush().width / 2);
  }

  private wheel(e: WheelEvent): void {
    e.preventDefault();
    if (!this.view) return;
    const unit = e.deltaMode === 1 ? 16 : 1;
    if (e.ctrlKey || !e.shiftKey) this.view.zoom(Math.exp((-e.deltaY * unit) / (e.ctrlKey ? 100 : 400)), this.at(e));
    else this.view.pan(-(e.deltaX || e.deltaY) * unit, 0);
    this.moved();
  }

  private pinchNow(): { middle: Point; spread: number } {
    const [a, b] = [...this.pointers.values()];
    return { middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], spread: Math.max(1, distance(a, b)) };
  }

  private pinchMove(): void {
    if (this.pointers.size < 2 || !this.pinch) return;
    const now = this.pinchNow();
    this.view!.pan(now.middle[0] - this.pinch.middle[0], now.middle[1] - this.pinch.middle[1]);
    this.view!.zoom(now.spread / this.pinch.spread, now.middle);
    this.pinch = now;
    this.moved();
  }
}
