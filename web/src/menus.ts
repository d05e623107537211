// The menus of the bar: one open at a time, closed by Escape and by whatever is pressed elsewhere;
// arrows go through what can be chosen, and the button that opened a menu has the focus again after.

import { exportMenu, importMenu, notesMenu } from "./chrome";
import { h, icon } from "./dom";

const menus = [importMenu, exportMenu, notesMenu];
const buttons = new Map<HTMLElement, HTMLButtonElement>();

export function closeMenus(): boolean {
  const open = menus.filter((menu) => !menu.hidden);
  for (const menu of open) {
    const inside = menu.contains(document.activeElement);
    menu.hidden = true;
    buttons.get(menu)?.setAttribute("aria-expanded", "false");
    if (inside) buttons.get(menu)?.focus();
  }
  return open.length > 0;
}

function openMenu(menu: HTMLElement): void {
  closeMenus();
  menu.hidden = false;
  buttons.get(menu)?.setAttribute("aria-expanded", "true");
  (itemsOf(menu)[0] ?? menu).focus();
}

function itemsOf(menu: HTMLElement): HTMLElement[] {
  return [...menu.querySelectorAll<HTMLElement>("[role^=menuitem]:not(:disabled)")];
}

export function menuButton(name: string, title: string, id: string, menu: HTMLElement): HTMLElement {
  menu.id = `menu-${id}`;
  menu.tabIndex = -1;
  const button = h("button", {
    type: "button", class: "text-button", title, "data-testid": id,
    "aria-haspopup": menu.getAttribute("role") ?? "menu", "aria-expanded": "false", "aria-controls": menu.id,
    click: () => (menu.hidden ? openMenu(menu) : closeMenus()),
    keydown: (e: KeyboardEvent) => {
      if (e.key !== "ArrowDown" && e.key !== "ArrowUp") return;
      e.preventDefault();
      e.stopPropagation();
      openMenu(menu);
      if (e.key === "ArrowUp") itemsOf(menu).at(-1)?.focus();
    },
  });
  button.append(icon(name), h("span", {}, title));
  buttons.set(menu, button);
  menu.setAttribute("aria-label", title);
  menu.addEventListener("keydown", (e) => walk(e, itemsOf(menu)));
  return h("div", { class: "menu-holder" }, button, menu);
}

function walk(e: KeyboardEvent, items: HTMLElement[]): void {
  const at = items.indexOf(document.activeElement as HTMLElement);
  const places: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at < 0 ? -1 : at - 1, Home: 0, End: -1 };
  if (e.key === "Tab") {
    closeMenus();
    return;
  }
  if (e.ctrlKey || e.metaKey) return;
  e.stopPropagation(); // letters are no keys of the page while a menu is open
  if (!(e.key in places) || items.length === 0) {
    const typed = items.filter((item) => item.textContent?.toLowerCase().startsWith(e.key.toLowerCase()));
    if (e.key.length === 1 && e.key !== " ") (typed.find((item) => items.indexOf(item) > at) ?? typed[0])?.focus();
    return;
  }
  e.preventDefault();
  items[(places[e.key] + items.length) % items.length].focus();
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
