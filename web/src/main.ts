// The page: puts stage, panel and bars together and says what keys and buttons do.

import "./style.css";
import { Bars } from "./bars";
import * as api from "./api";
import { attempt, hint, offline, progress, setStatus, showHint, veil } from "./chrome";
import * as classes from "./classes";
import type { Editor } from "./editor";
import { buildExports } from "./exports";
import { exposeFacts } from "./facts";
import type { Tool } from "./gestures";
import { withItems } from "./history";
import { Images } from "./images";
import { buildImports } from "./imports";
import type { LayerSettings } from "./layers";
import { listenForMenus } from "./menus";
import { Notes } from "./notes";
import { clampBrush, Panel } from "./panel";
import type { FolderState, Region, StrokeClass } from "./protocol";
import { Queue } from "./queue";
import { listen, shortcutDialog, type Shortcut } from "./shortcuts";
import { Stage } from "./stage";
import { applyTheme } from "./theme";

applyTheme();

let tool: Tool = "brush";
let chosen = 1;
let brushWidth = 12;
let regions: Region[] = [];
let nextRegion = 0;
let count = 0;
let folder: FolderState = { images: 0, fitting: false, shared: true, problem: "", remarks: [] };
const frames: number[] = [];
const layers: LayerSettings = { strokes: true, mask: true, outline: true, uncertainty: false, opacity: 0.38, uncertaintyOpacity: 1 };

// Images, stage and panel

const notes = new Notes();

const images = new Images({
  changed: () => refresh(),
  painted: (painted) => {
    stage.setPainted(painted);
    showClasses();
    showSource();
  },
  regions: (found) => setRegions(found),
  wantsUncertainty: () => layers.uncertainty,
  remarks: (lines) => notes.add(lines),
  opened,
  listed: (entries, current) => {
    if (count !== entries.length && images.editor) buildExports(images.editor.state, entries.length, (lines) => notes.add(lines));
    count = entries.length;
    queue.show(entries, current);
    bars.showCount(count);
    showSource();
  },
  folder: (state) => {
    folder = state;
    notes.add(state.remarks);
    showSource();
  },
});

const queue = new Queue({
  open: (entry) => {
    document.body.classList.remove("queue-open");
    void images.open(entry);
  },
  toggleDone: () => void images.toggleDone(queue.shown),
});

const brush = () => {
  const found = images.editor?.document.classes.find((c) => c.value === chosen);
  return { value: chosen, color: found?.color ?? "#888888", width: brushWidth };
};

const stage = new Stage({
  tool: () => tool,
  brush,
  strokes: () => images.editor?.document ?? { classes: [], items: [] },
  layers: () => layers,
  strokeDone: (line) => images.editor?.addLine(line, stage.view?.scale ?? 1),
  eraseAlong: (a, b, radius) => images.editor?.eraseAlong(a, b, radius),
  eraseDone: (path, radius) => void images.editor?.eraseDone(path, radius),
  removeAt: (at, slack) => void images.editor?.removeAt(at, slack),
  enabled: () => images.editor?.open ?? false,
  frame: (ms) => void (frames.push(ms) > 5000 && frames.shift()),
});

const panel = new Panel({
  choose,
  addClass,
  changeClass,
  deleteClass,
  setBrush,
  setLayers,
  setPreset: (preset) => images.editor?.setPreset(preset),
  suggest,
  goTo,
  setShared: (shared) => void attempt(async () => void (await api.setShared(shared))),
});

function choose(value: number): void {
  chosen = value;
  if (tool !== "brush") setTool("brush");
  refresh();
}

function addClass(): void {
  const { editor } = images;
  if (!editor) return;
  const value = classes.addClass(editor);
  choose(value);
  panel.rename(value);
}

function deleteClass(value: number): void {
  const { editor } = images;
  if (!editor) return;
  classes.deleteClass(editor, value);
  if (chosen === value) choose(editor.document.classes[0].value);
}

function changeClass(value: number, change: Partial<StrokeClass>): void {
  if (images.editor) classes.changeClass(images.editor, value, change);
  refresh();
}

function setBrush(width: number): void {
  brushWidth = clampBrush(Math.round(width));
  panel.showBrush(brushWidth);
  stage.setCursor();
}

function setLayers(change: Partial<LayerSettings>): void {
  Object.assign(layers, change);
  if (change.uncertainty !== undefined) images.editor?.setUncertainty(change.uncertainty);
  panel.showLayers(layers);
  stage.refresh();
}

function setTool(next: Tool): void {
  tool = next;
  bars.showTool(next);
  stage.setCursor();
}

function suggest(): void {
  const { editor } = images;
  if (!editor) return;
  if (regions.length > 0) goTo(regions[nextRegion % regions.length]);
  else if (editor.waiting || !editor.painted) setStatus("Draw a stroke first", null);
  else editor.suggest(5);
}

function goTo(region: Region): void {
  nextRegion = regions.indexOf(region) + 1;
  stage.view?.show(region.box);
  stage.moved();
}

function setRegions(found: Region[]): void {
  regions = found;
  nextRegion = 0;
  panel.showRegions(found.length > 0 ? found : null);
  stage.setRegions(found);
}

function opened(editor: Editor, another: boolean): void {
  const { state } = editor;
  if (another) {
    if (!state.document.classes.some((c) => c.value === chosen)) chosen = state.document.classes.find((c) => c.value > 0)?.value ?? 0;
    setBrush(Math.max(state.image.width, state.image.height) / 45);
    stage.setPhoto(editor.photo);
    setRegions([]);
  }
  panel.showPresets(state.presets, state.preset);
  buildExports(state, count, (lines) => notes.add(lines));
  notes.show(state.remarks);
  refresh();
}

function showSource(): void {
  const { editor } = images;
  panel.showFolder(folder, count, editor?.painted ? editor.sources : null);
  if (!editor) return;
  hint.hidden = editor.document.items.length > 0;
  showHint(editor.document.classes.map((c) => c.name), editor.painted ? editor.sources : 0);
}

function showClasses(): void {
  const { editor } = images;
  if (editor) panel.showClasses(editor.document, chosen, editor.provisional);
}

function refresh(): void {
  const { editor } = images;
  if (!editor) return;
  const { document, history } = editor;
  if (!document.classes.some((c) => c.value === chosen)) chosen = document.classes[document.classes.length - 1]?.value ?? 0;
  showClasses();
  showSource();
  bars.showHistory(history.canUndo, history.canRedo, document.items.length === 0);
  stage.refresh("strokes");
  stage.setCursor();
}

// Buttons and keys

function undo(): void {
  images.editor?.undo();
  images.editor?.repaint();
  refresh();
}

function redo(): void {
  images.editor?.redo();
  images.editor?.repaint();
  refresh();
}

function clear(): void {
  const { editor } = images;
  if (editor && editor.document.items.length > 0) editor.commit(withItems(editor.document, []));
}

const bars = new Bars({
  undo, redo, clear, setTool,
  step: (by) => images.step(by),
  setScale: (scale) => stage.setScale(scale),
  showKeys: () => keys.showModal(),
  upload: (files) => void images.upload(files),
  notes: notes.element,
  queue: queue.element,
});

function pickClass(key: string): void {
  const found = images.editor?.document.classes[Number(key) - 1];
  if (found) choose(found.value);
}

function nextClass(_: string, shift: boolean): void {
  if (images.editor) choose(classes.neighbor(images.editor, chosen, shift ? -1 : 1));
}

const shortcuts: Shortcut[] = [
  { keys: "1 … 9", title: "Class", match: [..."123456789"], run: pickClass },
  { keys: "C / Shift C", title: "Next, previous class", match: ["c", "shift+c"], run: nextClass },
  { keys: "N", title: "Add a class", match: ["n"], run: addClass },
  { keys: "F2", title: "Rename the class", match: ["f2"], run: () => panel.rename(chosen) },
  { keys: "B", title: "Brush", match: ["b"], run: () => setTool("brush") },
  { keys: "E", title: "Eraser", match: ["e"], run: () => setTool("eraser") },
  { keys: "R", title: "Remove a whole stroke", match: ["r"], run: () => setTool("remove") },
  { keys: "H", title: "Move the image", match: ["h"], run: () => setTool("pan") },
  { keys: "[ / ]", title: "Smaller, larger brush", match: ["[", "]"], run: (key) => setBrush(key === "]" ? Math.max(brushWidth + 1, brushWidth * 1.25) : Math.min(brushWidth - 1, brushWidth / 1.25)) },
  { keys: "Ctrl Z", title: "Undo", match: ["mod+z"], run: undo },
  { keys: "Ctrl Shift Z / Ctrl Y", title: "Redo", match: ["mod+shift+z", "mod+y"], run: redo },
  { keys: "Ctrl Del", title: "Remove all strokes", match: ["mod+delete", "mod+backspace"], run: clear },
  { keys: "M", title: "Mask", match: ["m"], run: () => setLayers({ mask: !layers.mask }) },
  { keys: "O", title: "Outline", match: ["o"], run: () => setLayers({ outline: !layers.outline }) },
  { keys: "S", title: "Strokes", match: ["s"], run: () => setLayers({ strokes: !layers.strokes }) },
  { keys: "U", title: "Uncertainty", match: ["u"], run: () => setLayers({ uncertainty: !layers.uncertainty }) },
  { keys: "W", title: "Where next? again: go there", match: ["w"], run: suggest },
  { keys: "A / D", title: "Previous, next image", match: ["a", "d", "arrowleft", "arrowright"], run: (key) => images.step(key === "a" || key === "arrowleft" ? -1 : 1) },
  { keys: "F", title: "Image done, next one that is not", match: ["f"], run: () => void images.toggleDone(queue.shown) },
  { keys: "Shift D", title: "Next image that is not done", match: ["shift+d"], run: () => images.nextOpen(queue.shown) },
  { keys: "/", title: "Search images", match: ["/"], run: () => queue.focusSearch() },
  { keys: "+ / -", title: "Zoom", match: ["+", "=", "-"], run: (key) => stage.zoomBy(key === "-" ? 0.8 : 1.25) },
  { keys: "0", title: "Whole image", match: ["0"], run: () => stage.setScale(null) },
  { keys: "Shift 1", title: "100 %", match: ["!"], run: () => stage.setScale(1) },
  { keys: "Esc", title: "Drop the stroke, stop the fit", match: ["escape"], run: () => { if (!stage.gestures.cancelStroke() && !progress.hidden) images.editor?.cancelFit(); } },
  { keys: "?", title: "This list", match: ["?"], run: () => keys.showModal() },
];
const keys = shortcutDialog(shortcuts);
bars.layOut(stage.element, panel.element, keys);
buildImports(images, refresh, (lines) => notes.add(lines));
listenForMenus();
listen(shortcuts, () => veil.hidden);
for (const type of ["keydown", "keyup"] as const) {
  window.addEventListener(type, (e) => {
    if (e.key !== " " || (e.target as HTMLElement).matches("input, select, button")) return;
    e.preventDefault();
    stage.gestures.holdSpace(type === "keydown");
  });
}

window.addEventListener("beforeunload", (e) => {
  const { editor } = images;
  if (editor?.open && editor.unsaved && !offline.hidden) e.preventDefault();
});

exposeFacts(images, stage, frames, () => folder);
setTool("brush");
panel.showLayers(layers);
panel.showBrush(brushWidth);
void images.start();
