// The menu of formats that masks can be saved in: the one of the open image, or those of all.

import { download, downloadAll, downloadModel, maskAddress } from "./api";
import { attempt, exportMenu, setStatus } from "./chrome";
import { h } from "./dom";
import { t, textOr } from "./language";
import { closeMenus } from "./menus";
import type { SessionState } from "./protocol";

let all = false;

export interface ExportsHost {
  /** What could not be written. */
  noted(lines: string[]): void;
  saveCutOut(stem: string): Promise<void>;
  copyCutOut(): Promise<void>;
}

/** `images`: how many there are. */
export function buildExports(state: SessionState, images: number, host: ExportsHost): void {
  const stem = state.image.name.replace(/\.[^.]*$/, "");
  const items = state.formats.map((format) => h("button", {
    type: "button", role: "menuitem", tabindex: "-1", "data-testid": `export-${format.name}`, draggable: "true", title: t("dragOut"),
    dragstart: (e: DragEvent) => {
      const address = new URL(maskAddress(state.session, format.name), location.href).href;
      e.dataTransfer!.setData("DownloadURL", `application/octet-stream:${stem}${format.suffix}:${address}`);
      e.dataTransfer!.setData("text/uri-list", address);
      e.dataTransfer!.effectAllowed = "copy";
    },
    click: () => void attempt(async () => {
      closeMenus();
      if (all && images > 1) {
        host.noted(await downloadAll(format.name, (done, total) => setStatus(t("writingMasks", { done, total }), done / total)));
        setStatus(t("saved", { name: "masks.zip" }), null);
        return;
      }
      setStatus(t("writing", { name: titleOf(format) }), 0.5);
      await download(state.session, format.name, `${stem}${format.suffix}`);
      setStatus(t("saved", { name: `${stem}${format.suffix}` }), null);
    }),
  }, h("span", {}, titleOf(format)), h("small", {}, format.suffix)));
  const cut = (title: string, id: string, small: string, run: () => Promise<void>) => h("button", {
    type: "button", role: "menuitem", tabindex: "-1", "data-testid": id,
    click: () => {
      closeMenus();
      void attempt(run);
    },
  }, h("span", {}, title), h("small", {}, small));
  exportMenu.replaceChildren(...items, h("hr", {}),
    cut(t("cutOut"), "cut-out", ".png", () => host.saveCutOut(stem)),
    cut(t("copyCutOut"), "copy-cut-out", t("copyKeys"), () => host.copyCutOut()),
    h("hr", {}), cut(t("copyLink"), "copy-link", "", () => copyLink(state.image.id)));
  if (images < 2) return;
  const scope = (value: boolean, title: string, id: string) => h("button", {
    type: "button", role: "menuitemradio", tabindex: "-1", "aria-checked": String(all === value), "data-testid": id,
    click: () => {
      all = value;
      for (const button of scopes) button.setAttribute("aria-checked", String((button === scopes[1]) === all));
    },
  }, title);
  const scopes = [scope(false, t("thisImage"), "export-this"), scope(true, t("allImages", { count: images }), "export-all")];
  exportMenu.prepend(h("div", { class: "scope", role: "group", "aria-label": t("whichMasks") }, ...scopes));
  exportMenu.append(h("hr", {}), h("button", {
    type: "button", role: "menuitem", tabindex: "-1", "data-testid": "export-model", title: t("modelTitle"),
    click: () => void attempt(async () => {
      closeMenus();
      setStatus(t("writing", { name: t("model") }), 0.5);
      await downloadModel();
      setStatus(t("saved", { name: "folder.saccade" }), null);
    }),
  }, h("span", {}, t("folderModel")), h("small", {}, ".saccade")));
}

/** Of a format: some are names, which are the same everywhere. */
function titleOf(format: SessionState["formats"][number]): string {
  return textOr(`format-${format.name}`, format.title);
}

/** The address that opens the page at an image. */
async function copyLink(image: string): Promise<void> {
  const link = `${location.origin}${location.pathname}#${image}`;
  if (!navigator.clipboard) return setStatus(link, null);
  await navigator.clipboard.writeText(link);
  setStatus(t("linkCopied"), null);
}
