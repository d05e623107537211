// Polylines: made simpler, cut by an eraser, found by the pointer.

import type { LineItem, Point } from "./protocol";

export function distance(a: Point, b: Point): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

/** Distance of `p` to the segment from `a` to `b`. */
export function distanceToSegment(p: Point, a: Point, b: Point): number {
  const dx = b[0] - a[0];
  const dy = b[1] - a[1];
  const square = dx * dx + dy * dy;
  const t = square === 0 ? 0 : Math.max(0, Math.min(1, ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / square));
  return Math.hypot(p[0] - a[0] - t * dx, p[1] - a[1] - t * dy);
}

/** Douglas and Peucker: no point of the given line is further than `tolerance` from the new one. */
export function simplify(points: Point[], tolerance: number): Point[] {
  if (points.length < 3) return points.slice();
  const keep = new Uint8Array(points.length);
  keep[0] = keep[points.length - 1] = 1;
  const stack: [number, number][] = [[0, points.length - 1]];
  while (stack.length > 0) {
    const [first, last] = stack.pop()!;
    let worst = 0;
    let index = -1;
    for (let i = first + 1; i < last; i++) {
      const d = distanceToSegment(points[i], points[first], points[last]);
      if (d > worst) [worst, index] = [d, i];
    }
    if (worst > tolerance) {
      keep[index] = 1;
      stack.push([first, index], [index, last]);
    }
  }
  return points.filter((_, i) => keep[i]);
}

/** Whether a brush of `radius` at `p` touches the stroke. */
export function touches(item: LineItem, p: Point, radius: number): boolean {
  const reach = radius + item.width / 2;
  const { points } = item;
  if (points.length === 1) return distance(points[0], p) <= reach;
  for (let i = 1; i < points.length; i++) {
    if (distanceToSegment(p, points[i - 1], points[i]) <= reach) return true;
  }
  return false;
}

/**
 * What is left of a stroke where an eraser of `radius` went from `a` to `b`: the stroke itself if it
 * was not touched, else its pieces. The middle of a thick stroke has to be covered, not its rim only.
 */
export function erase(item: LineItem, a: Point, b: Point, radius: number): LineItem[] {
  const reach = radius + item.width / 4;
  const dense = densify(item.points, Math.max(0.5, Math.min(radius / 3, 4)));
  const keep = dense.map((p) => distanceToSegment(p, a, b) > reach);
  if (keep.every(Boolean)) return [item];
  const pieces: Point[][] = [];
  let piece: Point[] = [];
  dense.forEach((p, i) => {
    if (keep[i]) piece.push(p);
    else if (piece.length > 0) {
      pieces.push(piece);
      piece = [];
    }
  });
  if (piece.length > 0) pieces.push(piece);
  return pieces
    .filter((points) => points.length > 1)
    .map((points) => ({ ...item, id: newId(), points: simplify(points, 0.25) }));
}

function densify(points: Point[], step: number): Point[] {
  const dense: Point[] = [points[0]];
  for (let i = 1; i < points.length; i++) {
    const [a, b] = [points[i - 1], points[i]];
    const parts = Math.max(1, Math.ceil(distance(a, b) / step));
    for (let k = 1; k <= parts; k++) {
      dense.push([a[0] + ((b[0] - a[0]) * k) / parts, a[1] + ((b[1] - a[1]) * k) / parts]);
    }
  }
  return dense;
}

export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
