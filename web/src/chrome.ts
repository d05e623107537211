// The bars and what lies over the image: status, progress, errors, menus.

import { h, iconButton } from "./dom";

export const status = h("span", { class: "status", "data-testid": "status", role: "status" });
export const progress = h("div", { class: "progress", hidden: true });
export const errorText = h("span", {});
export const error = h("div", { class: "error", role: "alert", "data-testid": "error", hidden: true }, errorText,
  iconButton("close", "Dismiss", "dismiss-error", () => (error.hidden = true)));
export const offline = h("div", { class: "offline", hidden: true }, "No connection to the server. Trying again; nothing you draw is lost.");
export const hint = h("div", { class: "hint", "data-testid": "hint" });
export const veil = h("div", { class: "veil", hidden: true });
export const imageName = h("button", { type: "button", class: "image-name", "data-testid": "image-name", title: "Show all images", click: () => toggleQueue() });
export const position = h("span", { class: "value position", "data-testid": "position" });
export const exportMenu = h("div", { class: "menu", role: "menu", hidden: true });
export const importMenu = h("div", { class: "menu", role: "menu", hidden: true });
export const notesMenu = h("div", { class: "menu", role: "dialog", hidden: true });
export const filePicker = h("input", { type: "file", hidden: true });

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
}

/** Covers the image with a text, and perhaps a button. */
export function cover(text: string, button?: HTMLElement): void {
  veil.replaceChildren(h("p", {}, sentence(text)), button ?? "");
  veil.hidden = false;
  setStatus("", null);
}

/** The list of images: beside the image where there is room, over it where there is not. */
export function toggleQueue(): void {
  document.body.classList.toggle("no-queue");
  document.body.classList.toggle("queue-open");
}

/** What can be done while there is no stroke on the image; `images`: where the mask comes from. */
export function showHint(classes: string[], images: number): void {
  const [ground, ...others] = classes;
  if (images > 0) hint.replaceChildren("From the strokes on ", h("b", {}, counted(images)), ". Draw where it is wrong; the others learn from it too.");
  else if (others.length > 1) hint.replaceChildren(h("b", {}, "Choose a class and draw a stroke on it"), ", then on the others.");
  else hint.replaceChildren(h("b", {}, `Draw a stroke on the ${others[0] ?? ground}`), ". Where the mask is wrong, choose ", h("b", {}, ground), " and draw there.");
}

export function counted(images: number): string {
  return images === 1 ? "1 image" : `${images} images`;
}

export async function attempt(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (problem) {
    setStatus("", null);
    showError(problem instanceof Error ? problem.message : String(problem));
  }
}

