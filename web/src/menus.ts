// The menus of the bar: one open at a time, closed by Escape and by whatever is pressed elsewhere.

import { exportMenu, importMenu, notesMenu } from "./chrome";
import { h, icon } from "./dom";

const menus = [importMenu, exportMenu, notesMenu];

export function closeMenus(): boolean {
  const open = menus.some((menu) => !menu.hidden);
  for (const menu of menus) menu.hidden = true;
  return open;
}

export function menuButton(name: string, title: string, id: string, menu: HTMLElement): HTMLElement {
  const button = h("button", { type: "button", class: "text-button", title, "data-testid": id, "aria-haspopup": "menu", click: () => {
    const open = menu.hidden;
    closeMenus();
    menu.hidden = !open;
  } });
  button.append(icon(name), h("span", {}, title));
  return h("div", { class: "menu-holder" }, button, menu);
}

/** Before anything else hears of it: what closes a menu must not draw a dot or stop a fit as well. */
export function listenForMenus(): void {
  window.addEventListener("pointerdown", (e) => {
    const target = e.target as HTMLElement;
    if (target.closest(".menu-holder") || !closeMenus() || !target.closest(".stage")) return;
    e.stopPropagation();
  }, { capture: true });
  window.addEventListener("keydown", (e) => {
    if (e.key === "Escape" && closeMenus()) e.stopImmediatePropagation();
  }, { capture: true });
}
