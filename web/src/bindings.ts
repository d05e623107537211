// What each key does. The list is shown as it is, see shortcuts.ts.

import type { Tool } from "./gestures";
import type { LayerSettings } from "./layers";
import type { Shortcut } from "./shortcuts";

export interface Actions {
  layers: LayerSettings;
  pickClass(digit: number): boolean;
  nextClass(key: string, shift: boolean): void;
  addClass(): void;
  rename(): void;
  lock(): void;
  hide(): void;
  setTool(tool: Tool): void;
  resize(up: boolean): void;
  undo(): void;
  redo(): void;
  clear(): void;
  setLayers(change: Partial<LayerSettings>): void;
  suggest(): void;
  step(by: number): void;
  toggleDone(): void;
  nextOpen(): void;
  copy(): void;
  search(): void;
  zoom(factor: number): void;
  setScale(scale: number | null): void;
  keyCursor(): void;
  escape(): void;
  showKeys(): void;
}

export function bindings(run: Actions): Shortcut[] {
  return [
    { keys: "1 … 9", title: "Class; 1 2: the twelfth", match: [..."123456789"], run: (key) => void run.pickClass(Number(key)) },
    { keys: "C / Shift C", title: "Next, previous class", match: ["c", "shift+c"], run: run.nextClass },
    { keys: "N", title: "Add a class", match: ["n"], run: run.addClass },
    { keys: "F2", title: "Rename the class", match: ["f2"], run: () => run.rename() },
    { keys: "B", title: "Brush", match: ["b"], run: () => run.setTool("brush") },
    { keys: "E", title: "Eraser", match: ["e"], run: () => run.setTool("eraser") },
    { keys: "R", title: "Remove a whole stroke", match: ["r"], run: () => run.setTool("remove") },
    { keys: "G / T", title: "Paint on the mask, take from it", match: ["g", "t"], run: (key) => run.setTool(key === "g" ? "paint" : "wipe") },
    { keys: "P", title: "Pin a region, or no longer", match: ["p"], run: () => run.setTool("pin") },
    { keys: "L", title: "Lock what the class has", match: ["l"], run: run.lock },
    { keys: "V", title: "Show the class or not", match: ["v"], run: run.hide },
    { keys: "H", title: "Move the image", match: ["h"], run: () => run.setTool("pan") },
    { keys: "[ / ] / , / .", title: "Smaller, larger brush", match: ["[", "]", ",", "."], run: (key) => run.resize(key === "]" || key === ".") },
    { keys: "Ctrl Z", title: "Undo", match: ["mod+z"], run: run.undo },
    { keys: "Ctrl Shift Z / Ctrl Y", title: "Redo", match: ["mod+shift+z", "mod+y"], run: run.redo },
    { keys: "Ctrl C", title: "Copy the cut-out of the class; Ctrl V takes an image in", match: ["mod+c"], run: run.copy },
    { keys: "Ctrl Del", title: "Remove all strokes", match: ["mod+delete", "mod+backspace"], run: run.clear },
    { keys: "M", title: "Mask", match: ["m"], run: () => run.setLayers({ mask: !run.layers.mask }) },
    { keys: "O", title: "Outline", match: ["o"], run: () => run.setLayers({ outline: !run.layers.outline }) },
    { keys: "S", title: "Strokes", match: ["s"], run: () => run.setLayers({ strokes: !run.layers.strokes }) },
    { keys: "U", title: "Uncertainty", match: ["u"], run: () => run.setLayers({ uncertainty: !run.layers.uncertainty }) },
    { keys: "W", title: "Where next? again: go there", match: ["w"], run: run.suggest },
    { keys: "A / D", title: "Previous, next image", match: ["a", "d", "arrowleft", "arrowright"], run: (key) => run.step(key === "a" || key === "arrowleft" ? -1 : 1) },
    { keys: "F", title: "Image done, next one that is not", match: ["f"], run: () => run.toggleDone() },
    { keys: "Shift D", title: "Next image that is not done", match: ["shift+d"], run: () => run.nextOpen() },
    { keys: "/", title: "Search images", match: ["/"], run: () => run.search() },
    { keys: "+ / -", title: "Zoom", match: ["+", "=", "-"], run: (key) => run.zoom(key === "-" ? 0.8 : 1.25) },
    { keys: "0", title: "Whole image", match: ["0"], run: () => { if (!run.pickClass(0)) run.setScale(null); } },
    { keys: "Shift 1", title: "100 %", match: ["!"], run: () => run.setScale(1) },
    { keys: "K", title: "Draw by keys: arrows (Shift: by one pixel), Space begins and ends", match: ["k"], run: run.keyCursor },
    { keys: "Esc", title: "Drop the stroke, stop the fit", match: ["escape"], run: run.escape },
    { keys: "?", title: "This list", match: ["?"], run: () => run.showKeys() },
  ];
}
