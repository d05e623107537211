// The canvases, and what lies over them: the ring of the brush, the regions that are suggested.

import { context, h } from "./dom";
import { Flash } from "./flash";
import { Gestures, type GestureHost } from "./gestures";
import { KeyCursor } from "./key_cursor";
import { t } from "./language";
import { clipToImage, drawBase, drawLine, drawStrokes, outlinePath, toImage, type LayerSettings, type Photo } from "./layers";
import type { Painted } from "./painter";
import { PatchPictures } from "./patches";
import type { Point, Region, StrokeDocument } from "./protocol";
import { Magnifier } from "./magnifier";
import { View } from "./view";

export interface StageHost extends GestureHost {
  brush(): { value: number; color: string; width: number };
  strokes(): StrokeDocument;
  layers(): LayerSettings;
  frame(milliseconds: number): void;
  /** The pointer is at a place of the screen, or nowhere. */
  looked(at: Point | null): void;
  moved(): void;
}

const MOST_RATIO = 2;

export class Stage {
  readonly element: HTMLElement;
  view: View | null = null;
  private base = h("canvas", { class: "layer" });
  private flash = new Flash();
  private top = h("canvas", { class: "layer", "data-testid": "canvas", tabindex: "0", role: "application", "aria-roledescription": t("canvasRole"), "aria-label": t("canvasLabel") });
  readonly cursor: KeyCursor;
  private ring = h("div", { class: "brush-ring", hidden: true });
  private marks = h("div", { class: "marks" });
  private photo: Photo | null = null;
  private painted: Painted | null = null;
  private outline: Path2D | null = null;
  private patches = new PatchPictures(() => this.refresh("strokes"));
  private dirty = { base: false, strokes: false };
  private asked = false;
  private drawn = 0;
  private lastFrame = 0;
  private regions: Region[] = [];
  private current: Region | null = null;
  private ratio = 1;
  private comparing = false;

  private lastAt: Point | null = null;
  /** A finger that draws. */
  private finger: Point | null = null;
  private magnifying = false;
  private magnifier = new Magnifier();
  readonly gestures: Gestures;

  constructor(private host: StageHost) {
    this.element = h("div", { class: "stage" }, this.base, this.flash.element, this.top, this.marks, this.ring, this.magnifier.element);
    new ResizeObserver(() => this.resize()).observe(this.element);
    this.gestures = new Gestures(this.top, host, this);
    this.cursor = new KeyCursor(this.top, host, this, this.gestures);
  }

  /** `stay`: look at the same place, as at the next slice. */
  setPhoto(photo: Photo, stay = false): void {
    this.photo?.close();
    this.photo = photo;
    this.painted = this.outline = null;
    this.comparing = false;
    this.regions = [];
    if (!stay || !this.view) this.view = new View(photo, this.screen());
    this.refresh();
  }

  /** The same image with other contrast; `alone`: another slice, without the mask of this one. */
  changePhoto(photo: Photo, alone = false): void {
    this.photo?.close();
    this.photo = photo;
    this.comparing = alone;
    this.refresh("base");
  }

  /** The photograph alone, as long as a key is held. */
  compare(held: boolean): void {
    if (this.comparing === held) return;
    this.comparing = held;
    this.refresh();
  }

  /** A part of the image larger, as long as a key is held; always of what a finger covers. */
  magnify(held = this.magnifying): void {
    this.magnifying = held;
    const at = this.finger ?? (held ? this.lastAt : null);
    this.magnifier.show(at, [this.base, this.top], this.ratio, this.element.clientWidth);
  }

  touched(at: Point | null): void {
    this.finger = at;
    this.magnify();
  }

  setPainted(painted: Painted | null): void {
    for (const bitmap of [...(this.painted?.masks ?? []), this.painted?.uncertainty]) bitmap?.close();
    if (painted?.changed && this.view) this.flash.show(painted.changed, this.view, this.ratio);
    this.painted = painted;
    this.outline = painted ? outlinePath(painted.edges) : null;
    this.refresh("base");
  }

  /** `current`: the one that somebody went to. */
  setRegions(regions: Region[], current: Region | null): void {
    this.regions = regions;
    this.current = current;
    this.placeMarks();
  }

  /** A line has begun: it is drawn as it grows. */
  lineBegun(): void {
    this.drawn = 0;
    this.ask();
  }

  refresh(what: "base" | "strokes" | "all" = "all"): void {
    if (what !== "strokes") this.dirty.base = true;
    if (what !== "base") this.dirty.strokes = true;
    this.ask();
  }

  /** Everything on screen moves with the view. */
  moved(): void {
    this.flash.stop();
    this.refresh();
    this.placeMarks();
    this.showRing(this.lastAt);
    this.cursor?.place();
    this.host.moved();
    this.host.looked(this.lastAt);
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

  /** Image pixels, counted from pixel centres, to the window. */
  toClient(p: Point): Point {
    const box = this.top.getBoundingClientRect();
    const [x, y] = this.view?.toScreen([p[0] + 0.5, p[1] + 0.5]) ?? [0, 0];
    return [x + box.left, y + box.top];
  }

  setCursor(): void {
    this.top.dataset.tool = this.gestures.tool;
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
    const { line, drawing } = this.gestures;
    if (drawing) {
      if (this.lastFrame > 0) this.host.frame(now - this.lastFrame);
      this.lastFrame = now;
      this.ask();
    } else {
      this.lastFrame = 0;
    }
    if (this.dirty.base) {
      drawBase(context(this.base), this.view, this.ratio, this.photo, this.comparing ? null : this.painted, this.outline, this.host.layers());
    }
    const ctx = context(this.top);
    if (this.dirty.strokes) {
      this.top.style.opacity = String(this.comparing ? 0 : this.host.layers().strokeOpacity);
      if (this.host.layers().strokes || drawing) {
        drawStrokes(ctx, this.view, this.ratio, this.host.strokes(), this.patches, this.host.layers().hidden);
      } else {
        ctx.setTransform(1, 0, 0, 1, 0, 0);
        ctx.clearRect(0, 0, this.top.width, this.top.height);
      }
      this.drawn = 0;
    }
    if (line && this.drawn < line.points.length) {
      clipToImage(ctx, this.view, this.ratio);
      toImage(ctx, this.view, this.ratio);
      drawLine(ctx, this.view, line, this.host.brush().color, this.drawn);
      ctx.restore();
      this.drawn = line.points.length;
    }
    this.dirty = { base: false, strokes: false };
    this.magnify();
  }

  private placeMarks(): void {
    const view = this.view;
    if (!view) return;
    this.marks.replaceChildren(
      ...this.regions.map((region, i) => {
        const [top, left, bottom, right] = region.box;
        const [x, y] = view.toScreen([left, top]);
        const box = h("div", { class: region === this.current ? "region current" : "region" }, h("span", {}, String(i + 1)));
        Object.assign(box.style, {
          transform: `translate(${x}px, ${y}px)`,
          width: `${(right - left) * view.scale}px`,
          height: `${(bottom - top) * view.scale}px`,
        });
        return box;
      }),
    );
  }

  /** The ring of the brush where the pointer is; null: it is elsewhere. */
  showRing(at: Point | null): void {
    this.lastAt = at;
    this.host.looked(at);
    if (this.magnifying) this.magnify();
    const tool = this.host.tool();
    const sized = ["brush", "eraser", "paint", "wipe"].includes(tool) && !this.gestures.moving;
    this.ring.hidden = !at || !sized || !this.view || !this.host.enabled();
    if (this.ring.hidden || !at || !this.view) return;
    const { width, color } = this.host.brush();
    const size = Math.max(4, width * this.view.scale);
    Object.assign(this.ring.style, {
      width: `${size}px`,
      height: `${size}px`,
      transform: `translate(${at[0] - size / 2}px, ${at[1] - size / 2}px)`,
      borderColor: tool === "eraser" ? "#ffffff" : color,
    });
  }
}
