// The slices of a stack: a slider through them, and the masks of all from the strokes on some.

import { loadPhoto, segmentStack, stackFile } from "./api";
import { attempt, setStatus } from "./chrome";
import { h, icon, iconButton } from "./dom";
import { t } from "./language";
import { Photo } from "./layers";
import type { ImageEntry, StackState } from "./protocol";

/** Milliseconds that the slider rests before the slice below it is asked for. */
const REST = 40;

export interface SlicesHost {
  open(entry: ImageEntry): void;
  /** Another slice `alone`, while somebody goes through the stack; or this one, with its mask. */
  preview(photo: Photo, alone: boolean): void;
  noted(lines: string[]): void;
}

export class Slices {
  readonly element: HTMLElement;
  private slider: HTMLInputElement;
  private text = h("output", { class: "value", "data-testid": "slice" });
  private objects = h("output", { class: "value", "data-testid": "objects" });
  private all: HTMLButtonElement;
  private save: HTMLButtonElement;
  private row: ImageEntry[] = [];
  private current: ImageEntry | null = null;
  private timer = 0;

  constructor(private host: SlicesHost) {
    this.slider = h("input", {
      type: "range", min: "1", "data-testid": "slices", "aria-label": t("slice"),
      input: () => this.look(),
      change: () => this.go(Number(this.slider.value)),
    });
    this.all = h("button", { type: "button", class: "text-button", title: t("allSlicesTitle"), "data-testid": "all-slices", click: () => this.segment() });
    this.all.append(icon("target"), h("span", {}, t("allSlices")));
    this.save = iconButton("export", t("saveSlices"), "save-slices", () => this.download());
    this.element = h("div", { class: "slices", hidden: true },
      iconButton("previous", t("previousSlice"), "previous-slice", () => this.step(-1)), this.slider,
      iconButton("next", t("nextSlice"), "next-slice", () => this.step(1)), this.text, this.objects, this.all, this.save);
  }

  show(entries: ImageEntry[], id: string | undefined): void {
    const before = this.current?.slice?.stack;
    this.current = entries.find((e) => e.id === id) ?? null;
    const slice = this.current?.slice;
    this.element.hidden = !slice;
    if (!slice) return;
    if (slice.stack !== before) {
      this.save.hidden = true;
      this.objects.value = "";
    }
    this.row = entries.filter((e) => e.slice?.stack === slice.stack);
    this.slider.max = String(this.row.length);
    this.slider.value = String(slice.number);
    this.text.value = t("positionOf", { at: slice.number, count: slice.count });
  }

  step(by: number): void {
    const slice = this.current?.slice;
    if (slice) this.go(slice.number + by);
  }

  /** What the server says of the masks of all slices. */
  told(state: StackState): void {
    if (state.stack !== this.current?.slice?.stack) return;
    this.all.disabled = state.state === "running";
    this.save.hidden = state.state !== "done";
    this.host.noted(state.remarks);
    if (state.state === "running") setStatus(t("segmentingSlices"), state.fraction);
    else if (state.state === "done") this.objects.value = t(state.objects === 1 ? "oneObject" : "someObjects", { count: state.objects ?? 0 });
    else void attempt(() => Promise.reject(new Error(state.detail)));
  }

  private go(number: number): void {
    clearTimeout(this.timer);
    const entry = this.row.find((e) => e.slice!.number === number);
    if (entry && entry !== this.current) this.host.open(entry);
    else if (entry) this.look();
  }

  /** Show the slice at the slider; it is opened once the slider is let go. */
  private look(): void {
    const number = Number(this.slider.value);
    this.text.value = t("positionOf", { at: number, count: this.row.length });
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void attempt(async () => {
      const entry = this.row.find((e) => e.slice!.number === number);
      if (!entry) return;
      const photo = await Photo.from(await loadPhoto(entry.id));
      if (Number(this.slider.value) === number) this.host.preview(photo, entry !== this.current);
    }), REST);
  }

  private segment(): void {
    const { current } = this;
    if (!current) return;
    void attempt(async () => {
      this.all.disabled = true;
      try {
        this.told(await segmentStack(current.id));
      } catch (problem) {
        this.all.disabled = false;
        throw problem;
      }
    });
  }

  private download(): void {
    const { current } = this;
    if (!current) return;
    void attempt(async () => {
      const name = current.name.replace(/\.z\d+\.[^.]*$/, ".masks.tif");
      await stackFile(current.id, name);
      setStatus(t("saved", { name }), null);
    });
  }
}
