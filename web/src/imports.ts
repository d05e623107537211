// The menu of what can be read from files: images, strokes and a mask for the image that is open.

import { importFile } from "./api";
import { attempt, filePicker, fromFile, importMenu, setStatus } from "./chrome";
import { h } from "./dom";
import type { Images } from "./images";
import { t } from "./language";
import { keepAll } from "./mask_edits";
import type { SessionState } from "./protocol";
import { closeMenus } from "./menus";

const CHOICES = [
  ["image", t("importImage"), "import-image"],
  ["strokes", t("importStrokes"), "import-strokes"],
  ["mask", t("importMask"), "import-mask"],
] as const;

export function buildImports(images: Images, changed: () => void, noted: (lines: string[]) => void): void {
  const keep = () => { if (images.editor) keepAll(images.editor); };
  fromFile.append(h("span", {}, t("fromFile")), h("button", { type: "button", class: "text-button", "data-testid": "keep-mask", click: keep }, t("keepMask")));
  const pick = (as: "strokes" | "mask" | "image") => {
    closeMenus();
    filePicker.value = "";
    filePicker.multiple = as === "image";
    filePicker.onchange = () => {
      const files = [...(filePicker.files ?? [])];
      if (as === "image") void images.upload(files);
      else if (files[0] && images.editor) void importAs(files[0], as, images, changed, noted);
    };
    filePicker.click();
  };
  for (const [as, title, id] of CHOICES) {
    importMenu.append(h("button", { type: "button", role: "menuitem", tabindex: "-1", "data-testid": id, click: () => pick(as) }, title));
  }
}

async function importAs(file: File, as: "strokes" | "mask", images: Images, changed: () => void, noted: (lines: string[]) => void): Promise<void> {
  await attempt(async () => {
    const { session } = images.editor!.state;
    const { classes, items, remarks } = await importFile(session, file, as).catch((problem: Error) => {
      if (as === "mask" || !problem.message.includes("as=mask")) throw problem;
      as = "mask"; // regions that leave nothing out are no strokes
      return importFile(session, file, as);
    });
    if (as === "strokes") images.editor!.commit({ classes, items });
    noted(remarks);
    setStatus(t(as === "strokes" ? "strokesAdded" : "maskShown"), null);
    changed();
  });
}

/** Colors that a picture of a mask has at most. */
const MOST_COLORS = 64;

/** Whether a picture is a mask of the image that is open: of its size, with few colors. */
async function isMask(file: File, { image }: SessionState): Promise<boolean> {
  const picture = await createImageBitmap(file).catch(() => null); // TIFF: the server reads it
  if (!picture || picture.width !== image.width || picture.height !== image.height) return false;
  const ctx = new OffscreenCanvas(picture.width, picture.height).getContext("2d")!;
  ctx.drawImage(picture, 0, 0);
  const colors = new Set<number>();
  for (const color of new Uint32Array(ctx.getImageData(0, 0, picture.width, picture.height).data.buffer)) {
    if (colors.add(color).size > MOST_COLORS) return false;
  }
  return true;
}

/** Endings of files that hold strokes or masks and no image. */
const STROKES = /\.(json|xml|txt)$/i;

/** Files of any kind: images are added; strokes, and a mask of its size, go to the image that is open. */
export async function takeFiles(files: Iterable<File>, images: Images, changed: () => void, noted: (lines: string[]) => void): Promise<void> {
  const all = [...files];
  const pictures: File[] = [];
  for (const file of all.filter((one) => !STROKES.test(one.name))) {
    const { editor } = images;
    if (all.length === 1 && editor && (await isMask(file, editor.state))) await importAs(file, "mask", images, changed, noted);
    else pictures.push(file);
  }
  if (pictures.length > 0) await images.upload(pictures);
  for (const file of all.filter((one) => STROKES.test(one.name))) {
    if (images.editor) await importAs(file, "strokes", images, changed, noted);
  }
}

/** Images of the clipboard. */
export function listenForPaste(take: (files: File[]) => void): void {
  window.addEventListener("paste", (e) => {
    const pictures = [...(e.clipboardData?.files ?? [])].filter((file) => file.type.startsWith("image/"));
    if (pictures.length === 0 || (e.target as HTMLElement).matches("input:not([readonly]), textarea")) return;
    e.preventDefault();
    take(pictures);
  });
}
