// What is drawn: the photograph with the mask over it on one canvas, the strokes on another above it,
// so that a stroke in progress only adds to the upper one.

import type { Painted } from "./painter";
import type { PatchPictures } from "./patches";
import type { Item, LineItem, StrokeDocument } from "./protocol";
import type { View } from "./view";

export interface LayerSettings {
  strokes: boolean;
  mask: boolean;
  outline: boolean;
  uncertainty: boolean;
  opacity: number;
  strokeOpacity: number;
  uncertaintyOpacity: number;
  /** Classes whose mask and strokes are not shown. */
  hidden: Set<number>;
}

/** Pixels of the screen: a stroke must stand out from the mask, which has its colour. */
const RIM = 1;
const RIM_COLOR = "rgba(255, 255, 255, 0.85)";

/** The photograph at full size and smaller, so that drawing it small is fast and smooth. */
export class Photo {
  private constructor(
    readonly levels: ImageBitmap[],
    readonly width: number,
    readonly height: number,
  ) {}

  static async from(full: ImageBitmap): Promise<Photo> {
    const levels = [full];
    let [width, height] = [full.width, full.height];
    while (width * height > 1_000_000) {
      [width, height] = [Math.ceil(width / 2), Math.ceil(height / 2)];
      const options = { resizeWidth: width, resizeHeight: height, resizeQuality: "high" } as const;
      levels.push(await createImageBitmap(levels[levels.length - 1], options));
    }
    return new Photo(levels, full.width, full.height);
  }

  close(): void {
    for (const level of this.levels) level.close();
  }
}

/** The smallest of `levels`, each half of the one before, that has enough pixels for `scale`. */
function level(levels: ImageBitmap[], scale: number): ImageBitmap {
  const wanted = Math.floor(Math.log2(1 / Math.max(scale, 1e-6)));
  return levels[Math.max(0, Math.min(levels.length - 1, wanted))];
}

export function drawBase(
  ctx: CanvasRenderingContext2D,
  view: View,
  ratio: number,
  photo: Photo,
  painted: Painted | null,
  outline: Path2D | null,
  layers: LayerSettings,
): void {
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.clearRect(0, 0, ctx.canvas.width, ctx.canvas.height);
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  const [x, y] = view.toScreen([0, 0]);
  const [w, h] = [photo.width * view.scale, photo.height * view.scale];
  const scale = view.scale * ratio;
  ctx.imageSmoothingEnabled = scale < 2;
  ctx.drawImage(level(photo.levels, scale), x, y, w, h);
  if (!painted) return;
  if (layers.uncertainty && painted.uncertainty) {
    ctx.imageSmoothingEnabled = true;
    ctx.globalAlpha = layers.uncertaintyOpacity;
    ctx.drawImage(painted.uncertainty, x, y, w, h);
    ctx.globalAlpha = 1;
  } else if (layers.mask && layers.opacity > 0) {
    ctx.imageSmoothingEnabled = false;
    ctx.globalAlpha = layers.opacity;
    ctx.drawImage(level(painted.masks, scale), x, y, w, h);
    ctx.globalAlpha = 1;
  }
  if (layers.outline && outline) strokeOutline(ctx, view, ratio, outline);
}

function strokeOutline(ctx: CanvasRenderingContext2D, view: View, ratio: number, outline: Path2D): void {
  ctx.setTransform(ratio * view.scale, 0, 0, ratio * view.scale, ratio * view.x, ratio * view.y);
  ctx.lineJoin = ctx.lineCap = "round";
  ctx.lineWidth = 3 / view.scale;
  ctx.strokeStyle = "rgba(0, 0, 0, 0.45)";
  ctx.stroke(outline);
  ctx.lineWidth = 1.4 / view.scale;
  ctx.strokeStyle = "#ffffff";
  ctx.stroke(outline);
}

export function outlinePath(edges: Float32Array): Path2D {
  const path = new Path2D();
  for (let i = 0; i < edges.length; i += 4) {
    path.moveTo(edges[i], edges[i + 1]);
    path.lineTo(edges[i + 2], edges[i + 3]);
  }
  return path;
}

export function drawStrokes(
  ctx: CanvasRenderingContext2D,
  view: View,
  ratio: number,
  strokes: StrokeDocument,
  patches: PatchPictures,
  hidden: Set<number>,
): void {
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.clearRect(0, 0, ctx.canvas.width, ctx.canvas.height);
  clipToImage(ctx, view, ratio);
  toImage(ctx, view, ratio);
  const colors = new Map(strokes.classes.map((c) => [c.value, c.color ?? "#888888"]));
  const rim = RIM / view.scale;
  const shown = strokes.items.filter((item) => !hidden.has(item.value));
  for (const item of shown) if (!item.pinned) drawItem(ctx, item, colors.get(item.value) ?? "#888888", rim, patches);
  drawPins(ctx, view, ratio, shown.filter((item) => item.pinned), patches);
  ctx.restore();
}

let hatched: CanvasRenderingContext2D | null = null;

/** What is pinned, hatched: it must not hide the mask below. */
function drawPins(ctx: CanvasRenderingContext2D, view: View, ratio: number, pins: Item[], patches: PatchPictures): void {
  if (pins.length === 0) return;
  hatched ??= document.createElement("canvas").getContext("2d")!;
  const { canvas } = hatched;
  [canvas.width, canvas.height] = [ctx.canvas.width, ctx.canvas.height];
  toImage(hatched, view, ratio);
  for (const pin of pins) drawItem(hatched, pin, "#000000", 0, patches);
  hatched.setTransform(1, 0, 0, 1, 0, 0);
  hatched.globalCompositeOperation = "source-in";
  hatched.fillStyle = hatched.createPattern(hatch(ratio), "repeat")!;
  hatched.fillRect(0, 0, canvas.width, canvas.height);
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.drawImage(canvas, 0, 0);
}

function hatch(ratio: number): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = Math.round(12 * ratio);
  const ctx = canvas.getContext("2d")!;
  const { width } = canvas;
  for (const [color, line] of [["rgba(0, 0, 0, 0.2)", 2.5], ["rgba(255, 255, 255, 0.75)", 1]] as const) {
    ctx.strokeStyle = color;
    ctx.lineWidth = line * ratio;
    ctx.beginPath();
    for (const shift of [-width, 0, width]) {
      ctx.moveTo(shift - width / 2, width * 1.5);
      ctx.lineTo(shift + width * 1.5, -width / 2);
    }
    ctx.stroke();
  }
  return canvas;
}

/** Lets a context paint the image alone, not what is around it; until `restore`. */
export function clipToImage(ctx: CanvasRenderingContext2D, view: View, ratio: number): void {
  ctx.save();
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.beginPath();
  ctx.rect(view.x, view.y, view.image.width * view.scale, view.image.height * view.scale);
  ctx.clip();
}

/** Makes the context count in pixel centres of the image, as strokes do. */
export function toImage(ctx: CanvasRenderingContext2D, view: View, ratio: number): void {
  const scale = ratio * view.scale;
  ctx.setTransform(scale, 0, 0, scale, ratio * view.x + scale / 2, ratio * view.y + scale / 2);
}

function drawItem(ctx: CanvasRenderingContext2D, item: Item, color: string, rim: number, patches: PatchPictures): void {
  if (item.kind === "line") {
    traceLine(ctx, item, RIM_COLOR, item.width + 2 * rim, 0);
    traceLine(ctx, item, color, item.width, 0);
    return;
  }
  const picture = patches.get(item, color);
  if (!picture) return;
  ctx.imageSmoothingEnabled = false;
  ctx.drawImage(picture, item.x - 0.5, item.y - 0.5);
}

/** Draws a line from its point number `from` on; the rest is there already, so the rim goes below it. */
export function drawLine(ctx: CanvasRenderingContext2D, view: View, item: LineItem, color: string, from: number): void {
  traceLine(ctx, item, color, item.width, from);
  ctx.globalCompositeOperation = "destination-over";
  traceLine(ctx, item, RIM_COLOR, item.width + (2 * RIM) / view.scale, from);
  ctx.globalCompositeOperation = "source-over";
}

function traceLine(ctx: CanvasRenderingContext2D, item: LineItem, color: string, width: number, from: number): void {
  const { points } = item;
  ctx.strokeStyle = ctx.fillStyle = color;
  ctx.lineWidth = width;
  ctx.lineCap = ctx.lineJoin = "round";
  ctx.beginPath();
  if (points.length === 1) {
    ctx.arc(points[0][0], points[0][1], width / 2, 0, 2 * Math.PI);
    ctx.fill();
    return;
  }
  const start = Math.max(0, from - 1);
  ctx.moveTo(...points[start]);
  for (let i = start + 1; i < points.length; i++) ctx.lineTo(...points[i]);
  ctx.stroke();
}
