// Patches, strokes given by their pixels: found by the pointer and cut by the eraser.

import { context, patchBitmap } from "./layers";
import { newId } from "./geometry";
import type { PatchItem, Point } from "./protocol";

export async function eraseFromPatch(item: PatchItem, path: Point[], radius: number): Promise<PatchItem | null> {
  const ctx = await picture(item);
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
    data.set(there ? [255, 255, 255, 255] : [0, 0, 0, 255], i);
  }
  if (left === 0) return null;
  ctx.putImageData(new ImageData(data, ctx.canvas.width, ctx.canvas.height), 0, 0);
  return { ...item, id: newId(), png: ctx.canvas.toDataURL("image/png").split(",")[1] };
}

export async function patchTouched(item: PatchItem, p: Point): Promise<boolean> {
  const [x, y] = [Math.round(p[0]) - item.x, Math.round(p[1]) - item.y];
  const ctx = await picture(item);
  if (x < 0 || y < 0 || x >= ctx.canvas.width || y >= ctx.canvas.height) return false;
  return ctx.getImageData(x, y, 1, 1).data[0] > 0;
}

/** The patch in white on black. */
async function picture(item: PatchItem): Promise<CanvasRenderingContext2D> {
  const bitmap = await patchBitmap(item.png);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
  const ctx = context(canvas);
  ctx.drawImage(bitmap, 0, 0);
  const data = ctx.getImageData(0, 0, canvas.width, canvas.height);
  for (let i = 0; i < data.data.length; i += 4) {
    const value = data.data[i] > 0 ? 255 : 0;
    data.data.set([value, value, value, 255], i);
  }
  ctx.putImageData(data, 0, 0);
  return ctx;
}
