// The page: puts stage, panel and bars together and says what keys and buttons do.

import "./style.css";
import * as api from "./api";
import { attempt, cover, error, exportMenu, filePicker, fillStrip, hint, imageName, importMenu, offline, progress, setStatus, showError, status, strip, veil } from "./chrome";
import { h, icon, iconButton } from "./dom";
import { Editor, type EditorHost } from "./editor";
import { buildExports } from "./exports";
import { nextClass, withClasses, withItems, withoutClass } from "./history";
import type { Shown } from "./layers";
import { closeMenus, listenForMenus, menuButton } from "./menus";
import { clampBrush, Panel } from "./panel";
import type { ImageEntry, Region, SessionState, StrokeClass } from "./protocol";
import { listen, shortcutDialog, type Shortcut } from "./shortcuts";
import { Stage, type Tool } from "./stage";
import { applyTheme, toggleTheme } from "./theme";

applyTheme();

let editor: Editor | null = null;
let images: ImageEntry[] = [];
let tool: Tool = "brush";
let chosen = 1;
let brushWidth = 12;
let regions: Region[] = [];
let nextRegion = 0;
const frames: number[] = [];
const shown: Shown = { strokes: true, mask: true, outline: true, uncertainty: false, opacity: 0.38, doubtOpacity: 1 };

// Stage and panel

const brush = () => {
  const found = editor?.document.classes.find((c) => c.value === chosen);
  return { value: chosen, color: found?.color ?? "#888888", width: brushWidth };
};

const stage = new Stage({
  tool: () => tool,
  brush,
  strokes: () => editor?.document ?? { classes: [], items: [] },
  shown: () => shown,
  strokeDone: (line) => editor?.addLine(line, stage.view?.scale ?? 1),
  eraseAlong: (a, b, radius) => editor?.eraseAlong(a, b, radius),
  eraseDone: (path, radius) => void editor?.eraseDone(path, radius),
  removeAt: (at, slack) => void editor?.removeAt(at, slack),
  enabled: () => editor?.open ?? false,
  frame: (ms) => void (frames.push(ms) > 5000 && frames.shift()),
});

const panel = new Panel({
  choose,
  addClass,
  changeClass,
  deleteClass: (value) => {
    if (!editor) return;
    editor.commit(withoutClass(editor.document, value));
    if (chosen === value) choose(editor.document.classes[0].value);
  },
  setBrush,
  setShown,
  setPreset: (preset) => editor?.setPreset(preset),
  suggest,
  goTo,
});

function choose(value: number): void {
  chosen = value;
  if (tool !== "brush") setTool("brush");
  refresh();
}

function addClass(): void {
  if (!editor) return;
  const added = nextClass(editor.document.classes, editor.state.palette);
  const classes = [...editor.document.classes, added].sort((a, b) => a.value - b.value);
  editor.commit(withClasses(editor.document, classes));
  choose(added.value);
}

function changeClass(value: number, change: Partial<StrokeClass>): void {
  if (!editor) return;
  const { classes } = editor.document;
  const taken = classes.some((c) => c.value !== value && c.name === change.name);
  if (change.name === "" || taken) {
    showError(taken ? `There is a class '${change.name}' already; names must differ` : "A class needs a name");
  } else {
    editor.commit(withClasses(editor.document, classes.map((c) => (c.value === value ? { ...c, ...change } : c))));
    if (change.color) editor.repaint();
  }
  refresh();
}

function setBrush(width: number): void {
  brushWidth = clampBrush(Math.round(width));
  panel.showBrush(brushWidth);
  stage.setCursor();
}

function setShown(change: Partial<Shown>): void {
  Object.assign(shown, change);
  if (change.uncertainty !== undefined) editor?.setUncertainty(change.uncertainty);
  panel.showShown(shown);
  stage.refresh();
}

function setTool(next: Tool): void {
  tool = next;
  for (const [name, button] of toolButtons) button.setAttribute("aria-pressed", String(name === next));
  stage.setCursor();
}

function suggest(): void {
  if (!editor) return;
  if (regions.length > 0) goTo(regions[nextRegion % regions.length]);
  else if (editor.waiting || !editor.painted) setStatus("Draw on two classes first", null);
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

function refresh(): void {
  if (!editor) return;
  const { document, history } = editor;
  if (!document.classes.some((c) => c.value === chosen)) chosen = document.classes[document.classes.length - 1]?.value ?? 0;
  panel.showClasses(document, chosen);
  undoButton.disabled = !history.canUndo;
  redoButton.disabled = !history.canRedo;
  clearButton.disabled = document.items.length === 0;
  hint.hidden = document.items.length > 0;
  stage.refresh("strokes");
  stage.setCursor();
}

// Images

/** What is to be open once everything asked for is done; images open one after the other. */
let wanted: ImageEntry | null = null;
let opening: Promise<void> = Promise.resolve();

function open(entry: ImageEntry): Promise<void> {
  if (editor?.open && entry.id === (wanted ?? editor.state.image).id) return opening;
  wanted = entry;
  opening = opening.then(async () => {
    if (wanted !== entry) return; // somebody has gone on meanwhile
    await attempt(() => openNow(entry));
    if (wanted === entry) wanted = null;
  });
  return opening;
}

function hostFor(state: SessionState): EditorHost {
  const current = () => editor?.state.session === state.session;
  return {
    changed: refresh,
    painted: (painted) => stage.setPainted(painted),
    status: setStatus,
    error: showError,
    connection: (connected) => (offline.hidden = connected),
    regions: setRegions,
    saved: (any) => markKept(state.image.id, any),
    closed: (detail) => { if (current()) closed(detail); },
    gone: () => { if (current()) void comeBack(); },
    wantsUncertainty: () => shown.uncertainty,
  };
}

async function openNow(entry: ImageEntry): Promise<void> {
  if (editor?.open && editor.state.image.id === entry.id) return;
  setStatus(`Opening ${entry.name}`, 0.2);
  const state = await api.openSession(entry.id);
  const next = await Editor.start(state, hostFor(state));
  const left = editor;
  editor = next;
  left?.close();
  veil.hidden = true;
  location.replace(`#${entry.id}`);
  document.title = `${entry.name} · Saccade`;
  imageName.textContent = entry.name;
  chosen = state.document.classes.find((c) => c.value > 0)?.value ?? 0;
  brushWidth = clampBrush(Math.round(Math.max(state.image.width, state.image.height) / 45));
  panel.showBrush(brushWidth);
  panel.showPresets(state.presets, state.preset);
  stage.setPhoto(next.photo);
  setRegions([]);
  buildExports(state);
  setStatus("", null);
  refresh();
  showStrip();
}

function closed(detail: string): void {
  editor?.abandon();
  const again = h("button", { type: "button", class: "wide", click: () => void comeBack() }, "Open it here");
  cover(detail, again);
}

/** A new session for the image that is shown, with the strokes that the server has not got yet. */
function comeBack(): Promise<void> {
  const left = editor;
  opening = opening.then(async () => {
    if (!left || editor !== left) return;
    try {
      const state = await api.openSession(left.state.image.id);
      editor = left.goOn(state, hostFor(state));
      veil.hidden = true;
      panel.showPresets(state.presets, state.preset);
      buildExports(state);
      refresh();
    } catch (problem) {
      if (problem instanceof api.ApiError && problem.status === 0 && left.open) setTimeout(() => void comeBack(), 2000);
      else closed(problem instanceof Error ? problem.message : String(problem));
    }
  });
  return opening;
}

function step(by: number): void {
  const at = images.findIndex((i) => i.id === (wanted ?? editor?.state.image)?.id);
  const next = images[(at + by + images.length) % images.length];
  if (next && images.length > 1) void open(next);
}

function showStrip(): void {
  fillStrip(images, editor?.state.image.id, (entry) => void open(entry));
  for (const button of [previousButton, nextButton]) button.disabled = images.length < 2;
}

function markKept(image: string, any: boolean): void {
  const entry = images.find((i) => i.id === image);
  if (!entry || entry.has_strokes === any) return;
  entry.has_strokes = any;
  showStrip();
}

async function upload(files: Iterable<File>): Promise<void> {
  await attempt(async () => {
    let last: ImageEntry | null = null;
    for (const file of files) {
      setStatus(`Uploading ${file.name}`, 0.1);
      last = await api.uploadImage(file);
    }
    images = await api.listImages();
    if (last) await open(images.find((i) => i.id === last.id) ?? last);
  });
}

// Files in and out

function pick(as: "strokes" | "mask" | "image"): void {
  closeMenus();
  filePicker.value = "";
  filePicker.multiple = as === "image";
  filePicker.onchange = () => {
    const files = [...(filePicker.files ?? [])];
    if (as === "image") void upload(files);
    else if (files[0] && editor) void importAs(files[0], as);
  };
  filePicker.click();
}

async function importAs(file: File, as: "strokes" | "mask"): Promise<void> {
  await attempt(async () => {
    const document = await api.importFile(editor!.state.session, file, as);
    if (as === "strokes") editor!.commit(document);
    setStatus(as === "strokes" ? "Strokes added" : "Mask shown until the next stroke", null);
    refresh();
  });
}

for (const [as, title, id] of [["image", "Image", "import-image"], ["strokes", "Strokes for this image", "import-strokes"], ["mask", "Mask for this image", "import-mask"]] as const) {
  importMenu.append(h("button", { type: "button", role: "menuitem", "data-testid": id, click: () => pick(as) }, title));
}

// Buttons and keys

const undo = () => { editor?.undo(); editor?.repaint(); refresh(); };
const redo = () => { editor?.redo(); editor?.repaint(); refresh(); };
const clear = () => { if (editor && editor.document.items.length > 0) editor.commit(withItems(editor.document, [])); };
const undoButton = iconButton("undo", "Undo (Ctrl Z)", "undo", undo);
const redoButton = iconButton("redo", "Redo (Ctrl Shift Z)", "redo", redo);
const previousButton = iconButton("previous", "Previous image (A)", "previous", () => step(-1));
const nextButton = iconButton("next", "Next image (D)", "next", () => step(1));
const clearButton = h("button", { type: "button", class: "text-button plain", "data-testid": "clear", title: "Remove all strokes (Ctrl Del)", "aria-label": "Remove all strokes", click: clear });
clearButton.append(icon("clear"), h("span", {}, "Clear"));
const toolButtons = new Map<Tool, HTMLButtonElement>([
  ["brush", iconButton("brush", "Brush (B)", "tool-brush", () => setTool("brush"))],
  ["eraser", iconButton("eraser", "Eraser (E)", "tool-eraser", () => setTool("eraser"))],
  ["remove", iconButton("remove", "Remove a whole stroke (R)", "tool-remove", () => setTool("remove"))],
  ["pan", iconButton("pan", "Move the image (H)", "tool-pan", () => setTool("pan"))],
]);

function pickClass(key: string): void {
  const found = editor?.document.classes[Number(key) - 1];
  if (found) choose(found.value);
}

const shortcuts: Shortcut[] = [
  { keys: "1 … 9", title: "Class", match: [..."123456789"], run: pickClass },
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
  { keys: "M", title: "Mask", match: ["m"], run: () => setShown({ mask: !shown.mask }) },
  { keys: "O", title: "Outline", match: ["o"], run: () => setShown({ outline: !shown.outline }) },
  { keys: "S", title: "Strokes", match: ["s"], run: () => setShown({ strokes: !shown.strokes }) },
  { keys: "U", title: "Uncertainty", match: ["u"], run: () => setShown({ uncertainty: !shown.uncertainty }) },
  { keys: "W", title: "Where next? again: go there", match: ["w"], run: suggest },
  { keys: "A / D", title: "Previous, next image", match: ["a", "d", "arrowleft", "arrowright"], run: (key) => step(key === "a" || key === "arrowleft" ? -1 : 1) },
  { keys: "+ / -", title: "Zoom", match: ["+", "=", "-"], run: (key) => stage.zoomBy(key === "-" ? 0.8 : 1.25) },
  { keys: "0", title: "Whole image", match: ["0"], run: () => stage.setScale(null) },
  { keys: "Shift 1", title: "100 %", match: ["!"], run: () => stage.setScale(1) },
  { keys: "Esc", title: "Drop the stroke, stop the fit", match: ["escape"], run: () => { if (!stage.cancelStroke() && !progress.hidden) editor?.cancelFit(); } },
  { keys: "?", title: "This list", match: ["?"], run: () => keys.showModal() },
];
const keys = shortcutDialog(shortcuts);
listenForMenus();
listen(shortcuts, () => veil.hidden);
for (const type of ["keydown", "keyup"] as const) {
  window.addEventListener(type, (e) => {
    if (e.key !== " " || (e.target as HTMLElement).matches("input, select, button")) return;
    e.preventDefault();
    stage.holdSpace(type === "keydown");
  });
}

// Layout

const actual = h("button", { type: "button", class: "icon-button text", title: "100 % (Shift 1)", "aria-label": "100 %", "data-testid": "zoom-100", click: () => stage.setScale(1) }, "1:1");
document.querySelector("#app")!.append(
  h("header", { class: "bar" },
    h("span", { class: "brand" }, "Saccade"),
    h("div", { class: "group" }, previousButton, imageName, nextButton),
    status,
    h("div", { class: "group end" }, undoButton, redoButton, clearButton),
    h("div", { class: "group" }, menuButton("import", "Import", "import", importMenu), menuButton("export", "Export", "export", exportMenu)),
    h("div", { class: "group" },
      iconButton("sun", "Light or dark", "theme", toggleTheme),
      iconButton("help", "Keys (?)", "help", () => keys.showModal()),
      iconButton("panel", "Show or hide the panel", "toggle-panel", () => document.body.classList.toggle("no-panel"))),
    progress),
  h("nav", { class: "tools", "aria-label": "Tools" }, ...toolButtons.values(), h("hr", {}),
    iconButton("fit", "Whole image (0)", "zoom-fit", () => stage.setScale(null)), actual),
  h("main", {}, stage.element, hint, offline, error, veil),
  panel.element, strip, keys, filePicker);

const main = document.querySelector("main")!;
main.addEventListener("dragover", (e) => { e.preventDefault(); main.classList.add("drop"); });
main.addEventListener("dragleave", () => main.classList.remove("drop"));
main.addEventListener("drop", (e) => {
  e.preventDefault();
  main.classList.remove("drop");
  void upload(e.dataTransfer?.files ?? []);
});
window.addEventListener("beforeunload", (e) => { if (editor?.open && editor.unsaved && !offline.hidden) e.preventDefault(); });

/** Facts for tests and measurements. */
Object.defineProperty(window, "saccade", {
  get: () => ({
    revision: editor?.revision ?? -1,
    resultRevision: editor?.resultRevision ?? -1,
    final: editor?.final ?? false,
    waiting: editor?.waiting ?? true,
    strokeCount: editor?.document.items.length ?? 0,
    timings: editor?.timings ?? [],
    frames,
    unsaved: editor?.unsaved ?? false,
    toClient: (x: number, y: number) => { const [cx, cy] = stage.toClient([x, y]); return { x: cx, y: cy }; },
    labelAt: (x: number, y: number) => editor?.labelAt(x, y) ?? null,
  }),
});

setTool("brush");
panel.showShown(shown);
panel.showBrush(brushWidth);
void attempt(async () => {
  setStatus("Opening", 0.1);
  images = await api.listImages();
  const wanted = images.find((i) => i.id === location.hash.slice(1)) ?? images[0];
  if (wanted) await open(wanted);
  else {
    cover("No images yet. Drop one here.");
  }
});
