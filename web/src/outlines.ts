// Outlines of regions as polygons, and the pixels inside of a polygon.

import { simplify } from "./geometry";
import type { Point } from "./protocol";

const MOST_CORNERS = 48;

/** The outer border of the pixels that are set, along their sides, in pixel centres; closed. */
export function outline(pixels: Uint8Array, width: number): Point[] {
  const height = pixels.length / width;
  const first = pixels.indexOf(1);
  if (first < 0) return [];
  const inside = (x: number, y: number) => x >= 0 && y >= 0 && x < width && y < height && pixels[y * width + x] === 1;
  const start: Point = [first % width, Math.floor(first / width)];
  let [x, y] = start;
  let [dx, dy] = [1, 0]; // the region is at the right hand
  const found: Point[] = [];
  do {
    const ahead = (side: number) => inside(Math.floor(x + 0.5 * dx - 0.5 * side * dy), Math.floor(y + 0.5 * dy + 0.5 * side * dx));
    const before = [dx, dy];
    if (ahead(-1)) [dx, dy] = [dy, -dx];
    else if (!ahead(1)) [dx, dy] = [-dy, dx];
    if (before[0] !== dx || before[1] !== dy || found.length === 0) found.push([x - 0.5, y - 0.5]);
    [x, y] = [x + dx, y + dy];
  } while (x !== start[0] || y !== start[1]);
  return found;
}

/** A closed polygon with few corners, none farther than `least` or what so few corners need. */
export function fewer(points: Point[], least: number): Point[] {
  // From its two ends that are far apart: a closed line has none of its own.
  const far = points.reduce((best, p, i) => (Math.hypot(p[0] - points[0][0], p[1] - points[0][1]) > Math.hypot(points[best][0] - points[0][0], points[best][1] - points[0][1]) ? i : best), 0);
  for (let tolerance = least; ; tolerance *= 1.5) {
    const there = simplify(points.slice(0, far + 1), tolerance);
    const back = simplify([...points.slice(far), points[0]], tolerance);
    const all = [...there.slice(0, -1), ...back.slice(0, -1)];
    if (all.length <= MOST_CORNERS) return all;
  }
}

/** The pixels whose middles are inside of a polygon. */
export function filled(points: Point[], width: number, height: number): Uint8Array {
  const found = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const crossings: number[] = [];
    points.forEach(([x0, y0], i) => {
      const [x1, y1] = points[(i + 1) % points.length];
      if (y0 <= y !== y1 <= y) crossings.push(x0 + ((y - y0) / (y1 - y0)) * (x1 - x0));
    });
    crossings.sort((a, b) => a - b);
    for (let k = 0; k + 1 < crossings.length; k += 2) {
      const [from, to] = [Math.max(0, Math.ceil(crossings[k])), Math.min(width - 1, Math.floor(crossings[k + 1]))];
      if (from <= to) found.fill(1, y * width + from, y * width + to + 1);
    }
  }
  return found;
}
