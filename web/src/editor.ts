// One open image: its strokes with undo, the live connection, the mask that is shown.

import { closeSession, loadPhoto } from "./api";
import { counted } from "./chrome";
import { erase, simplify, touches } from "./geometry";
import { History, merged, sameStrokes, withItems } from "./history";
import { keep, restored } from "./history_store";
import { t } from "./language";
import { Photo } from "./layers";
import { Live } from "./live";
import type { Painted } from "./painter";
import { cutPatch, patchTouched } from "./patches";
import type { FolderState, Holder, ImageEntry, Item, LineItem, Point, Region, Result, ServerMessage, SessionState, StackState, StrokeDocument } from "./protocol";
import { ShownMask } from "./shown_mask";

export interface EditorHost {
  changed(): void;
  painted(painted: Painted | null): void;
  status(text: string, fraction: number | null): void;
  error(text: string): void;
  connection(connected: boolean): void;
  regions(regions: Region[]): void;
  closed(detail: string, holder: Holder | null): void;
  gone(): void;
  /** The file of the image has other pixels now. */
  replaced(): void;
  /** What was assumed of image and strokes for a mask. */
  remarks(lines: string[]): void;
  saved(anyStrokes: boolean): void;
  /** Of other images, and of this one in the list. */
  images(changed: ImageEntry[]): void;
  folder(state: FolderState): void;
  stack(state: StackState): void;
  wantsUncertainty(): boolean;
  hidden(): Set<number>;
}

export class Editor {
  readonly history: History;
  revision: number;
  waiting = false;
  open = true;
  readonly mask: ShownMask;
  private live: Live;
  private working: Item[] | null = null;
  private learning = false;
  private connected = false;
  /** What the server is known to have kept. */
  private kept: StrokeDocument;

  private constructor(
    readonly state: SessionState,
    readonly photo: Photo,
    private host: EditorHost,
    history?: History,
  ) {
    this.history = history ?? new History(state.document);
    this.kept = state.document;
    this.revision = state.revision;
    this.mask = new ShownMask(state.palette, {
      classes: () => this.history.document.classes,
      hidden: () => host.hidden(),
      painted: (painted) => host.painted(painted),
      seen: (result) => this.seen(result),
    });
    this.live = new Live(state.session, state.limits.message_bytes, {
      message: (message) => this.receive(message),
      result: (result) => this.receiveResult(result),
      connection: (connected) => {
        if (connected && host.wantsUncertainty()) this.live.send({ type: "options", uncertainty: true });
        host.connection(connected);
      },
      gone: () => host.gone(),
    });
  }

  static async start(state: SessionState, host: EditorHost): Promise<Editor> {
    return new Editor(state, await Photo.from(await loadPhoto(state.image.id)), host, restored(state));
  }

  /** Goes on in a new session of the same image with all strokes, those that were never sent too. */
  goOn(state: SessionState, host: EditorHost, photo = this.photo): Editor {
    const theirs = state.document;
    const { unsaved } = this;
    this.abandon();
    this.mask.end();
    if (!unsaved && !sameStrokes(this.history.document, theirs)) return new Editor(state, photo, host);
    if (unsaved) this.history.replace(merged(this.kept, this.history.document, theirs));
    const next = new Editor(state, photo, host, this.history);
    if (unsaved) next.send();
    return next;
  }

  /** The strokes as they look now, with what the eraser has done so far. */
  get document(): StrokeDocument {
    return this.working ? withItems(this.history.document, this.working) : this.history.document;
  }

  /** Whether strokes are on their way and not known to be kept. */
  get unsaved(): boolean {
    return this.live.waiting;
  }

  /** Keep the history for when the image is opened again in this window. */
  keepHistory(): void {
    keep(this.state.image.id, this.history);
  }

  close(): void {
    this.keepHistory();
    this.live.close();
    this.mask.end();
    closeSession(this.state.session);
  }

  /** Leaves the session to whoever took it over. */
  abandon(): void {
    this.open = false;
    this.live.close();
  }

  commit(next: StrokeDocument, ended = performance.now()): void {
    // Where somebody else has the image by now, a stroke that was being drawn waits for it to come back.
    this.history.commit(next);
    this.send(ended);
  }

  addLine(line: LineItem, scale: number): void {
    const points = simplify(line.points, Math.min(0.5, 0.5 / scale));
    this.commit(withItems(this.history.document, [...this.history.document.items, { ...line, points }]));
  }

  undo(): void {
    if (this.open && this.history.undo()) this.send();
  }

  redo(): void {
    if (this.open && this.history.redo()) this.send();
  }

  eraseAlong(a: Point, b: Point, radius: number): void {
    this.working = (this.working ?? this.history.document.items).flatMap((item) =>
      item.kind === "line" && touches(item, a, radius + Math.hypot(b[0] - a[0], b[1] - a[1])) ? erase(item, a, b, radius) : [item],
    );
  }

  async eraseDone(path: Point[], radius: number): Promise<void> {
    const before = this.history.document;
    const items = this.working ?? before.items;
    const cut = await Promise.all(items.map((item) => (item.kind === "patch" ? cutPatch(item, path, radius) : item)));
    this.working = null;
    const left = cut.filter((item) => item !== null);
    const same = left.length === before.items.length && left.every((item, i) => item === before.items[i]);
    if (!same && this.history.document === before) this.commit(withItems(before, left));
    else this.host.changed();
  }

  async removeAt(at: Point, slack: number): Promise<void> {
    const { items } = this.history.document;
    for (let i = items.length - 1; i >= 0; i--) {
      const item = items[i];
      const hit = item.kind === "line" ? touches(item, at, slack) : await patchTouched(item, at);
      if (hit) {
        this.commit(withItems(this.history.document, items.filter((other) => other !== item)));
        return;
      }
    }
  }

  setPreset(preset: string): void {
    this.state.preset = preset;
    this.mask.forget();
    this.live.send({ type: "options", preset });
  }

  setUncertainty(wanted: boolean): void {
    this.live.send({ type: "options", uncertainty: wanted });
  }

  suggest(count: number): void {
    this.live.send({ type: "suggest", n: count });
  }

  cancelFit(): void {
    this.live.send({ type: "cancel" });
    this.host.status(t("stopped"), null);
  }

  /** The classes that nobody drew and that were assumed to be everything else. */
  get provisional(): number[] {
    return this.mask.result?.header.provisional ?? [];
  }

  /** On how many images the strokes are that the mask comes from; 0: on this one alone, or no mask. */
  get sources(): number {
    return this.mask.result?.header.images ?? 0;
  }

  private send(ended = performance.now()): void {
    this.revision++;
    this.mask.sent(this.revision, ended);
    this.live.sendStrokes(this.revision, this.history.document);
    this.host.regions([]);
    if (this.mask.recall(this.history.document.items, this.revision)) this.waiting = false;
    this.host.changed();
  }

  private receive(message: ServerMessage): void {
    if (message.type === "saved") {
      this.live.saved(message.revision);
      if (this.live.waiting) return;
      this.kept = this.history.document;
      this.host.saved(this.kept.items.length > 0);
    } else if (message.type === "progress") {
      const queue = message.ahead > 0 ? t("waitingBefore", { count: message.ahead }) : t("segmenting");
      if (message.revision >= this.revision) this.host.status(queue, message.fraction);
    } else if (message.type === "waiting") {
      if (message.revision < this.revision) return;
      this.waiting = true;
      this.mask.clear(message.revision);
      this.host.status(this.learning ? t("learning") : t("drawForMask"), null);
    } else if (message.type === "suggestions") {
      if (message.revision === this.revision) this.host.regions(message.regions);
      this.host.status(t(message.regions.length > 0 ? "drawNumbers" : "littleUncertain"), null);
    } else if (message.type === "error") {
      this.host.status("", null);
      this.host.error(message.detail);
    } else if (message.type === "classes") {
      this.history.setClasses(message.classes);
      this.host.changed();
      this.mask.paint();
    } else if (message.type === "images") {
      this.host.images(message.images);
    } else if (message.type === "folder") {
      if (message.connected !== this.connected) this.mask.forget();
      this.learning = message.fitting;
      this.connected = message.connected;
      this.host.folder(message);
      if (this.waiting && !message.fitting) this.host.status(t("drawForMask"), null);
    } else if (message.type === "stack") {
      this.mask.forget();
      this.host.stack(message);
    } else if (message.type === "replaced") {
      this.host.replaced();
    } else if (message.type === "closed") {
      this.open = false;
      this.host.closed(message.detail, message.holder ?? null);
    }
  }

  private receiveResult(result: Result): void {
    const { revision, provisional, remarks } = result.header;
    if (revision < this.mask.revision) return;
    this.waiting = false;
    // What is provisional stands in the list of classes, and only while it is.
    if (provisional.length === 0) this.host.remarks(remarks);
    if (revision === this.revision) this.mask.keep(this.history.document.items, result);
    this.mask.show(result);
  }

  private seen(result: Result): void {
    const { revision, final, seconds, imported } = result.header;
    if (!final || revision < this.revision) return;
    const made = seconds > 0 ? t("doneIn", { seconds: seconds.toFixed(2) }) : t(imported ? "maskShown" : "maskKept");
    this.host.status(this.guess() ?? made, null);
  }

  /** What to do about a mask of one class and what was assumed around it. */
  private guess(): string | null {
    const [value] = this.provisional;
    if (value === undefined) return this.sources > 0 ? t("fromStrokes", { images: counted(this.sources) }) : null;
    const name = this.history.document.classes.find((c) => c.value === value)?.name ?? t("anotherClass");
    return t("firstGuess", { name });
  }
}
