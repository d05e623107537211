// The strokes of now and those before and after: every change is a new document, old ones share what
// they have in common.

import { t } from "./language";
import type { Item, StrokeClass, StrokeDocument } from "./protocol";

const MOST_STEPS = 500;

export interface Kept {
  past: StrokeDocument[];
  present: StrokeDocument;
  future: StrokeDocument[];
}

export class History {
  private past: StrokeDocument[] = [];
  private future: StrokeDocument[] = [];

  constructor(private present: StrokeDocument) {}

  get document(): StrokeDocument {
    return this.present;
  }

  /** All that there is, the last `steps` before and after; see `History.from`. */
  kept(steps: number): Kept {
    return { past: this.past.slice(-steps), present: this.present, future: this.future.slice(-steps) };
  }

  /** A history that was kept, if it is of the strokes that there are. */
  static from(kept: Kept, present: StrokeDocument): History {
    const history = new History(present);
    if (!sameStrokes(kept.present, present)) return history;
    // Classes may have come and changed meanwhile, on other images: a step back must not undo that.
    const values = new Set(present.classes.map((c) => c.value));
    const withClasses = (document: StrokeDocument) => {
      const used = new Set(document.items.map((item) => item.value));
      const gone = document.classes.filter((c) => used.has(c.value) && !values.has(c.value));
      return { ...document, classes: [...present.classes, ...gone].sort((a, b) => a.value - b.value) };
    };
    [history.past, history.future] = [kept.past.map(withClasses), kept.future.map(withClasses)];
    return history;
  }

  get canUndo(): boolean {
    return this.past.length > 0;
  }

  get canRedo(): boolean {
    return this.future.length > 0;
  }

  /** Puts `present` in the place of the document of now, without a step back. */
  replace(present: StrokeDocument): void {
    this.present = present;
  }

  /** Gives the document of now other classes; strokes stay. */
  setClasses(classes: StrokeClass[]): void {
    this.present = { ...this.present, classes };
  }

  /** Makes `next` the document of now, with a step back to the one before. */
  commit(next: StrokeDocument): void {
    this.past.push(this.present);
    if (this.past.length > MOST_STEPS) this.past.shift();
    this.future = [];
    this.present = next;
  }

  undo(): boolean {
    const before = this.past.pop();
    if (!before) return false;
    this.future.push(this.present);
    this.present = before;
    return true;
  }

  redo(): boolean {
    const after = this.future.pop();
    if (!after) return false;
    this.past.push(this.present);
    this.present = after;
    return true;
  }
}

export function withItems(document: StrokeDocument, items: Item[]): StrokeDocument {
  return { ...document, items };
}

export function withClasses(document: StrokeDocument, classes: StrokeClass[]): StrokeDocument {
  return { ...document, classes };
}

export function withoutClass(document: StrokeDocument, value: number): StrokeDocument {
  return {
    classes: document.classes.filter((c) => c.value !== value),
    items: document.items.filter((item) => item.value !== value),
  };
}

/** What identifies a stroke whatever its id: stroke files keep none. */
function looks(item: Item): string {
  const form = item.kind === "line" ? [item.width, item.points] : [item.x, item.y];
  return JSON.stringify([item.kind, item.value, form, item.pinned ?? false]);
}

/** Whether two documents have the same strokes in the same order, whatever their ids. */
export function sameStrokes(a: StrokeDocument, b: StrokeDocument): boolean {
  return a.items.length === b.items.length && a.items.every((item, i) => looks(item) === looks(b.items[i]));
}

/** Ours, with what others have added to the strokes that both began with. */
export function merged(base: StrokeDocument, ours: StrokeDocument, theirs: StrokeDocument): StrokeDocument {
  const known = new Set([...base.items, ...ours.items].map(looks));
  const names = new Set(ours.classes.map((c) => c.name));
  const values = new Set(ours.classes.map((c) => c.value));
  const dropped = new Set(base.classes.map((c) => c.value).filter((value) => !values.has(value)));
  const added = theirs.items.filter((item) => !known.has(looks(item)) && !dropped.has(item.value));
  const more = theirs.classes.filter((c) => !values.has(c.value) && !dropped.has(c.value));
  const classes = more.map((c) => (names.has(c.name) ? { ...c, name: `${c.name} (${c.value})` } : c));
  return {
    classes: [...ours.classes, ...classes].sort((a, b) => a.value - b.value),
    items: [...ours.items, ...added],
  };
}

/** A class that is not there yet: the lowest free value, a free name, the usual colour. */
export function nextClass(classes: StrokeClass[], palette: string[]): StrokeClass {
  const values = new Set(classes.map((c) => c.value));
  const names = new Set(classes.map((c) => c.name));
  let value = 0;
  while (values.has(value)) value++;
  let name = value === 0 ? t("background") : t("classNumber", { value });
  for (let n = 2; names.has(name); n++) name = `${t("classNumber", { value })} (${n})`;
  return { value, name, color: palette[value % palette.length] ?? "#888888" };
}
