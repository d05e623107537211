import { expect, it } from "vitest";
import { fewer, filled, outline } from "../src/outlines";

function pixels(rows: string[]): Uint8Array {
  return Uint8Array.from(rows.join(""), (c) => (c === "#" ? 1 : 0));
}

it("goes around a region and fills it again, corners that touch too", () => {
  for (const rows of [
    ["......", ".####.", ".####.", "......"],
    ["#.....", ".##...", "..##..", "...##."],
    ["..#...", ".###..", "######", ".#..#."],
    ["######", "######", "######", "######"],
  ]) {
    const region = pixels(rows);
    expect([...filled(outline(region, 6), 6, 4)]).toEqual([...region]);
  }
});

it("leaves a hole out of the outline: it is the outer border", () => {
  const ring = outline(pixels(["####", "#..#", "####"]), 4);
  expect(ring).toEqual([[-0.5, -0.5], [3.5, -0.5], [3.5, 2.5], [-0.5, 2.5]]);
});

it("keeps few corners of a round outline, near it", () => {
  const size = 200;
  const disc = Uint8Array.from({ length: size * size }, (_, i) => (Math.hypot((i % size) - 100, Math.floor(i / size) - 100) < 80 ? 1 : 0));
  const corners = fewer(outline(disc, size), 0.7);
  expect(corners.length).toBeLessThanOrEqual(48);
  expect(corners.length).toBeGreaterThan(6);
  const again = filled(corners, size, size);
  const wrong = again.reduce((sum, v, i) => sum + (v !== disc[i] ? 1 : 0), 0);
  expect(wrong / disc.reduce((a, b) => a + b)).toBeLessThan(0.02);
});
