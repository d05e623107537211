// Who has an image open: this window, or another one.

import { t } from "./language";
import type { Holder, ImageEntry } from "./protocol";

const KEY = "saccade-window";

/** What this window is called; the same after a reload. */
export function windowId(): string {
  let id = sessionStorage.getItem(KEY);
  if (!id) {
    id = crypto.getRandomValues(new Uint32Array(2)).join("-");
    sessionStorage.setItem(KEY, id);
  }
  return id;
}

export function isElsewhere(entry: ImageEntry): boolean {
  return entry.holder !== null && entry.holder.window !== windowId();
}

/** Such as "Firefox on Windows, 192.168.1.20". */
export function holderName(holder: Holder): string {
  const { browser, system, address } = holder;
  const where = browser && system ? t("browserOn", { browser, system }) : browser || system || t("program");
  return address ? `${where}, ${address}` : where;
}
