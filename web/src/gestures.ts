// What pointers do on the image: draw, erase, remove, move, zoom.

import { distance, newId } from "./geometry";
import type { LineItem, Point } from "./protocol";
import type { View } from "./view";

export type Tool = "brush" | "eraser" | "remove" | "paint" | "wipe" | "pin" | "shape" | "pan";

export interface GestureHost {
  tool(): Tool;
  brush(): { value: number; width: number };
  strokeDone(line: LineItem): void;
  eraseAlong(a: Point, b: Point, radius: number): void;
  eraseDone(path: Point[], radius: number): void;
  removeAt(at: Point, slack: number): void;
  pinAt(at: Point): void;
  shapeAt(at: Point): void;
  enabled(): boolean;
}

/** What shows the image. */
export interface Surface {
  readonly view: View | null;
  refresh(what: "strokes"): void;
  lineBegun(): void;
  moved(): void;
  showRing(at: Point | null): void;
  /** A finger draws at a place of the screen, or no more. */
  touched(at: Point | null): void;
  setCursor(): void;
}

/** Milliseconds after a pen was seen in which a touch is the palm beside it. */
const PEN_MEMORY = 1000;

export class Gestures {
  /** The stroke that is being drawn. */
  line: LineItem | null = null;
  private erasing: Point[] | null = null;
  private panning: Point | null = null;
  /** What begins once the pointer comes into the image; null: nothing. */
  private outside: Tool | null = null;
  private pointers = new Map<number, Point>();
  private pinch: { middle: Point; spread: number } | null = null;
  private penSeen = -1e9;
  private spaceHeld = false;

  constructor(private element: HTMLElement, private host: GestureHost, private surface: Surface) {
    this.listen();
  }

  get drawing(): boolean {
    return this.line !== null || this.erasing !== null;
  }

  /** Whether the image is moved rather than drawn on. */
  get moving(): boolean {
    return this.spaceHeld || this.panning !== null;
  }

  get tool(): Tool {
    return this.spaceHeld ? "pan" : this.host.tool();
  }

  cancelStroke(): boolean {
    const was = this.line !== null;
    this.line = null;
    if (was) this.surface.refresh("strokes");
    return was;
  }

  holdSpace(held: boolean): void {
    this.spaceHeld = held;
    this.surface.setCursor();
  }

  private listen(): void {
    const { element } = this;
    element.addEventListener("pointerdown", (e) => this.down(e));
    element.addEventListener("pointermove", (e) => this.move(e));
    element.addEventListener("pointerup", (e) => this.up(e));
    element.addEventListener("pointercancel", (e) => this.up(e, true));
    element.addEventListener("pointerleave", () => this.surface.showRing(null));
    element.addEventListener("contextmenu", (e) => e.preventDefault());
    element.addEventListener("wheel", (e) => this.wheel(e), { passive: false });
  }

  private at(e: MouseEvent): Point {
    const box = this.element.getBoundingClientRect();
    return [e.clientX - box.left, e.clientY - box.top];
  }

  /** Where in the image, from pixel centres; kept inside, as strokes are drawn that way. */
  private inImage(screen: Point): Point {
    const [x, y] = this.surface.view!.toImage(screen);
    const { width, height } = this.surface.view!.image;
    const round = (v: number) => Math.round(v * 100) / 100;
    return [
      round(Math.max(0, Math.min(width - 1, x - 0.5))),
      round(Math.max(0, Math.min(height - 1, y - 0.5))),
    ];
  }

  private down(e: PointerEvent): void {
    if (!this.surface.view) return;
    this.element.focus({ preventScroll: true });
    const at = this.at(e);
    if (e.pointerType === "pen") this.penSeen = e.timeStamp;
    if (e.pointerType === "touch") {
      if (e.timeStamp - this.penSeen < PEN_MEMORY) return; // the palm beside a pen
      this.pointers.set(e.pointerId, at);
      if (this.pointers.size === 2) {
        this.cancelStroke();
        this.surface.touched(null);
        this.erasing = this.panning = null;
        this.pinch = this.pinchNow();
        return;
      }
      if (this.pointers.size > 2) return;
    }
    this.element.setPointerCapture(e.pointerId);
    const tool = e.button === 1 ? "pan" : this.tool;
    if (tool === "pan" || !this.host.enabled()) {
      this.panning = at;
      this.element.classList.add("grabbing");
      return;
    }
    const erases = e.button === 2 ? "eraser" : tool;
    if (e.button !== 0 && erases !== "eraser") return;
    this.begin(this.inImage(at), erases, this.isInside(at));
    this.outside = !this.drawing && !this.isInside(at) && e.button === 0 ? erases : null;
  }

  /** Begin what the tool does, at a place of the image. */
  begin(p: Point, tool: Tool, inside = true): void {
    const { value, width } = this.host.brush();
    if (tool === "eraser") {
      this.erasing = [p];
      this.host.eraseAlong(p, p, width / 2);
      this.surface.refresh("strokes");
    } else if (tool === "remove") {
      this.host.removeAt(p, 6 / this.surface.view!.scale);
    } else if (tool === "pin") {
      if (inside) this.host.pinAt(p);
    } else if (tool === "shape") {
      if (inside) this.host.shapeAt(p);
    } else if (inside) {
      this.line = { id: newId(), kind: "line", value, width: Math.round(width * 10) / 10, points: [p] };
      if (tool === "paint" || tool === "wipe") this.line.pinned = true;
      this.surface.lineBegun();
    }
  }

  private isInside(at: Point): boolean {
    const [x, y] = this.surface.view!.toImage(at);
    const slack = this.host.brush().width / 2;
    return x > -slack && y > -slack && x < this.surface.view!.image.width + slack && y < this.surface.view!.image.height + slack;
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
    this.surface.showRing(e.pointerType === "touch" ? null : at);
    if (this.panning) {
      this.surface.view!.pan(at[0] - this.panning[0], at[1] - this.panning[1]);
      this.panning = at;
      this.surface.moved();
      return;
    }
    if (e.pointerType === "touch" && this.drawing) this.surface.touched(at);
    const events = e.getCoalescedEvents?.() ?? [];
    for (const event of events.length > 0 ? events : [e]) {
      const place = this.at(event);
      if (this.outside && this.isInside(place)) {
        this.begin(this.inImage(place), this.outside);
        this.outside = null;
      }
      if (!this.line || this.isInside(place)) this.extend(this.inImage(place));
    }
  }

  /** Go on to a place of the image. */
  extend(p: Point, least = 0.7 / this.surface.view!.scale): void {
    if (this.line) {
      const { points } = this.line;
      if (distance(points[points.length - 1], p) >= least) points.push(p);
    } else if (this.erasing) {
      const last = this.erasing[this.erasing.length - 1];
      if (distance(last, p) < least) return;
      this.erasing.push(p);
      this.host.eraseAlong(last, p, this.host.brush().width / 2);
      this.surface.refresh("strokes");
    }
  }

  private up(e: PointerEvent, cancelled = false): void {
    this.pointers.delete(e.pointerId);
    this.surface.touched(null);
    this.element.classList.remove("grabbing");
    this.panning = null;
    if (this.pinch) {
      if (this.pointers.size < 2) this.pinch = null;
      return;
    }
    this.outside = null;
    this.finish(cancelled);
  }

  /** End what was begun. */
  finish(cancelled = false): void {
    const { line, erasing } = this;
    this.line = this.erasing = null;
    if (line && !cancelled) this.host.strokeDone(line);
    else if (line) this.surface.refresh("strokes");
    if (erasing) this.host.eraseDone(erasing, this.host.brush().width / 2);
  }

  private wheel(e: WheelEvent): void {
    e.preventDefault();
    if (!this.surface.view) return;
    const unit = e.deltaMode === 1 ? 16 : 1;
    if (e.ctrlKey || !e.shiftKey) this.surface.view.zoom(Math.exp((-e.deltaY * unit) / (e.ctrlKey ? 100 : 400)), this.at(e));
    else this.surface.view.pan(-(e.deltaX || e.deltaY) * unit, 0);
    this.surface.moved();
  }

  private pinchNow(): { middle: Point; spread: number } {
    const [a, b] = [...this.pointers.values()];
    return { middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], spread: Math.max(1, distance(a, b)) };
  }

  private pinchMove(): void {
    if (this.pointers.size < 2 || !this.pinch) return;
    const now = this.pinchNow();
    this.surface.view!.pan(now.middle[0] - this.pinch.middle[0], now.middle[1] - this.pinch.middle[1]);
    this.surface.view!.zoom(now.spread / this.pinch.spread, now.middle);
    this.pinch = now;
    this.surface.moved();
  }
}
