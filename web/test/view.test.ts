import { expect, it } from "vitest";
import { View } from "../src/view";

const view = () => new View({ width: 400, height: 300 }, { width: 1000, height: 700 });

it("fits the whole image in the middle", () => {
  const v = view();
  const [left, top] = v.toScreen([0, 0]);
  const [right, bottom] = v.toScreen([400, 300]);
  expect(left).toBeGreaterThan(0);
  expect(top).toBeGreaterThan(0);
  expect(left + right).toBeCloseTo(1000);
  expect(top + bottom).toBeCloseTo(700);
});

it("screen to image undoes image to screen", () => {
  const v = view();
  v.zoom(3, [200, 100]);
  v.pan(13, -7);
  const [x, y] = v.toImage(v.toScreen([123.4, 56.7]));
  expect(x).toBeCloseTo(123.4);
  expect(y).toBeCloseTo(56.7);
});

it("zooms at the pointer", () => {
  const v = view();
  const before = v.toImage([640, 200]);
  v.zoom(2.5, [640, 200]);
  const after = v.toImage([640, 200]);
  expect(after[0]).toBeCloseTo(before[0]);
  expect(after[1]).toBeCloseTo(before[1]);
});

it("never loses the image", () => {
  const v = view();
  v.pan(1e6, -1e6);
  const [x, y] = v.toScreen([0, 300]);
  expect(x).toBeLessThan(1000);
  expect(y).toBeGreaterThan(0);
  v.zoom(1e-9, [0, 0]);
  expect(v.scale).toBeGreaterThan(0.1);
});

it("keeps the whole image in sight when the window changes, until somebody zooms", () => {
  const v = view();
  v.resize({ width: 500, height: 700 });
  expect(v.toScreen([400, 0])[0]).toBeLessThan(500);
  v.zoom(4, [250, 350]);
  const centre = v.toImage([250, 350]);
  v.resize({ width: 900, height: 500 });
  expect(v.toImage([450, 250])[0]).toBeCloseTo(centre[0]);
});
