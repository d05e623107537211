// In the corner of the image: zoom, and of the place under the pointer the class, how sure it is and
// how much of the image the class has.

import { h } from "./dom";
import type { Editor } from "./editor";
import { t } from "./language";
import type { Point } from "./protocol";
import type { View } from "./view";

/** Milliseconds that the pointer rests before the certainty is asked for. */
const REST = 350;

export class Readout {
  readonly element = h("div", { class: "readout", "data-testid": "readout", "aria-hidden": "true" });
  private zoom = h("span", { class: "zoom", "data-testid": "zoom" });
  private text = h("span", {});
  private timer = 0;
  /** Of one mask: one byte for each pixel. */
  private certainty: { of: unknown; values: Uint8ClampedArray; width: number } | null = null;

  constructor() {
    this.element.append(this.zoom, this.text);
  }

  show(at: Point | null, view: View | null, editor: Editor | null): void {
    clearTimeout(this.timer);
    this.zoom.textContent = view ? `${Math.round(view.scale * 100)} %` : "";
    const place = at && view ? view.toImage(at).map(Math.floor) : null;
    const value = place && editor ? editor.mask.labelAt(place[0], place[1]) : null;
    this.text.hidden = value === null;
    if (!place || !editor || value === null) return;
    const name = editor.document.classes.find((c) => c.value === value)?.name ?? t("classNumber", { value });
    const sure = this.sureAt(editor, place);
    const share = (100 * editor.mask.share(value)).toFixed(1);
    this.text.textContent = t(sure === null ? "readout" : "readoutSure", { x: place[0], y: place[1], name, sure: sure ?? "", share });
    if (sure === null) this.timer = window.setTimeout(() => void this.ask(editor, () => this.show(at, view, editor)), REST);
  }

  private sureAt(editor: Editor, [x, y]: number[]): number | null {
    const known = this.certainty;
    if (!known || known.of !== editor.mask.result) return null;
    return Math.round(100 * (1 - known.values[4 * (y * known.width + x)] / 255));
  }

  private async ask(editor: Editor, then: () => void): Promise<void> {
    const { result, final, revision } = editor.mask;
    if (!final || revision !== editor.revision || result?.header.seconds === 0) return; // or it is from a file
    const reply = await fetch(`/api/sessions/${editor.state.session}/uncertainty`).catch(() => null);
    if (!reply?.ok || editor.mask.result !== result) return;
    const picture = await createImageBitmap(await reply.blob());
    const ctx = new OffscreenCanvas(picture.width, picture.height).getContext("2d", { willReadFrequently: true })!;
    ctx.drawImage(picture, 0, 0);
    this.certainty = { of: result, values: ctx.getImageData(0, 0, picture.width, picture.height).data, width: picture.width };
    then();
  }
}
