// The menu of what can be read from files: images, strokes and a mask for the image that is open.

import { importFile } from "./api";
import { attempt, filePicker, importMenu, setStatus } from "./chrome";
import { h } from "./dom";
import type { Images } from "./images";
import { t } from "./language";
import { closeMenus } from "./menus";

const CHOICES = [
  ["image", t("importImage"), "import-image"],
  ["strokes", t("importStrokes"), "import-strokes"],
  ["mask", t("importMask"), "import-mask"],
] as const;

export function buildImports(images: Images, changed: () => void, noted: (lines: string[]) => void): void {
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
    const { classes, items, remarks } = await importFile(images.editor!.state.session, file, as);
    if (as === "strokes") images.editor!.commit({ classes, items });
    noted(remarks);
    setStatus(t(as === "strokes" ? "strokesAdded" : "maskShown"), null);
    changed();
  });
}

/** Endings of files that hold strokes or masks and no image. */
const STROKES = /\.(json|xml|txt)$/i;

/** Files of any kind: images are added, strokes go to the image that is open. */
export async function takeFiles(files: Iterable<File>, images: Images, changed: () => void, noted: (lines: string[]) => void): Promise<void> {
  const all = [...files];
  const pictures = all.filter((file) => !STROKES.test(file.name));
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
