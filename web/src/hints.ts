// One line below the image that says what to do next, until somebody has no need of it.

import { counted } from "./chrome";
import { h, iconButton } from "./dom";
import { rich, t } from "./language";
import type { StrokeDocument } from "./protocol";

const KEY = "saccade-hints";
const MOST_NAMED = 4;

export class Hints {
  readonly element = h("div", { class: "hint", role: "note" });
  private text = h("p", { "data-testid": "hint" });

  constructor() {
    this.element.append(this.text, iconButton("close", t("noHints"), "dismiss-hint", () => {
      localStorage.setItem(KEY, "off");
      this.element.hidden = true;
    }));
    this.element.hidden = localStorage.getItem(KEY) === "off";
  }

  /** `images`: how many have the strokes that the mask comes from; 0: this one alone; `network`: its file. */
  show(document: StrokeDocument, images: number, network = ""): void {
    this.text.replaceChildren(...hintOf(document, images, network));
  }
}

/** What to do next, for these strokes. */
export function hintOf(document: StrokeDocument, images: number, network = ""): (string | HTMLElement)[] {
  const drawn = new Set(document.items.filter((item) => !item.pinned).map((item) => item.value));
  if (network) return rich("hintNetwork");
  const [ground, ...others] = document.classes.map((c) => c.name);
  if (drawn.size === 0) {
    if (images > 0) return rich("hintShared", { images: counted(images) });
    if (others.length > 1) return rich("hintChoose");
    return rich("hintFirst", { name: others[0] ?? ground });
  }
  const left = document.classes.filter((c) => !drawn.has(c.value)).map((c) => c.name);
  if (drawn.size === 1 && left.length > 0) return rich("hintSecond", { name: left[0] });
  if (left.length > 0) {
    const names = left.slice(0, MOST_NAMED).join(", ");
    const count = left.length - MOST_NAMED;
    return count > 0 ? rich("hintMoreLeft", { names, count }) : rich("hintLeft", { names });
  }
  return rich("hintGoOn");
}
