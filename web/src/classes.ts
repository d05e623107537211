// What can be done with the classes of the folder.

import { showError } from "./chrome";
import type { Editor } from "./editor";
import { nextClass, withClasses, withoutClass } from "./history";
import { t } from "./language";
import type { StrokeClass } from "./protocol";

/** Adds a class; its value. */
function addClass(editor: Editor): number {
  const added = nextClass(editor.document.classes, editor.state.palette);
  const classes = [...editor.document.classes, added].sort((a, b) => a.value - b.value);
  editor.commit(withClasses(editor.document, classes));
  return added.value;
}

function deleteClass(editor: Editor, value: number): void {
  editor.commit(withoutClass(editor.document, value));
}

function changeClass(editor: Editor, value: number, change: Partial<StrokeClass>): void {
  const { classes } = editor.document;
  const taken = classes.some((c) => c.value !== value && c.name === change.name);
  if (change.name === "" || taken) {
    showError(taken ? t("nameTaken", { name: change.name! }) : t("nameMissing"));
    return;
  }
  editor.commit(withClasses(editor.document, classes.map((c) => (c.value === value ? { ...c, ...change } : c))));
  if (change.color) editor.mask.paint();
}

/** The class that is `by` places on in the list. */
function neighbor(editor: Editor, chosen: number, by: number): number {
  const { classes } = editor.document;
  const at = classes.findIndex((c) => c.value === chosen);
  return classes[(at + by + classes.length) % classes.length].value;
}

/** Choose the class at a place in the list; whether there is one. */
function pick(editor: Editor | null, digit: number, choose: (value: number) => void): boolean {
  const value = editor ? atNumber(editor, digit) : undefined;
  if (value !== undefined) choose(value);
  return value !== undefined;
}

/** Two digits one soon after the other are one number. */
const MILLISECONDS = 700;
let typed = { digit: 0, at: -1e9 };

/** The class at a place in the list, 1 for the first, whose number is typed digit by digit. */
function atNumber(editor: Editor, digit: number): number | undefined {
  const { classes } = editor.document;
  const now = performance.now();
  const both = now - typed.at < MILLISECONDS ? classes[10 * typed.digit + digit - 1] : undefined;
  typed = { digit: both ? 0 : digit, at: now };
  return (both ?? classes[digit - 1])?.value;
}

export interface ClassesHost {
  editor(): Editor | null;
  chosen(): number;
  choose(value: number): void;
  rename(value: number): void;
  changed(): void;
}

/** What list and keys do with classes, of the image that is open. */
export function actions(host: ClassesHost) {
  const withEditor = <T>(run: (editor: Editor) => T): T | undefined => {
    const editor = host.editor();
    return editor ? run(editor) : undefined;
  };
  return {
    addClass: () => withEditor((editor) => {
      const value = addClass(editor);
      host.choose(value);
      host.rename(value);
    }),
    deleteClass: (value: number) => withEditor((editor) => {
      deleteClass(editor, value);
      if (host.chosen() === value) host.choose(editor.document.classes[0].value);
    }),
    changeClass: (value: number, change: Partial<StrokeClass>) => withEditor((editor) => {
      changeClass(editor, value, change);
      host.changed();
    }),
    pickClass: (digit: number) => pick(host.editor(), digit, host.choose),
    nextClass: (_: string, shift: boolean) => withEditor((editor) => host.choose(neighbor(editor, host.chosen(), shift ? -1 : 1))),
  };
}
