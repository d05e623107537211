// What each key does. The list is shown as it is, see shortcuts.ts.

import type { Tool } from "./gestures";
import { t } from "./language";
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
  slice(by: number): void;
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
    { keys: "1 … 9", title: t("keyClass"), match: [..."123456789"], run: (key) => void run.pickClass(Number(key)) },
    { keys: "C / Shift C", title: t("keyNextClass"), match: ["c", "shift+c"], run: run.nextClass },
    { keys: "N", title: t("keyAddClass"), match: ["n"], run: run.addClass },
    { keys: "F2", title: t("keyRename"), match: ["f2"], run: () => run.rename() },
    { keys: "B", title: t("keyBrush"), match: ["b"], run: () => run.setTool("brush") },
    { keys: "E", title: t("keyEraser"), match: ["e"], run: () => run.setTool("eraser") },
    { keys: "R", title: t("keyRemove"), match: ["r"], run: () => run.setTool("remove") },
    { keys: "G / T", title: t("keyPaint"), match: ["g", "t"], run: (key) => run.setTool(key === "g" ? "paint" : "wipe") },
    { keys: "P", title: t("keyPin"), match: ["p"], run: () => run.setTool("pin") },
    { keys: "Q", title: t("keyShape"), match: ["q"], run: () => run.setTool("shape") },
    { keys: "L", title: t("keyLock"), match: ["l"], run: run.lock },
    { keys: "V", title: t("keyHide"), match: ["v"], run: run.hide },
    { keys: "H", title: t("keyPan"), match: ["h"], run: () => run.setTool("pan") },
    { keys: "[ / ] / , / .", title: t("keySize"), match: ["[", "]", ",", "."], run: (key) => run.resize(key === "]" || key === ".") },
    { keys: "Ctrl Z", title: t("keyUndo"), match: ["mod+z"], run: run.undo },
    { keys: "Ctrl Shift Z / Ctrl Y", title: t("keyRedo"), match: ["mod+shift+z", "mod+y"], run: run.redo },
    { keys: "Ctrl C", title: t("keyCopy"), match: ["mod+c"], run: run.copy },
    { keys: "Ctrl Del", title: t("keyClear"), match: ["mod+delete", "mod+backspace"], run: run.clear },
    { keys: "M", title: t("mask"), match: ["m"], run: () => run.setLayers({ mask: !run.layers.mask }) },
    { keys: "O", title: t("outline"), match: ["o"], run: () => run.setLayers({ outline: !run.layers.outline }) },
    { keys: "S", title: t("strokes"), match: ["s"], run: () => run.setLayers({ strokes: !run.layers.strokes }) },
    { keys: "U", title: t("uncertainty"), match: ["u"], run: () => run.setLayers({ uncertainty: !run.layers.uncertainty }) },
    { keys: "W", title: t("keyWhere"), match: ["w"], run: run.suggest },
    { keys: "A / D", title: t("keyImages"), match: ["a", "d", "arrowleft", "arrowright"], run: (key) => run.step(key === "a" || key === "arrowleft" ? -1 : 1) },
    { keys: "Page ↑ / Page ↓", title: t("keySlice"), match: ["pageup", "pagedown"], run: (key) => run.slice(key === "pageup" ? -1 : 1) },
    { keys: "F", title: t("keyDone"), match: ["f"], run: () => run.toggleDone() },
    { keys: "Shift D", title: t("keyNextOpen"), match: ["shift+d"], run: () => run.nextOpen() },
    { keys: "/", title: t("keySearch"), match: ["/"], run: () => run.search() },
    { keys: "+ / -", title: t("keyZoom"), match: ["+", "=", "-"], run: (key) => run.zoom(key === "-" ? 0.8 : 1.25) },
    { keys: "0", title: t("keyWhole"), match: ["0"], run: () => { if (!run.pickClass(0)) run.setScale(null); } },
    { keys: "Shift 1", title: "100 %", match: ["!"], run: () => run.setScale(1) },
    { keys: "K", title: t("keyCursor"), match: ["k"], run: run.keyCursor },
    { keys: "Esc", title: t("keyEscape"), match: ["escape"], run: run.escape },
    { keys: "?", title: t("keyHelp"), match: ["?"], run: () => run.showKeys() },
  ];
}
