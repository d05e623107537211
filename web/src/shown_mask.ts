// The mask that is shown: painted by a worker, and kept for when its strokes come back by undo.

import { paintJob } from "./paint_job";
import type { Painted } from "./painter";
import type { Item, Result, StrokeClass } from "./protocol";
import type { Labels } from "./regions";
import PaintWorker from "./painter?worker";

export interface Timing {
  revision: number;
  strokeEnd: number;
  firstMask: number | null;
  finalMask: number | null;
}

export interface ShownMaskHost {
  classes(): StrokeClass[];
  hidden(): Set<number>;
  painted(painted: Painted | null): void;
  /** A mask can be seen. */
  seen(result: Result): void;
}

const MOST_KEPT = 40;

export class ShownMask {
  result: Result | null = null;
  painted: Painted | null = null;
  /** Of the strokes that the mask on the screen belongs to. */
  revision = -1;
  final = false;
  timings: Timing[] = [];
  private worker = new PaintWorker();
  private jobs = 0;
  /** By the strokes of a document, which never change. */
  private kept = new Map<Item[], Result>();

  constructor(
    private palette: string[],
    private host: ShownMaskHost,
  ) {
    this.worker.onmessage = (event: MessageEvent<Painted>) => this.took(event.data);
  }

  show(result: Result): void {
    this.result = result;
    this.paint();
  }

  /** There is no mask. */
  clear(revision: number): void {
    this.result = this.painted = null;
    this.jobs++;
    this.revision = revision;
    this.host.painted(null);
  }

  /** Remember the mask of these strokes; one from a file belongs to none. */
  keep(items: Item[], result: Result | null): void {
    if (!result?.header.final || result.header.imported) return;
    this.kept.delete(items);
    this.kept.set(items, result);
    for (const oldest of [...this.kept.keys()].slice(0, -MOST_KEPT)) this.kept.delete(oldest);
  }

  /** Show the mask that these strokes had; whether it is known. */
  recall(items: Item[], revision: number): boolean {
    const known = this.kept.get(items);
    if (!known) return false;
    this.show({ ...known, header: { ...known.header, revision } });
    return true;
  }

  /** Forget masks that others had a share in. */
  forget(): void {
    this.kept.clear();
  }

  /** Paint the mask of now anew, in the colors of now. */
  paint(): void {
    if (this.result) this.worker.postMessage(paintJob(++this.jobs, this.result, this.host.classes(), this.palette, this.host.hidden()));
  }

  get labels(): Labels | null {
    const { painted, result } = this;
    if (!painted || !result) return null;
    const { width, height, values } = result.header;
    return { width, height, at: (i) => values[painted.labels[i]] };
  }

  labelAt(x: number, y: number): number | null {
    const { labels } = this;
    if (!labels || x < 0 || y < 0 || x >= labels.width || y >= labels.height) return null;
    return labels.at(Math.floor(y) * labels.width + Math.floor(x));
  }

  /** Whether it was read from a file, and no stroke came after. */
  get isFromFile(): boolean {
    return this.painted !== null && this.result!.header.imported;
  }

  /** Share of the image that a class has. */
  share(value: number): number {
    const { labels, painted, result } = this;
    if (!labels || !painted || !result) return 0;
    const count = painted.counts[result.header.values.indexOf(value)] ?? 0;
    return count / (labels.width * labels.height);
  }

  /** Strokes were sent at a time. */
  sent(revision: number, strokeEnd: number): void {
    this.timings.push({ revision, strokeEnd, firstMask: null, finalMask: null });
    if (this.timings.length > 1000) this.timings.shift();
  }

  end(): void {
    this.worker.terminate();
  }

  private took(painted: Painted): void {
    const { result } = this;
    if (painted.id < this.jobs || !result) {
      for (const bitmap of [...painted.masks, painted.uncertainty, painted.changed?.picture]) bitmap?.close();
      return;
    }
    this.painted = painted;
    const { revision, final } = result.header;
    [this.revision, this.final] = [revision, final];
    this.host.painted(painted);
    this.host.seen(result);
    // Once for the frame that paints it, once for the frame after: then it has been seen.
    requestAnimationFrame(() => requestAnimationFrame((now) => this.stamp(revision, final, now)));
  }

  private stamp(revision: number, final: boolean, now: number): void {
    const timing = this.timings.find((t) => t.revision === revision);
    if (!timing) return;
    timing.firstMask ??= now;
    if (final) timing.finalMask ??= now;
  }
}
