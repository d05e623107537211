import { expect, it } from "vitest";
import { holes, region, smoothed } from "../src/regions";

/** Labels of rows of digits. */
function labels(...rows: string[]) {
  const text = rows.join("");
  return { width: rows[0].length, height: rows.length, at: (i: number) => Number(text[i]) };
}

const places = (pixels: Uint8Array) => [...pixels.keys()].filter((i) => pixels[i]);

it("finds the region at a place, corners too", () => {
  expect(places(region(labels("1100", "0010", "1000"), 0, 0))).toEqual([0, 1, 6]);
});

it("fills what is enclosed, but for holes that somebody drew in", () => {
  const ring = labels("11111", "10101", "11111", "10000");
  expect(places(holes(ring, 1, []))).toEqual([6, 8]);
  expect(places(holes(ring, 1, [[3, 1]]))).toEqual([6]);
});

it("smooths a border and gives what it takes to the class beside it", () => {
  const spike = labels("0000000", "0002000", "2222222", "2222222", "2222222");
  expect([...smoothed(spike, 2)].map(([value, pixels]) => [value, places(pixels)])).toEqual([[0, [10]]]);
});
