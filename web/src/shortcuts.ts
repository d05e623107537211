// Keys. A list that is both shown and obeyed, so that it is never wrong.

import { h } from "./dom";
import { keyName, t } from "./language";

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
    const third = e.getModifierState("AltGraph"); // "[" is AltGr 8 on a German keyboard
    if (!enabled() || target.matches(TYPED) || (e.altKey && !third)) return;
    if (target.matches("input[type=range], input[type=radio]") && e.key.startsWith("Arrow")) return;
    const mod = (e.ctrlKey || e.metaKey) && !third ? "mod+" : "";
    const keys = [e.key.toLowerCase(), ...elsewhere(e)];
    const key = keys.find((one) => table.has(named(one, mod, e)));
    if (key === undefined || document.querySelector("dialog[open]")) return;
    e.preventDefault();
    table.get(named(key, mod, e))!.run(key, e.shiftKey);
  });
}

/** The space bar, where no control has it. */
export function holdSpace(run: (held: boolean) => void): void {
  for (const type of ["keydown", "keyup"] as const) {
    window.addEventListener(type, (e) => {
      if (e.key !== " " || (e.target as HTMLElement).matches("input, select, button, summary")) return;
      e.preventDefault();
      run(type === "keydown");
    });
  }
}

/** A key that does something as long as it is held. */
export function holdKey(key: string, run: (held: boolean) => void): void {
  window.addEventListener("keydown", (e) => {
    const other = e.ctrlKey || e.metaKey || e.altKey || (e.target as HTMLElement).matches(TYPED);
    if (!other && [e.key.toLowerCase(), ...elsewhere(e)].includes(key)) run(true);
  });
  window.addEventListener("keyup", (e) => { if ([e.key.toLowerCase(), ...elsewhere(e)].includes(key)) run(false); });
  window.addEventListener("blur", () => run(false));
}

function named(key: string, mod: string, e: KeyboardEvent): string {
  return mod + (e.shiftKey && /^[a-z]$/.test(key) ? "shift+" : "") + key;
}

/** What the key is called where keyboards have Latin letters, and digits without Shift. */
function elsewhere(e: KeyboardEvent): string[] {
  const letter = /^Key([A-Z])$/.exec(e.code)?.[1].toLowerCase();
  const digit = /^Digit([0-9])$/.exec(e.code)?.[1];
  if (letter && !/^[a-z]$/i.test(e.key)) return [letter];
  return digit && !e.shiftKey ? [digit] : [];
}

export function shortcutDialog(shortcuts: Shortcut[]): HTMLDialogElement {
  const rows = [...shortcuts.map((s) => [s.keys, s.title]), ["X", t("keyCompare")], ["Z", t("keyMagnify")], [t("wheel"), t("wheelDoes")], [t("spaceDrag"), t("keyPan")], [t("rightButton"), t("rightDoes")]];
  const close = h("button", { type: "button", class: "wide", click: () => dialog.close() }, t("close"));
  const dialog = h("dialog", { class: "sheet", "data-testid": "shortcuts", "aria-label": t("keys"), click: (e: MouseEvent) => { if (e.target === dialog) dialog.close(); } },
    h("div", { class: "sheet-body" },
      h("h2", {}, t("keys")),
      h("dl", {}, ...rows.flatMap(([keys, title]) => [h("dt", {}, ...keys.split(" / ").map((k) => h("kbd", {}, keyName(k)))), h("dd", {}, title)])),
      close));
  return dialog;
}
