// The menu of formats that the mask of an open image can be saved in.

import { download } from "./api";
import { attempt, exportMenu, setStatus } from "./chrome";
import { h } from "./dom";
import type { SessionState } from "./protocol";

export function buildExports(state: SessionState): void {
  const stem = state.image.name.replace(/\.[^.]*$/, "");
  exportMenu.replaceChildren(...state.formats.map((format) => h("button", {
    type: "button", role: "menuitem", "data-testid": `export-${format.name}`,
    click: () => void attempt(async () => {
      exportMenu.hidden = true;
      setStatus(`Writing ${format.title}`, 0.5);
      await download(state.session, format.name, `${stem}${format.suffix}`);
      setStatus(`Saved ${stem}${format.suffix}`, null);
    }),
  }, h("span", {}, format.title), h("small", {}, format.suffix))));
}
