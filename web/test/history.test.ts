import { expect, it } from "vitest";
import { History, nextClass, withItems, withoutClass } from "../src/history";
import type { LineItem, StrokeDocument } from "../src/protocol";

const item = (id: string, value = 1): LineItem => ({ id, kind: "line", value, width: 3, points: [[1, 2]] });
const empty: StrokeDocument = {
  classes: [{ value: 0, name: "background", color: "#000000" }, { value: 1, name: "object", color: "#ff0000" }],
  items: [],
};

it("goes back and forth", () => {
  const history = new History(empty);
  history.commit(withItems(empty, [item("a")]));
  history.commit(withItems(empty, [item("a"), item("b")]));
  expect(history.undo()).toBe(true);
  expect(history.document.items.map((i) => i.id)).toEqual(["a"]);
  expect(history.redo()).toBe(true);
  expect(history.document.items).toHaveLength(2);
  expect(history.redo()).toBe(false);
  history.undo();
  history.undo();
  expect(history.undo()).toBe(false);
  expect(history.document).toBe(empty);
});

it("forgets what was undone once something new is drawn", () => {
  const history = new History(empty);
  history.commit(withItems(empty, [item("a")]));
  history.undo();
  history.commit(withItems(empty, [item("b")]));
  expect(history.canRedo).toBe(false);
  expect(history.document.items[0].id).toBe("b");
});

it("a class goes with its strokes", () => {
  const full = withItems(empty, [item("a", 0), item("b", 1)]);
  const rest = withoutClass(full, 1);
  expect(rest.classes.map((c) => c.value)).toEqual([0]);
  expect(rest.items.map((i) => i.id)).toEqual(["a"]);
});

it("a new class takes the lowest free value and a free name", () => {
  const palette = ["#000000", "#111111", "#222222"];
  expect(nextClass(empty.classes, palette)).toEqual({ value: 2, name: "class 2", color: "#222222" });
  const odd = [{ value: 0, name: "class 1", color: null }, { value: 2, name: "x", color: null }];
  expect(nextClass(odd, palette)).toEqual({ value: 1, name: "class 1 (2)", color: "#111111" });
});
