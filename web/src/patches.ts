// Patches, strokes given by their pixels: shown, found by the pointer and cut by the eraser.

import { context } from "./dom";
import { newId } from "./geometry";
import type { PatchItem, Point } from "./protocol";

const WHITE = [255, 255, 255, 255];
const BLACK = [0, 0, 0, 255];
const CLEAR = [0, 0, 0, 0];

/** Pictures of patches, made once for each patch and colour. */
export class PatchPictures {
  private pictures = new Map<string, { color: string; canvas: HTMLCanvasElement | null }>();

  constructor(private ready: () => void) {}

  get(item: PatchItem, color: string): HTMLCanvasElement | null {
    const known = this.pictures.get(item.id);
    if (known && known.color === color) return known.canvas;
    const entry = { color, canvas: null as HTMLCanvasElement | null };
    this.pictures.set(item.id, entry);
    const [r, g, b] = [1, 3, 5].map((k) => parseInt(color.slice(k, k + 2), 16));
    void picture(item, [r, g, b, 255], CLEAR).then(({ canvas }) => {
      entry.canvas = canvas;
      this.ready();
    });
    return known?.canvas ?? null;
  }
}

export async function eraseFromPatch(item: PatchItem, path: Point[], radius: number): Promise<PatchItem | null> {
  const ctx = await picture(item, WHITE, BLACK);
  ctx.globalCompositeOperation = "source-over";
  ctx.fillStyle = ctx.strokeStyle = "#000000";
  ctx.lineWidth = 2 * radius;
  ctx.lineCap = ctx.lineJoin = "round";
  ctx.translate(0.5 - item.x, 0.5 - item.y);
  ctx.beginPath();
  ctx.moveTo(...path[0]);
  for (const p of path) ctx.lineTo(...p);
  ctx.stroke();
  const { data } = ctx.getImageData(0, 0, ctx.canvas.width, ctx.canvas.height);
  let left = 0;
  for (let i = 0; i < data.length; i += 4) {
    const there = data[i] > 127;
    left += there ? 1 : 0;
    data.set(there ? WHITE : BLACK, i);
  }
  if (left === 0) return null;
  ctx.putImageData(new ImageData(data, ctx.canvas.width, ctx.canvas.height), 0, 0);
  return { ...item, id: newId(), png: ctx.canvas.toDataURL("image/png").split(",")[1] };
}

export async function patchTouched(item: PatchItem, p: Point): Promise<boolean> {
  const [x, y] = [Math.round(p[0]) - item.x, Math.round(p[1]) - item.y];
  const ctx = await picture(item, WHITE, BLACK);
  if (x < 0 || y < 0 || x >= ctx.canvas.width || y >= ctx.canvas.height) return false;
  return ctx.getImageData(x, y, 1, 1).data[0] > 0;
}

/** The patch in two colours (red, green, blue, opacity): its own pixels, and the others of its box. */
async function picture(item: PatchItem, inside: number[], outside: number[]): Promise<CanvasRenderingContext2D> {
  const bytes = Uint8Array.from(atob(item.png), (c) => c.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
  const ctx = context(canvas);
  ctx.drawImage(bitmap, 0, 0);
  const image = ctx.getImageData(0, 0, canvas.width, canvas.height);
  for (let i = 0; i < image.data.length; i += 4) {
    image.data.set(image.data[i] > 0 ? inside : outside, i);
  }
  ctx.putImageData(image, 0, 0);
  return ctx;
}

/** A patch without what the eraser went over; itself where it went elsewhere, null where nothing is left. */
export async function cutPatch(item: PatchItem, path: Point[], radius: number): Promise<PatchItem | null> {
  const near = path.some((p) => p[0] > item.x - radius - 1 && p[1] > item.y - radius - 1);
  if (!near) return item;
  const cut = await eraseFromPatch(item, path, radius);
  return cut && cut.png === item.png ? item : cut;
}
