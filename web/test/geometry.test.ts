import { describe, expect, it } from "vitest";
import { distanceToSegment, erase, simplify, touches } from "../src/geometry";
import type { LineItem, Point } from "../src/protocol";

const line = (points: Point[], width = 10): LineItem => ({ id: "a", kind: "line", value: 1, width, points });

describe("simplify", () => {
  it("keeps ends and corners and drops what lies on a straight line", () => {
    const points: Point[] = [[0, 0], [1, 0], [2, 0], [3, 0], [3, 1], [3, 2]];
    expect(simplify(points, 0.1)).toEqual([[0, 0], [3, 0], [3, 2]]);
  });

  it("stays within the tolerance", () => {
    const points: Point[] = Array.from({ length: 200 }, (_, i) => [i, 20 * Math.sin(i / 9)]);
    const simple = simplify(points, 0.5);
    expect(simple.length).toBeLessThan(90);
    for (const p of points) {
      const nearest = Math.min(...simple.slice(1).map((b, i) => distanceToSegment(p, simple[i], b)));
      expect(nearest).toBeLessThanOrEqual(0.5);
    }
  });
});

describe("erase", () => {
  it("leaves a stroke that is not touched as it is", () => {
    const stroke = line([[0, 0], [100, 0]]);
    expect(erase(stroke, [50, 60], [50, 60], 8)).toEqual([stroke]);
  });

  it("cuts a stroke in two with names of their own", () => {
    const pieces = erase(line([[0, 0], [100, 0]]), [50, -5], [50, 5], 8);
    expect(pieces).toHaveLength(2);
    expect(new Set(pieces.map((p) => p.id)).size).toBe(2);
    expect(pieces[0].points.at(-1)![0]).toBeLessThan(42);
    expect(pieces[1].points[0][0]).toBeGreaterThan(58);
    for (const piece of pieces) expect(piece).toMatchObject({ value: 1, width: 10, kind: "line" });
  });

  it("removes a dot", () => {
    expect(erase(line([[5, 5]]), [6, 6], [6, 6], 5)).toEqual([]);
  });

  it("covers the whole way of a fast eraser", () => {
    expect(erase(line([[50, -20], [50, 20]], 4), [0, 0], [100, 0], 30)).toEqual([]);
  });
});

it("a stroke is touched on its rim and not beyond", () => {
  const stroke = line([[0, 0], [100, 0]], 20);
  expect(touches(stroke, [50, 11], 2)).toBe(true);
  expect(touches(stroke, [50, 13], 2)).toBe(false);
  expect(touches(line([[5, 5]], 4), [5, 8], 1)).toBe(true);
});
