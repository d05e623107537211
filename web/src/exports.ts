// The menu of formats that masks can be saved in: the one of the open image, or those of all.

import { download, downloadAll, downloadModel } from "./api";
import { attempt, exportMenu, setStatus } from "./chrome";
import { h } from "./dom";
import type { SessionState } from "./protocol";

let all = false;

/** `images`: how many there are; `noted` hears what could not be written. */
export function buildExports(state: SessionState, images: number, noted: (lines: string[]) => void): void {
  const stem = state.image.name.replace(/\.[^.]*$/, "");
  const items = state.formats.map((format) => h("button", {
    type: "button", role: "menuitem", "data-testid": `export-${format.name}`,
    click: () => void attempt(async () => {
      exportMenu.hidden = true;
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
  const scope = (value: boolean, title: string, id: string) => h("label", {},
    h("input", { type: "radio", name: "scope", checked: all === value, "data-testid": id, change: () => (all = value) }), title);
  exportMenu.prepend(h("div", { class: "scope", role: "group", "aria-label": "Which masks" },
    scope(false, "This image", "export-this"), scope(true, `All ${images} images`, "export-all")));
  exportMenu.append(h("hr", {}), h("button", {
    type: "button", role: "menuitem", "data-testid": "export-model", title: "For saccade segment --model",
    click: () => void attempt(async () => {
      exportMenu.hidden = true;
      setStatus("Writing the model", 0.5);
      await downloadModel();
      setStatus("Saved folder.saccade", null);
    }),
  }, h("span", {}, "Model of this folder"), h("small", {}, ".saccade")));
}
