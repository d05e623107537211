// What tests and measurements may know of the page: `window.saccade`.

import type { Images } from "./images";
import type { FolderState } from "./protocol";
import type { Stage } from "./stage";

export function exposeFacts(images: Images, stage: Stage, frames: number[], folder: () => FolderState): void {
  Object.defineProperty(window, "saccade", {
    get: () => ({
      revision: images.editor?.revision ?? -1,
      resultRevision: images.editor?.mask.revision ?? -1,
      final: images.editor?.mask.final ?? false,
      waiting: images.editor?.waiting ?? true,
      strokeCount: images.editor?.document.items.filter((item) => !item.pinned).length ?? 0,
      timings: images.editor?.mask.timings ?? [],
      frames,
      unsaved: images.editor?.unsaved ?? false,
      changed: images.editor?.mask.painted?.changed?.count ?? null,
      pins: images.editor?.document.items.filter((item) => item.pinned).length ?? 0,
      sources: images.editor?.sources ?? 0,
      folder: folder(),
      toClient: (x: number, y: number) => { const [cx, cy] = stage.toClient([x, y]); return { x: cx, y: cy }; },
      labelAt: (x: number, y: number) => images.editor?.mask.labelAt(x, y) ?? null,
    }),
  });
}
