import { expect, it } from "vitest";
import { History, merged, nextClass, sameStrokes, withItems, withoutClass } from "../src/history";
import type { LineItem, StrokeDocument } from "../src/protocol";

const item = (id: string, value = 1, x = 1): LineItem => ({ id, kind: "line", value, width: 3, points: [[x, 2]] });
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

it("a merge has ours and what others added, whatever the ids in the file", () => {
  const base = withItems(empty, [item("a", 1, 1), item("b", 1, 2)]);
  const ours = withItems(base, [item("a", 1, 1), item("c", 0, 3)]); // "b" removed, "c" drawn
  const theirs = {
    classes: [...empty.classes, { value: 2, name: "object", color: null }],
    items: [item("s1", 1, 1), item("s2", 1, 2), item("s3", 2, 4)],
  };
  const both = merged(base, ours, theirs);
  expect(both.items.map((i) => i.id)).toEqual(["a", "c", "s3"]);
  expect(both.classes.map((c) => c.name)).toEqual(["background", "object", "object (2)"]);
  expect(merged(base, ours, withItems(base, [item("s1", 1, 1), item("s2", 1, 2)]))).toEqual(ours);
});

it("strokes are the same whatever their ids", () => {
  expect(sameStrokes(withItems(empty, [item("a")]), withItems(empty, [item("s1")]))).toBe(true);
  expect(sameStrokes(withItems(empty, [item("a", 1, 5)]), withItems(empty, [item("s1")]))).toBe(false);
});

it("replaces the document without a step back", () => {
  const history = new History(empty);
  history.replace(withItems(empty, [item("a")]));
  expect(history.canUndo).toBe(false);
  expect(history.document.items).toHaveLength(1);
});

it("comes back with the classes of now, and for other strokes not at all", () => {
  const history = new History(empty);
  history.commit(withItems(empty, [item("a")]));
  const classes = [{ value: 0, name: "ground", color: "#000000" }, empty.classes[1], { value: 2, name: "car", color: "#00ff00" }];
  const back = History.from(history.kept(10), { classes, items: [item("s1")] });
  expect(back.undo()).toBe(true);
  expect(back.document.items).toHaveLength(0);
  expect(back.document.classes.map((c) => c.name)).toEqual(["ground", "object", "car"]);
  expect(History.from(history.kept(10), { classes, items: [item("s1", 0)] }).canUndo).toBe(false);
});
