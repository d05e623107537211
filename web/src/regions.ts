// Regions of a mask: the one at a place, all of a class; as a patch of the strokes.

import { newId } from "./geometry";
import type { Item, PatchItem } from "./protocol";

/** Class values (not indices) of an image. */
export interface Labels {
  width: number;
  height: number;
  at(i: number): number;
}

/** Which pixels are connected to the one at (x, y) and of its class, corners too. */
export function region(labels: Labels, x: number, y: number): Uint8Array {
  const { width, height } = labels;
  const found = new Uint8Array(width * height);
  const value = labels.at(y * width + x);
  const stack = [y * width + x];
  found[stack[0]] = 1;
  while (stack.length > 0) {
    const i = stack.pop()!;
    const [px, py] = [i % width, Math.floor(i / width)];
    for (let ny = Math.max(0, py - 1); ny <= Math.min(height - 1, py + 1); ny++) {
      for (let nx = Math.max(0, px - 1); nx <= Math.min(width - 1, px + 1); nx++) {
        const n = ny * width + nx;
        if (found[n] || labels.at(n) !== value) continue;
        found[n] = 1;
        stack.push(n);
      }
    }
  }
  return found;
}

export function allOf(labels: Labels, value: number): Uint8Array {
  return Uint8Array.from({ length: labels.width * labels.height }, (_, i) => (labels.at(i) === value ? 1 : 0));
}

/** Pixels (1 where they are) as something pinned; null where there is none. */
export function pinnedPatch(pixels: Uint8Array, width: number, value: number, prefix = ""): PatchItem | null {
  const height = pixels.length / width;
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (!pixels[i]) continue;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      bottom = y;
    }
  }
  if (right < 0) return null;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [right - left + 1, bottom - top + 1];
  const ctx = canvas.getContext("2d")!;
  const image = ctx.createImageData(canvas.width, canvas.height);
  const colors = new Uint32Array(image.data.buffer);
  for (let y = top, k = 0; y <= bottom; y++) {
    for (let x = left; x <= right; x++, k++) colors[k] = pixels[y * width + x] ? 0xffffffff : 0xff000000;
  }
  ctx.putImageData(image, 0, 0);
  const png = canvas.toDataURL("image/png").split(",")[1];
  return { id: prefix + newId(), kind: "patch", value, x: left, y: top, png, pinned: true };
}

/** What the ids of patches begin with that hold all of a class. */
export function lockPrefix(value: number): string {
  return `lock-${value}-`;
}

/** Whether what a class has is pinned as a whole. */
export function isLocked(items: Item[], value: number): boolean {
  return items.some((item) => item.id.startsWith(lockPrefix(value)));
}
