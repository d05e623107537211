// One line below the image that says what to do next, until somebody has no need of it.

import { counted } from "./chrome";
import { h, iconButton } from "./dom";
import type { StrokeDocument } from "./protocol";

const KEY = "saccade-hints";
const MOST_NAMED = 4;

export class Hints {
  readonly element = h("div", { class: "hint", role: "note" });
  private text = h("p", { "data-testid": "hint" });

  constructor() {
    this.element.append(this.text, iconButton("close", "Show no more hints", "dismiss-hint", () => {
      localStorage.setItem(KEY, "off");
      this.element.hidden = true;
    }));
    this.element.hidden = localStorage.getItem(KEY) === "off";
  }

  /** `images`: how many have the strokes that the mask comes from; 0: this one alone. */
  show(document: StrokeDocument, images: number): void {
    this.text.replaceChildren(...hintOf(document, images));
  }
}

/** What to do next, for these strokes. */
export function hintOf(document: StrokeDocument, images: number): (string | HTMLElement)[] {
  const drawn = new Set(document.items.filter((item) => !item.pinned).map((item) => item.value));
  const [ground, ...others] = document.classes.map((c) => c.name);
  if (drawn.size === 0) {
    if (images > 0) return ["From the strokes on ", bold(counted(images)), ". Draw where it is wrong; the others learn from it too."];
    if (others.length > 1) return [bold("Choose a class and draw a stroke on it"), ", then on the others."];
    return [bold(`Draw a stroke on the ${others[0] ?? ground}`), ". The mask follows at once."];
  }
  const left = document.classes.filter((c) => !drawn.has(c.value)).map((c) => c.name);
  if (drawn.size === 1 && left.length > 0) return ["All else is a guess. Choose ", bold(left[0]), " and draw where the mask is wrong."];
  if (left.length > 0) {
    const more = left.length > MOST_NAMED ? ` and ${left.length - MOST_NAMED} more` : "";
    return ["Not drawn here yet: ", bold(left.slice(0, MOST_NAMED).join(", ")), `${more}. Draw them if they are in the image.`];
  }
  return ["Draw where the mask is wrong; ", bold("Where next?"), " shows what is least sure. ", bold("Export"), " saves the mask."];
}

function bold(text: string): HTMLElement {
  return h("b", {}, text);
}
