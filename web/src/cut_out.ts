// The part of the photograph that a class has, on nothing: saved, or copied to the clipboard.

import { loadPhoto, saveBlob } from "./api";
import { setStatus } from "./chrome";
import type { Editor } from "./editor";
import type { ExportsHost } from "./exports";
import { t } from "./language";
import { allOf, boxMean } from "./regions";

/** A PNG of the size of the image, transparent where the mask has other classes; soft for `feather` pixels. */
async function cutOut(editor: Editor, value: number, feather: number): Promise<Blob> {
  const { labels } = editor.mask;
  if (!labels || editor.mask.share(value) === 0) throw new Error(t("nothingToCut", { name: nameOf(editor, value) }));
  const photo = await loadPhoto(editor.state.image.id);
  const canvas = new OffscreenCanvas(labels.width, labels.height);
  const ctx = canvas.getContext("2d")!;
  ctx.drawImage(photo, 0, 0);
  photo.close();
  const image = ctx.getImageData(0, 0, labels.width, labels.height);
  let inside: ArrayLike<number> = allOf(labels, value);
  // Two means are a soft ramp without corners.
  if (feather > 0) for (let k = 0; k < 2; k++) inside = boxMean(inside, labels.width, labels.height, feather);
  for (let i = 0; i < labels.width * labels.height; i++) image.data[4 * i + 3] = Math.round(255 * inside[i]);
  ctx.putImageData(image, 0, 0);
  return canvas.convertToBlob({ type: "image/png" });
}

async function copyCutOut(editor: Editor, value: number, feather: number): Promise<void> {
  if (!navigator.clipboard?.write) throw new Error(t("noClipboard"));
  const blob = cutOut(editor, value, feather);
  await blob; // what is wrong with it is said by itself
  await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
  setStatus(t("copied", { name: nameOf(editor, value) }), null);
}

function nameOf(editor: Editor, value: number): string {
  return editor.document.classes.find((c) => c.value === value)?.name ?? t("classNumber", { value });
}

/** What the menu of exports asks of the page. */
export function exportsHost(editor: () => Editor | null, chosen: () => number, feather: () => number, noted: (lines: string[]) => void): ExportsHost {
  return {
    noted,
    saveCutOut: async (stem) => {
      const open = editor();
      if (open) saveBlob(await cutOut(open, chosen(), feather()), `${stem}.cut.png`);
    },
    copyCutOut: async () => {
      const open = editor();
      if (open) await copyCutOut(open, chosen(), feather());
    },
  };
}
