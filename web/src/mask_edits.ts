// What is done to the mask itself: all of it is pinned, and a step of the history as strokes are.

import { setStatus } from "./chrome";
import type { Editor } from "./editor";
import { touches } from "./geometry";
import { withItems } from "./history";
import { t } from "./language";
import { patchTouched } from "./patches";
import type { PatchItem, Point } from "./protocol";
import { allOf, holes, lockPrefix, pinnedPatch, region, smoothed } from "./regions";

/** Pin the region at a place, or what was pinned there no longer. */
export async function pinAt(editor: Editor, at: Point): Promise<void> {
  const { items } = editor.history.document;
  for (const item of [...items].reverse().filter((one) => one.pinned)) {
    const hit = item.kind === "line" ? touches(item, at, 0) : await patchTouched(item, at);
    if (hit) return editor.commit(withItems(editor.history.document, items.filter((other) => other !== item)));
  }
  const { labels } = editor.mask;
  const [x, y] = at.map(Math.round);
  if (!labels) return setStatus(t("noMaskToPin"), null);
  const value = labels.at(y * labels.width + x);
  pin(editor, [pinnedPatch(region(labels, x, y), labels.width, value)]);
}

/** Pin all that a class has, or no longer. */
export function toggleLock(editor: Editor, value: number): void {
  const { items } = editor.history.document;
  const left = items.filter((item) => !item.id.startsWith(lockPrefix(value)));
  if (left.length < items.length) return editor.commit(withItems(editor.history.document, left));
  const { labels } = editor.mask;
  const made = labels && pinnedPatch(allOf(labels, value), labels.width, value, lockPrefix(value));
  if (made) pin(editor, [made]);
  else setStatus(t("nothingOfClass"), null);
}

/** Pin all of the mask, so that it no longer needs the file that it is from. */
export function keepAll(editor: Editor): void {
  const { labels, result } = editor.mask;
  if (!labels || !result) return;
  pin(editor, result.header.values.map((value) => pinnedPatch(allOf(labels, value), labels.width, value, lockPrefix(value))));
}

/** Make the mask of a class whole or smooth; what that changes is pinned. */
export function tidy(editor: Editor, value: number, how: "fill" | "smooth"): void {
  const { labels } = editor.mask;
  const { document } = editor.history;
  if (!labels) return setStatus(t("noMask"), null);
  const others = document.items.flatMap((item) => (item.kind === "line" && !item.pinned && item.value !== value ? item.points : []));
  const changed = how === "fill" ? new Map([[value, holes(labels, value, others)]]) : smoothed(labels, value);
  const made = [...changed].map(([next, pixels]) => pinnedPatch(pixels, labels.width, next)).filter((item) => item !== null);
  if (made.length > 0) editor.commit(withItems(document, [...document.items, ...made]));
  else setStatus(t(how === "fill" ? "noHoles" : "smoothAlready"), null);
}

/** Pin what the mask shows already, so that it stays as it is. */
function pin(editor: Editor, made: (PatchItem | null)[]): void {
  const { document } = editor.history;
  const items = [...document.items, ...made.filter((item) => item !== null)];
  if (editor.mask.revision === editor.revision) editor.mask.keep(items, editor.mask.result);
  editor.commit(withItems(document, items));
}
