// Undo that outlives a reload: kept by the window, for each image.

import { History, type Kept } from "./history";
import type { SessionState } from "./protocol";

const STEPS = [200, 50, 10];

function key(image: string): string {
  return `saccade-history-${image}`;
}

/** The history of an image as this window left it. */
export function restored(state: SessionState): History {
  const text = sessionStorage.getItem(key(state.image.id));
  if (!text) return new History(state.document);
  try {
    return History.from(JSON.parse(text) as Kept, state.document);
  } catch {
    return new History(state.document);
  }
}

/** Keep as many steps as there is room for. */
export function keep(image: string, history: History): void {
  for (const steps of STEPS) {
    try {
      sessionStorage.setItem(key(image), JSON.stringify(history.kept(steps)));
      return;
    } catch {
      // too much for the window's store: fewer steps
    }
  }
  sessionStorage.removeItem(key(image));
}
