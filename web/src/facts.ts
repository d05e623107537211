// What tests and measurements may know of the page: `window.saccade`.

import type { Images } from "./images";
import type { FolderState } from "./protocol";
import type { Stage } from "./stage";

export function exposeFacts(images: Images, stage: Stage, frames: number[], folder: () => FolderState): void {
  Object.defineProperty(window, "saccade", {
    get: () => ({
      revision: images.editor?.revision ?? -1,
      resultRevision: images.editor?.resultRevision ?? -1,
      final: images.editor?.final ?? false,
      waiting: images.editor?.waiting ?? true,
      strokeCount: images.editor?.document.items.length ?? 0,
      timings: images.editor?.timings ?? [],
      frames,
      unsaved: images.editor?.unsaved ?? false,
      sources: images.editor?.sources ?? 0,
      folder: folder(),
      toClient: (x: number, y: number) => { const [cx, cy] = stage.toClient([x, y]); return { x: cx, y: cy }; },
      labelAt: (x: number, y: number) => images.editor?.labelAt(x, y) ?? null,
    }),
  });
}
