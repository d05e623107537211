// The menu of formats that masks can be saved in: the one of the open image, or those of all.

import { download, downloadAll, downloadModel } from "./api";
import { attempt, exportMenu, setStatus } from "./chrome";
import { h } from "./dom";
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
    type: "button", role: "menuitem", tabindex: "-1", "data-testid": `export-${format.name}`,
    click: () => void attempt(async () => {
      closeMenus();
      if (all && images > 1) {
        host.noted(await downloadAll(format.name, (done, total) => setStatus(`Writing masks: ${done} of ${total}`, done / total)));
        setStatus("Saved masks.zip", null);
        return;
      }
      setStatus(`Writing ${format.title}`, 0.5);
      await download(state.session, format.name, `${stem}${format.suffix}`);
      setStatus(`Saved ${stem}${format.suffix}`, null);
    }),
  }, h("span", {}, format.title), h("small", {}, format.suffix)));
  const cut = (title: string, id: string, small: string, run: () => Promise<void>) => h("button", {
    type: "button", role: "menuitem", tabindex: "-1", "data-testid": id,
    click: () => {
      closeMenus();
      void attempt(run);
    },
  }, h("span", {}, title), h("small", {}, small));
  exportMenu.replaceChildren(...items, h("hr", {}),
    cut("Cut-out of the chosen class", "cut-out", ".png", () => host.saveCutOut(stem)),
    cut("Copy the cut-out", "copy-cut-out", "Ctrl C", () => host.copyCutOut()));
  if (images < 2) return;
  const scope = (value: boolean, title: string, id: string) => h("button", {
    type: "button", role: "menuitemradio", tabindex: "-1", "aria-checked": String(all === value), "data-testid": id,
    click: () => {
      all = value;
      for (const button of scopes) button.setAttribute("aria-checked", String((button === scopes[1]) === all));
    },
  }, title);
  const scopes = [scope(false, "This image", "export-this"), scope(true, `All ${images} images`, "export-all")];
  exportMenu.prepend(h("div", { class: "scope", role: "group", "aria-label": "Which masks" }, ...scopes));
  exportMenu.append(h("hr", {}), h("button", {
    type: "button", role: "menuitem", tabindex: "-1", "data-testid": "export-model", title: "For saccade segment --model",
    click: () => void attempt(async () => {
      closeMenus();
      setStatus("Writing the model", 0.5);
      await downloadModel();
      setStatus("Saved folder.saccade", null);
    }),
  }, h("span", {}, "Model of this folder"), h("small", {}, ".saccade")));
}
