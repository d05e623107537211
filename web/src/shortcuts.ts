// Keys. A list that is both shown and obeyed, so that it is never wrong.

import { h } from "./dom";

export interface Shortcut {
  keys: string;
  title: string;
  /** As KeyboardEvent.key, in lower case; "mod+" is Control or Command. */
  match: string[];
  run(key: string, shift: boolean): void;
}

const TYPED = "input[type=text]:not([readonly]), select, textarea";

export function listen(shortcuts: Shortcut[], enabled: () => boolean): void {
  const table = new Map(shortcuts.flatMap((s) => s.match.map((m) => [m, s] as const)));
  window.addEventListener("keydown", (e) => {
    const target = e.target as HTMLElement;
    if (!enabled() || target.matches(TYPED) || e.altKey) return;
    if (target.matches("input[type=range]") && e.key.startsWith("Arrow")) return;
    const mod = e.ctrlKey || e.metaKey ? "mod+" : "";
    const shift = e.shiftKey && e.key.length === 1 && /[a-z]/i.test(e.key) ? "shift+" : "";
    const key = mod + shift + e.key.toLowerCase();
    const found = table.get(key);
    if (!found || document.querySelector("dialog[open]")) return;
    e.preventDefault();
    found.run(e.key.toLowerCase(), e.shiftKey);
  });
}

export function shortcutDialog(shortcuts: Shortcut[]): HTMLDialogElement {
  const rows = [...shortcuts.map((s) => [s.keys, s.title]), ["Wheel, pinch", "Zoom at the pointer"], ["Space + drag, middle button", "Move the image"], ["Right button", "Erase"]];
  const close = h("button", { type: "button", class: "wide", click: () => dialog.close() }, "Close");
  const dialog = h("dialog", { class: "sheet", "data-testid": "shortcuts", "aria-label": "Keys", click: (e: MouseEvent) => { if (e.target === dialog) dialog.close(); } },
    h("div", { class: "sheet-body" },
      h("h2", {}, "Keys"),
      h("dl", {}, ...rows.flatMap(([keys, title]) => [h("dt", {}, ...keys.split(" / ").map((k) => h("kbd", {}, k))), h("dd", {}, title)])),
      close));
  return dialog;
}
