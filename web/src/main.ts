// The page: puts stage, panel and bars together and says what keys and buttons do.

import "./style.css";
import { Bars } from "./bars";
import * as api from "./api";
import { bindings } from "./bindings";
import { attempt, fromFile, progress, veil } from "./chrome";
import * as classes from "./classes";
import type { Editor } from "./editor";
import { exportsHost } from "./cut_out";
import { buildExports } from "./exports";
import { exposeFacts } from "./facts";
import type { Tool } from "./gestures";
import { withItems } from "./history";
import { Hints } from "./hints";
import { Images } from "./images";
import { buildImports, listenForPaste, takeFiles } from "./imports";
import { setDocumentLanguage } from "./language";
import type { LayerSettings } from "./layers";
import * as edits from "./mask_edits";
import { listenForMenus } from "./menus";
import { Notes } from "./notes";
import { clampBrush, Panel } from "./panel";
import type { FolderState } from "./protocol";
import { Queue } from "./queue";
import { Readout } from "./readout";
import { holdKey, holdSpace, listen, shortcutDialog } from "./shortcuts";
import { Slices } from "./slices";
import { Shape } from "./shape";
import { Stage } from "./stage";
import { applyTheme } from "./theme";
import { WhereNext } from "./where_next";

applyTheme();
setDocumentLanguage();

let tool: Tool = "brush";
let chosen = 1;
let brushWidth = 12;
let count = 0;
let folder: FolderState = { images: 0, fitting: false, shared: true, connected: false, problem: "", network: "", remarks: [] };
const frames: number[] = [];
const layers: LayerSettings = { strokes: true, mask: true, outline: true, uncertainty: false, opacity: 0.38, strokeOpacity: 1, uncertaintyOpacity: 1, hidden: new Set() };

// Images, stage and panel

const notes = new Notes();
const hints = new Hints();

const images = new Images({
  changed: () => refresh(),
  painted: (painted) => {
    stage.setPainted(painted);
    showClasses();
    showSource();
  },
  regions: (found) => whereNext.set(found),
  hidden: () => layers.hidden,
  wantsUncertainty: () => layers.uncertainty,
  remarks: (lines) => notes.add(lines),
  opened,
  listed: (entries, current) => {
    if (count !== entries.length && images.editor) buildExports(images.editor.state, entries.length, outgoing);
    count = entries.length;
    queue.show(entries, current);
    slices.show(entries, current);
    bars.showCount(count);
    showSource();
  },
  stack: (state) => slices.told(state),
  folder: (state) => {
    folder = state;
    notes.add(state.remarks);
    showSource();
  },
});

const outgoing = exportsHost(() => images.editor, () => chosen, () => panel.feather, (lines) => notes.add(lines));

const queue = new Queue({
  open: (entry) => {
    document.body.classList.remove("queue-open");
    void images.open(entry);
  },
  toggleDone: () => {
    document.body.classList.remove("queue-open"); // or it covers the next on a phone
    void images.toggleDone(queue.shown);
  },
});

const slices = new Slices({
  open: (entry) => void images.open(entry),
  preview: (photo, alone) => stage.changePhoto(photo, alone),
  noted: (lines) => notes.add(lines),
});

const brush = () => {
  const list = images.editor?.document.classes ?? [];
  const found = tool === "wipe" ? list.find((c) => c.value !== chosen) : list.find((c) => c.value === chosen);
  return { value: found?.value ?? chosen, color: found?.color ?? "#888888", width: brushWidth };
};

const readout = new Readout();

const stage = new Stage({
  looked: (at) => readout.show(at, stage.view, images.editor),
  tool: () => tool,
  brush,
  strokes: () => images.editor?.document ?? { classes: [], items: [] },
  layers: () => layers,
  strokeDone: (line) => images.editor?.addLine(line, stage.view?.scale ?? 1),
  eraseAlong: (a, b, radius) => images.editor?.eraseAlong(a, b, radius),
  eraseDone: (path, radius) => void images.editor?.eraseDone(path, radius),
  shapeAt: (at) => shape.open(at),
  moved: () => shape.draw(),
  pinAt: (at) => { if (images.editor) void edits.pinAt(images.editor, at); },
  removeAt: (at, slack) => void images.editor?.removeAt(at, slack),
  enabled: () => images.editor?.open ?? false,
  frame: (ms) => void (frames.push(ms) > 5000 && frames.shift()),
});

const shape = new Shape(() => stage.view, () => images.editor);

const panel = new Panel({
  choose,
  addClass: () => classEdits.addClass(),
  changeClass: (value, change) => classEdits.changeClass(value, change),
  deleteClass: (value) => classEdits.deleteClass(value),
  setBrush,
  setLayers,
  setContrast: (black, white) => void images.withContrast(black, white, (photo) => stage.changePhoto(photo)),
  setPreset: (preset) => images.editor?.setPreset(preset),
  suggest: () => whereNext.suggest(images.editor),
  goTo: (region) => whereNext.goTo(region),
  tidy: (how) => { if (images.editor) edits.tidy(images.editor, chosen, how); },
  setFolder: (change) => void attempt(async () => void (await api.setFolder(change))),
  applyToAll: () => void attempt(() => images.applyToAll()),
  toggleLock: (value) => { if (images.editor) edits.toggleLock(images.editor, value); },
  toggleHidden,
  isHidden: (value) => layers.hidden.has(value),
});

const whereNext = new WhereNext(stage, panel);

function choose(value: number): void {
  chosen = value;
  if (tool !== "brush" && tool !== "paint" && tool !== "wipe") setTool("brush");
  refresh();
}

const classEdits = classes.actions({
  editor: () => images.editor,
  chosen: () => chosen,
  choose,
  rename: (value) => panel.classes.rename(value),
  changed: () => refresh(),
});

function toggleHidden(value: number): void {
  if (!layers.hidden.delete(value)) layers.hidden.add(value);
  images.editor?.mask.paint();
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
  shape.close();
  bars.showTool(next);
  stage.setCursor();
}

function opened(editor: Editor, another: boolean, beside: boolean): void {
  const { state } = editor;
  if (another) {
    shape.close();
    if (!state.document.classes.some((c) => c.value === chosen)) chosen = state.document.classes.find((c) => c.value > 0)?.value ?? 0;
    if (!beside) setBrush(Math.max(state.image.width, state.image.height) / 45);
    stage.setPhoto(editor.photo, beside);
    panel.contrast.reset();
    whereNext.set([]);
  }
  panel.showPresets(state.presets, state.preset);
  buildExports(state, count, outgoing);
  notes.show(state.remarks);
  refresh();
}

function showSource(): void {
  const { editor } = images;
  fromFile.hidden = !editor?.mask.isFromFile;
  panel.showFolder(folder, count, editor?.mask.painted && !editor.mask.isFromFile ? editor.sources : null);
  if (!editor) return;
  hints.show(editor.document, editor.mask.painted ? editor.sources : 0, folder.shared ? folder.network : "");
}

function showClasses(): void {
  const { editor } = images;
  if (editor) panel.classes.show(editor.document, chosen, editor.provisional);
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

function travel(way: "undo" | "redo"): void {
  shape.close();
  images.editor?.[way]();
  images.editor?.mask.paint();
  refresh();
}

function clear(): void {
  const { editor } = images;
  if (editor && editor.document.items.length > 0) editor.commit(withItems(editor.document, []));
}

const undo = () => travel("undo");
const redo = () => travel("redo");

const bars = new Bars({
  undo, redo, clear, setTool,
  step: (by) => images.step(by),
  setScale: (scale) => stage.setScale(scale),
  showKeys: () => keys.showModal(),
  take: (files) => void takeFiles(files, images, refresh, (lines) => notes.add(lines)),
  notes: notes.element,
  queue: queue.element,
  hints: hints.element,
  slices: slices.element,
  chips: panel.classes.chips.element,
});

const shortcuts = bindings({
  ...classEdits, undo, redo, clear, setTool, setLayers,
  layers,
  rename: () => panel.classes.rename(chosen),
  lock: () => { if (images.editor) edits.toggleLock(images.editor, chosen); },
  hide: () => toggleHidden(chosen),
  resize: (up) => setBrush(up ? Math.max(brushWidth + 1, brushWidth * 1.25) : Math.min(brushWidth - 1, brushWidth / 1.25)),
  step: (by) => images.step(by),
  slice: (by) => slices.step(by),
  toggleDone: () => void images.toggleDone(queue.shown),
  nextOpen: () => images.nextOpen(queue.shown),
  copy: () => void attempt(() => outgoing.copyCutOut()),
  search: () => queue.focusSearch(),
  zoom: (factor) => stage.zoomBy(factor),
  setScale: (scale) => stage.setScale(scale),
  suggest: () => whereNext.suggest(images.editor),
  keyCursor: () => stage.cursor.show(),
  escape: () => { if (!stage.gestures.cancelStroke() && !progress.hidden) images.editor?.cancelFit(); },
  showKeys: () => keys.showModal(),
});
const keys = shortcutDialog(shortcuts);
stage.element.append(readout.element, shape.element);
bars.layOut(stage.element, panel.element, keys);
buildImports(images, refresh, (lines) => notes.add(lines));
listenForMenus();
listenForPaste((files) => void images.upload(files));
listen(shortcuts, () => veil.hidden);
holdKey("x", (held) => stage.compare(held));
holdKey("z", (held) => stage.magnify(held));
holdSpace((held) => stage.gestures.holdSpace(held));

images.listenForLeaving();

exposeFacts(images, stage, frames, () => folder);
setTool("brush");
panel.showLayers(layers);
panel.showBrush(brushWidth);
void images.start();
