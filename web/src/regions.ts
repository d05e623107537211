// Regions of a mask: the one at a place, all of a class; as a patch of the strokes.

import { newId } from "./geometry";
import type { Item, PatchItem, Point } from "./protocol";

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

/** What is no pixel of the class but all around enclosed by it, without holes that `kept` (places) lie in. */
export function holes(labels: Labels, value: number, kept: Point[]): Uint8Array {
  const { width, height } = labels;
  const found = new Uint8Array(width * height).map((_, i) => (labels.at(i) === value ? 0 : 1));
  const clear = (from: number) => {
    const stack = [from];
    while (stack.length > 0) {
      const i = stack.pop()!;
      if (!found[i]) continue;
      found[i] = 0;
      const x = i % width;
      if (x > 0) stack.push(i - 1);
      if (x < width - 1) stack.push(i + 1);
      if (i >= width) stack.push(i - width);
      if (i < width * (height - 1)) stack.push(i + width);
    }
  };
  for (let x = 0; x < width; x++) [x, (height - 1) * width + x].forEach(clear);
  for (let y = 0; y < height; y++) [y * width, y * width + width - 1].forEach(clear);
  for (const [x, y] of kept) clear(Math.round(y) * width + Math.round(x));
  return found;
}

/** Pixels that a smoother border gives to the class or takes from it, by the class that they then have. */
export function smoothed(labels: Labels, value: number): Map<number, Uint8Array> {
  const { width, height } = labels;
  const radius = Math.max(1, Math.min(12, Math.round(Math.max(width, height) / 200)));
  const share = boxMean(allOf(labels, value), width, height, radius);
  const changed = new Map<number, Uint8Array>();
  for (let i = 0; i < width * height; i++) {
    const now = labels.at(i);
    if (share[i] > 0.5 === (now === value) || share[i] === 0.5) continue;
    const next = share[i] > 0.5 ? value : neighbor(labels, value, i, radius);
    if (!changed.has(next)) changed.set(next, new Uint8Array(width * height));
    changed.get(next)![i] = 1;
  }
  return changed;
}

/** The class that is there most around a pixel, of all but one. */
function neighbor(labels: Labels, but: number, i: number, radius: number): number {
  const { width, height } = labels;
  const [x, y] = [i % width, Math.floor(i / width)];
  const counts = new Map<number, number>();
  for (let ny = Math.max(0, y - radius); ny <= Math.min(height - 1, y + radius); ny++) {
    for (let nx = Math.max(0, x - radius); nx <= Math.min(width - 1, x + radius); nx++) {
      const value = labels.at(ny * width + nx);
      if (value !== but) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
  }
  return [...counts].reduce((a, b) => (b[1] > a[1] ? b : a))[0];
}

/** Means over squares of (2 * radius + 1) ** 2 pixels, along rows and then along columns. */
export function boxMean(pixels: ArrayLike<number>, width: number, height: number, radius: number): Float32Array {
  const rows = new Float32Array(pixels.length);
  const out = new Float32Array(pixels.length);
  const pass = (from: ArrayLike<number>, to: Float32Array, lines: number, length: number, across: number, along: number) => {
    for (let line = 0; line < lines; line++) {
      let [sum, count] = [0, 0];
      const at = (k: number) => line * across + k * along;
      for (let k = 0; k < Math.min(radius, length); k++) { sum += from[at(k)]; count++; }
      for (let k = 0; k < length; k++) {
        if (k + radius < length) { sum += from[at(k + radius)]; count++; }
        if (k - radius - 1 >= 0) { sum -= from[at(k - radius - 1)]; count--; }
        to[at(k)] = sum / count;
      }
    }
  };
  pass(pixels, rows, height, width, width, 1);
  pass(rows, out, width, height, 1, width);
  return out;
}
