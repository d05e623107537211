// The menu of formats that masks can be saved in: the one of the open image, or those of all.

import { download, downloadAll, downloadModel } from "./api";
import { attempt, exportMenu, setStatus } from "./chrome";
import { h } from "./dom";
import { closeMenus } from "./menus";
import type { SessionState } from "./protocol";

let all = false;

/** `images`: how many there are; `noted` hears what could not be written. */
export function buildExports(state: SessionState, images: number, noted: (lines: string[]) => void): void {
  const stem = state.image.name.replace(/\.[^.]*$/, "");
  const items = state.formats.map((format) => h("button", {
    type: "button", role: "menuitem", tabindex: "-1", "data-testid": `export-${format.name}`,
    click: () => void attempt(async () => {
      closeMenus();
      if (all && images > 1) {
        noted(await downloadAll(format.name, (done, total) => setStatus(`Writing masks: ${done} of ${total}`, done / total)));
        setStatus("Saved masks.zip", null);
        return;
      }
      setStatus(`Writing ${format.title}`, 0.5);
      await download(state.session, format.name, `${stem}${format.suffix}`);
      setStatus(`Saved ${stem}${format.suffix}`, null);
    }),
  }, h("span", {}, format.title), h("small", {}, format.suffix)));
  exportMenu.replaceChildren(...items);
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
