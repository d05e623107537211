// The bars and what lies over the image: status, progress, errors, menus.

import { h, iconButton } from "./dom";
import type { ImageEntry } from "./protocol";

export const status = h("span", { class: "status", "data-testid": "status", role: "status" });
export const progress = h("div", { class: "progress", hidden: true });
export const errorText = h("span", {});
export const error = h("div", { class: "error", role: "alert", "data-testid": "error", hidden: true }, errorText,
  iconButton("close", "Dismiss", "dismiss-error", () => (error.hidden = true)));
export const offline = h("div", { class: "offline", hidden: true }, "No connection to the server. Trying again; nothing you draw is lost.");
export const hint = h("div", { class: "hint" }, h("b", {}, "Draw a stroke on the object"), ". Where the mask is wrong, choose ", h("b", {}, "background"), " and draw there.");
export const veil = h("div", { class: "veil", hidden: true });
export const imageName = h("button", { type: "button", class: "image-name", "data-testid": "image-name", title: "Show all images", click: () => strip.classList.toggle("hidden") });
export const strip = h("nav", { class: "strip hidden", "aria-label": "Images" });
export const exportMenu = h("div", { class: "menu", role: "menu", hidden: true });
export const importMenu = h("div", { class: "menu", role: "menu", hidden: true });
export const notesMenu = h("div", { class: "menu", hidden: true });
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

export function fillStrip(images: ImageEntry[], current: string | undefined, open: (entry: ImageEntry) => void): void {
  strip.replaceChildren(...images.map((entry) => {
    const picture = h("img", { src: `/api/images/${entry.id}/thumbnail?${entry.replaced ?? 0}`, alt: "", loading: "lazy", draggable: "false" });
    return h("button", { type: "button", title: entry.folder ? `${entry.folder}/${entry.name}` : entry.name,
      "aria-current": String(entry.id === current), class: entry.has_strokes ? "thumb done" : "thumb", click: () => open(entry) },
    picture, h("span", {}, entry.name));
  }));
  if (images.length > 1) strip.classList.remove("hidden");
  strip.querySelector("[aria-current=true]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

export async function attempt(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (problem) {
    setStatus("", null);
    showError(problem instanceof Error ? problem.message : String(problem));
  }
}

