// A worker that turns runs into pictures, so that the pointer never waits for a large mask.

import { expandRuns } from "./protocol";

export interface PaintJob {
  id: number;
  width: number;
  height: number;
  runs: Uint32Array<ArrayBuffer>;
  /** 0xAABBGGRR for each class index. */
  colors: Uint32Array<ArrayBuffer>;
  uncertainty: { width: number; height: number; values: Uint8Array<ArrayBuffer> } | null;
  /** The class of each class index. */
  values: number[];
  final: boolean;
}

export interface Painted {
  id: number;
  labels: Uint8Array<ArrayBuffer>;
  /** From full size down by halves, as many as are useful. */
  masks: ImageBitmap[];
  /** x0, y0, x1, y1 of the sides of pixels between classes, in image pixels. */
  edges: Float32Array<ArrayBuffer>;
  uncertainty: ImageBitmap | null;
  /** Pixels of each class index. */
  counts: Uint32Array;
  /** Against the last final mask of this image; null where there was none. */
  changed: { count: number; picture: ImageBitmap | null } | null;
}

const MOST_SIDES = 60_000;
const LARGE = 1_500_000;

export async function paint(job: PaintJob): Promise<Painted> {
  const labels = expandRuns(job.runs, job.width * job.height);
  const masks = [await bitmap(labels, job.width, job.height, 1, job.colors)];
  if (job.width * job.height > LARGE) masks.push(await bitmap(labels, job.width, job.height, 2, job.colors));
  let step = 1;
  let edges = sides(labels, job.width, job.height, step);
  while (edges.length / 4 > MOST_SIDES && step < 8) {
    step *= 2;
    edges = sides(labels, job.width, job.height, step);
  }
  const map = job.uncertainty;
  const uncertainty = map ? await heat(map.values, map.width, map.height) : null;
  return { id: job.id, labels, masks, edges, uncertainty, counts: counted(labels), changed: await changes(labels, job) };
}

function counted(labels: Uint8Array): Uint32Array {
  const counts = new Uint32Array(256);
  for (let i = 0; i < labels.length; i++) counts[labels[i]]++;
  return counts;
}

/** Class values of the last final mask. */
let last: Uint8Array = new Uint8Array();

async function changes(labels: Uint8Array, job: PaintJob): Promise<Painted["changed"]> {
  if (!job.final) return null;
  const now = new Uint8Array(labels.length);
  const step = labels.length > LARGE ? 2 : 1;
  const [w, h] = [Math.ceil(job.width / step), Math.ceil(job.height / step)];
  const pixels = new Uint32Array(w * h);
  let count = 0;
  for (let i = 0; i < labels.length; i++) {
    now[i] = job.values[labels[i]];
    if (now[i] === last[i]) continue;
    count++;
    const y = Math.floor(i / job.width);
    pixels[Math.floor(y / step) * w + Math.floor((i - y * job.width) / step)] = 0xffffffff;
  }
  const known = last.length === now.length;
  last = now;
  if (!known) return null;
  const picture = count > 0 ? await createImageBitmap(new ImageData(new Uint8ClampedArray(pixels.buffer), w, h)) : null;
  return { count, picture };
}

async function bitmap(
  labels: Uint8Array,
  width: number,
  height: number,
  step: number,
  colors: Uint32Array,
): Promise<ImageBitmap> {
  const w = Math.ceil(width / step);
  const h = Math.ceil(height / step);
  const pixels = new Uint32Array(w * h);
  if (step === 1) {
    for (let i = 0; i < pixels.length; i++) pixels[i] = colors[labels[i]];
  } else {
    for (let y = 0, i = 0; y < h; y++) {
      for (let x = 0; x < w; x++, i++) pixels[i] = colors[labels[y * step * width + x * step]];
    }
  }
  return createImageBitmap(new ImageData(new Uint8ClampedArray(pixels.buffer), w, h));
}

/** Sides between pixels of different classes, joined along rows and columns of pixels. */
export function sides(labels: Uint8Array, width: number, height: number, step: number): Float32Array<ArrayBuffer> {
  const out: number[] = [];
  const at = (x: number, y: number) => labels[y * step * width + x * step];
  const w = Math.ceil(width / step);
  const h = Math.ceil(height / step);
  const open = new Int32Array(w).fill(-1); // where the side left of column x began
  for (let y = 0; y < h; y++) {
    let start = -1;
    for (let x = 0; x < w; x++) {
      const own = at(x, y);
      const above = y > 0 && at(x, y - 1) !== own;
      if (above && start < 0) start = x;
      if (!above && start >= 0) {
        out.push(start * step, y * step, x * step, y * step);
        start = -1;
      }
      const left = x > 0 && at(x - 1, y) !== own;
      if (left && open[x] < 0) open[x] = y;
      if (!left && open[x] >= 0) {
        out.push(x * step, open[x] * step, x * step, y * step);
        open[x] = -1;
      }
    }
    if (start >= 0) out.push(start * step, y * step, width, y * step);
  }
  for (let x = 0; x < w; x++) if (open[x] >= 0) out.push(x * step, open[x] * step, x * step, height);
  return new Float32Array(out);
}

/** Violet to yellow where uncertain, clear where certain. */
async function heat(values: Uint8Array, width: number, height: number): Promise<ImageBitmap> {
  const stops = [
    [72, 18, 130],
    [160, 36, 136],
    [232, 82, 98],
    [253, 158, 108],
    [252, 253, 191],
  ];
  const table = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    const t = (i / 255) * (stops.length - 1);
    const k = Math.min(stops.length - 2, Math.floor(t));
    const [r, g, b] = stops[k].map((c, j) => Math.round(c + (stops[k + 1][j] - c) * (t - k)));
    const alpha = Math.round(235 * Math.min(1, i / 90));
    table[i] = ((alpha << 24) | (b << 16) | (g << 8) | r) >>> 0;
  }
  const pixels = new Uint32Array(width * height);
  for (let i = 0; i < pixels.length; i++) pixels[i] = table[values[i]];
  return createImageBitmap(new ImageData(new Uint8ClampedArray(pixels.buffer), width, height));
}

declare const WorkerGlobalScope: unknown;

if (typeof WorkerGlobalScope !== "undefined") {
  const scope = self as unknown as { onmessage: unknown; postMessage(m: unknown, t: Transferable[]): void };
  scope.onmessage = async (event: MessageEvent<PaintJob>) => {
    const painted = await paint(event.data);
    const given: Transferable[] = [painted.labels.buffer, painted.edges.buffer, ...painted.masks];
    for (const more of [painted.uncertainty, painted.changed?.picture]) if (more) given.push(more);
    scope.postMessage(painted, given);
  };
}
