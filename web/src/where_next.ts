// Where a stroke would help most: asked of the server, then gone through one after the other.

import { setStatus } from "./chrome";
import type { Editor } from "./editor";
import { t } from "./language";
import type { Panel } from "./panel";
import type { Region } from "./protocol";
import type { Stage } from "./stage";

const COUNT = 5;

export class WhereNext {
  private regions: Region[] = [];
  private next = 0;

  constructor(
    private stage: Stage,
    private panel: Panel,
  ) {}

  /** Ask; once there are places, go to the next. */
  suggest(editor: Editor | null): void {
    if (!editor) return;
    if (this.regions.length > 0) this.goTo(this.regions[this.next % this.regions.length]);
    else if (editor.waiting || !editor.mask.painted) setStatus(t("drawFirst"), null);
    else editor.suggest(COUNT);
  }

  goTo(region: Region): void {
    this.next = this.regions.indexOf(region) + 1;
    this.stage.view?.show(region.box);
    this.stage.setRegions(this.regions, region);
    this.stage.moved();
  }

  set(found: Region[]): void {
    this.regions = found;
    this.next = 0;
    this.panel.showRegions(found.length > 0 ? found : null);
    this.stage.setRegions(found, null);
  }
}
