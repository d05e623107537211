// The bars and what lies over the image: status, progress, errors, menus.

import { h, iconButton } from "./dom";
import { t } from "./language";

export const status = h("span", { class: "status", "data-testid": "status", role: "status" });
export const progress = h("div", { class: "progress", hidden: true });
export const errorText = h("span", {});
export const error = h("div", { class: "error", role: "alert", "data-testid": "error", hidden: true }, errorText,
  iconButton("close", t("dismiss"), "dismiss-error", () => (error.hidden = true)));
export const offline = h("div", { class: "offline", hidden: true }, t("offline"));
export const fromFile = h("div", { class: "from-file", role: "note", "data-testid": "from-file", hidden: true });
export const notices = h("div", { class: "notices" }, offline, error, fromFile);
export const veil = h("div", { class: "veil", hidden: true });
export const imageName = h("button", { type: "button", class: "image-name", "data-testid": "image-name", title: t("showImages"), click: () => toggleQueue() });
export const position = h("span", { class: "value position", "data-testid": "position" });
export const exportMenu = h("div", { class: "menu", role: "menu", hidden: true });
export const importMenu = h("div", { class: "menu", role: "menu", hidden: true });
export const notesMenu = h("div", { class: "menu", role: "dialog", hidden: true });
export const filePicker = h("input", { type: "file", hidden: true });

/** After which an error goes by itself. */
const ERROR_MILLISECONDS = 12_000;
let errorTimer = 0;

/** Messages of the server begin small, as they follow the name of a program elsewhere. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function setStatus(text: string, fraction: number | null): void {
  status.textContent = text;
  progress.hidden = fraction === null;
  progress.style.transform = `scaleX(${Math.max(0.03, fraction ?? 0)})`;
}

export function showError(text: string): void {
  errorText.textContent = sentence(text);
  error.hidden = false;
  clearTimeout(errorTimer);
  errorTimer = window.setTimeout(hideError, ERROR_MILLISECONDS);
}

/** Not while somebody reads it. */
function hideError(): void {
  if (error.matches(":hover, :focus-within")) errorTimer = window.setTimeout(hideError, ERROR_MILLISECONDS);
  else error.hidden = true;
}

/** Covers the image with a text, and perhaps buttons. */
export function cover(text: string, ...buttons: HTMLElement[]): void {
  veil.replaceChildren(h("p", {}, sentence(text)), ...buttons);
  veil.hidden = false;
  setStatus("", null);
}

/** The list of images: beside the image where there is room, over it where there is not. */
export function toggleQueue(): void {
  document.body.classList.toggle("no-queue");
  document.body.classList.toggle("queue-open");
}

/** So many images, after "on". */
export function counted(images: number): string {
  return images === 1 ? t("onOneImage") : t("onImages", { count: images });
}

export async function attempt(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (problem) {
    setStatus("", null);
    showError(problem instanceof Error ? problem.message : String(problem));
  }
}

