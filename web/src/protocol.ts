// What travels between page and server. Points are image pixels; (0, 0) is the centre of the upper
// left pixel.

export type Point = [number, number];

export interface StrokeClass {
  value: number;
  name: string;
  color: string | null;
}

export interface LineItem {
  id: string;
  kind: "line";
  value: number;
  width: number;
  points: Point[];
  /** No stroke, but pixels of the mask that keep this class. */
  pinned?: boolean;
}

export interface PatchItem {
  id: string;
  kind: "patch";
  value: number;
  x: number;
  y: number;
  png: string;
  pinned?: boolean;
}

export type Item = LineItem | PatchItem;

export interface StrokeDocument {
  classes: StrokeClass[];
  items: Item[];
}

/** Whose page has an image open. */
export interface Holder {
  window: string;
  /** Each "" where it is not known; the address, where it is the computer of the server. */
  browser: string;
  system: string;
  address: string;
}

export interface ImageEntry {
  id: string;
  name: string;
  folder: string;
  width: number;
  height: number;
  has_strokes: boolean;
  status: "empty" | "strokes" | "done";
  /** Counts the masks of its thumbnail; 0 while there is none. */
  mask: number;
  /** Mean of its mask, 0 to 1; null while it is not known. */
  uncertainty: number | null;
  /** Whether the mask needs no look. */
  sure: boolean;
  /** Whether it has no strokes and looks like none of the images with strokes. */
  unlike: boolean;
  /** Why it cannot be opened; "" if it can, as far as is known. */
  problem: string;
  holder: Holder | null;
  /** Which one of a stack it is, from 1; null where it is none. */
  slice: { stack: string; number: number; count: number } | null;
  /** Counts how often the file was seen to be replaced. */
  replaced?: number;
}

export interface SessionState {
  session: string;
  image: ImageEntry;
  preset: string;
  presets: string[];
  seed: number;
  revision: number;
  document: StrokeDocument;
  has_mask: boolean;
  palette: string[];
  formats: { name: string; title: string; suffix: string }[];
  limits: { message_bytes: number };
  remarks: string[];
}

export interface Region {
  row: number;
  column: number;
  box: [number, number, number, number];
  score: number;
}

/** The model that is fitted to the strokes of all images. */
export interface FolderState {
  /** On how many images the strokes are; 0 while there is no model. */
  images: number;
  fitting: boolean;
  /** Whether strokes on one image count for the others. */
  shared: boolean;
  /** Whether a class is only where it is connected to a stroke of it. */
  connected: boolean;
  problem: string;
  /** File of the trained network that makes the masks instead; "" for none. */
  network: string;
  remarks: string[];
}

/** The masks of all slices of a stack. */
export interface StackState {
  stack: string;
  state: "running" | "done" | "failed";
  fraction: number;
  detail: string;
  objects: number | null;
  remarks: string[];
}

export type ServerMessage =
  | { type: "classes"; classes: StrokeClass[] }
  | { type: "images"; images: ImageEntry[] }
  | ({ type: "folder" } & FolderState)
  | ({ type: "state" } & SessionState)
  | ({ type: "stack" } & StackState)
  | { type: "saved"; revision: number }
  | { type: "replaced" }
  | { type: "progress"; revision: number; fraction: number; stage: string; ahead: number }
  | { type: "waiting"; revision: number; detail: string }
  | { type: "suggestions"; revision: number; regions: Region[] }
  | { type: "error"; revision: number | null; detail: string }
  | { type: "pong" }
  | { type: "closed"; detail: string; holder?: Holder | null };

export interface ResultHeader {
  type: "result";
  revision: number;
  final: boolean;
  width: number;
  height: number;
  values: number[];
  runs: number;
  seconds: number;
  uncertainty: { width: number; height: number } | null;
  remarks: string[];
  /** Classes that nobody drew and that were assumed to be everything else. */
  provisional: number[];
  /** On how many images the strokes are that it comes from; 0: on this one alone. */
  images: number;
  /** Read from a file, not made from strokes. */
  imported: boolean;
}

export interface Result {
  header: ResultHeader;
  /** Each run is `length * 256 + index into header.values`, row by row over the whole image. */
  runs: Uint32Array<ArrayBuffer>;
  /** 0..255, or null where it was not asked for. */
  uncertainty: Uint8Array<ArrayBuffer> | null;
}

export function decodeResult(buffer: ArrayBuffer): Result {
  const length = new DataView(buffer).getUint32(0, true);
  const text = new TextDecoder().decode(new Uint8Array(buffer, 4, length));
  const header = JSON.parse(text) as ResultHeader;
  const start = 4 + length;
  const runs = new Uint32Array(buffer.slice(start, start + 4 * header.runs));
  const size = header.uncertainty;
  const uncertainty = size
    ? new Uint8Array(buffer.slice(start + 4 * header.runs, start + 4 * header.runs + size.width * size.height))
    : null;
  return { header, runs, uncertainty };
}

/** Expands runs to one class index for each pixel. */
export function expandRuns(runs: Uint32Array, pixels: number): Uint8Array<ArrayBuffer> {
  const labels = new Uint8Array(pixels);
  let place = 0;
  for (let i = 0; i < runs.length; i++) {
    const end = place + (runs[i] >>> 8);
    labels.fill(runs[i] & 255, place, end);
    place = end;
  }
  return labels;
}
