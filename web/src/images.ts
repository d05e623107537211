// Which image is open: opens another, comes back when its session is lost, takes new ones.

import * as api from "./api";
import { attempt, cover, imageName, offline, position, setStatus, showError, veil } from "./chrome";
import { h } from "./dom";
import { Editor, type EditorHost } from "./editor";
import { t } from "./language";
import { Photo } from "./layers";
import { holderName, isElsewhere } from "./holders";
import type { FolderState, Holder, ImageEntry, SessionState } from "./protocol";

export interface ImagesHost extends Pick<EditorHost, "changed" | "painted" | "hidden" | "regions" | "wantsUncertainty" | "remarks" | "stack"> {
  /** There is a new session: for another image (of the same stack?), or again for the one that is shown. */
  opened(editor: Editor, another: boolean, beside: boolean): void;
  /** The list, or which of it is open, has changed. */
  listed(entries: ImageEntry[], current: string | undefined): void;
  /** The model of all strokes has changed. */
  folder(state: FolderState): void;
}

export class Images {
  editor: Editor | null = null;
  private entries: ImageEntry[] = [];
  /** What is to be open once everything asked for is done; images open one after the other. */
  private wanted: ImageEntry | null = null;
  private opening: Promise<void> = Promise.resolve();
  private applying = false;

  constructor(private host: ImagesHost) {}

  /** Open the image that the address names, or the first. */
  async start(): Promise<void> {
    window.addEventListener("hashchange", () => this.follow());
    await attempt(async () => {
      setStatus(t("opening"), 0.1);
      this.entries = await api.listImages();
      const at = Math.max(0, this.entries.findIndex((i) => i.id === location.hash.slice(1)));
      if (this.entries.length === 0) cover(t("noImages"));
      else await this.openAlong([...this.entries.slice(at), ...this.entries.slice(0, at)]);
    });
  }

  /** Open the image that the address names by now: somebody has put a link there. */
  private follow(): void {
    const entry = this.entries.find((e) => e.id === location.hash.slice(1));
    if (entry && entry.id !== this.current) void this.open(entry);
  }

  /** Open the image that is `by` places on; those that cannot be read are passed over. */
  step(by: number): void {
    if (this.entries.length > 1) void this.openAlong(this.following(this.entries, by));
  }

  /** Open the next of these that is not done. */
  nextOpen(shown: ImageEntry[]): void {
    const others = this.following(shown, 1).filter((e) => e.status !== "done");
    if (others.length > 0) void this.openAlong(others);
    else setStatus(t("allDone"), null);
  }

  /** Say that the image that is open is done, or not after all. */
  async toggleDone(shown: ImageEntry[]): Promise<void> {
    const entry = this.entries.find((e) => e.id === this.current);
    if (!entry) return;
    await attempt(async () => {
      const done = entry.status !== "done";
      this.update([await api.setDone(entry.id, done)]);
      if (done) this.nextOpen(shown);
    });
  }

  /** Take what has changed of some images. */
  update(changed: ImageEntry[]): void {
    for (const one of changed) {
      const entry = this.entries.find((e) => e.id === one.id);
      // A file that could not be opened stays marked until it can.
      if (entry) Object.assign(entry, one, { problem: one.problem || entry.problem, replaced: entry.replaced });
    }
    this.list();
  }

  private get current(): string | undefined {
    return (this.wanted ?? this.editor?.state.image)?.id;
  }

  /** All of `entries` but the one that is open, from the one after it on, or backwards. */
  private following(entries: ImageEntry[], by: number): ImageEntry[] {
    const row = by > 0 ? entries : [...entries].reverse();
    const at = row.findIndex((e) => e.id === this.current);
    return [...row.slice(at + 1), ...row.slice(0, Math.max(0, at))];
  }

  /** Open the first of these that can be read. */
  private async openAlong(entries: ImageEntry[]): Promise<void> {
    for (const entry of entries.filter((e) => !e.problem)) {
      if (isElsewhere(entry)) return this.ask(entry);
      await this.open(entry);
      if (this.editor?.state.image.id === entry.id || this.wanted) return; // or somebody goes on
    }
    if (!this.editor) cover(entries[0]?.problem || t("noneReadable"));
  }

  /** Masks for all images by the strokes that there are; how far it is is said until all have one. */
  async applyToAll(): Promise<void> {
    if (!this.entries.some((e) => e.has_strokes || e.status === "strokes")) throw new Error(t("drawFirst"));
    await api.setFolder({ shared: true });
    this.applying = true;
    this.list();
  }

  private sayApplied(): void {
    if (!this.applying) return;
    const open = this.entries.filter((e) => !e.problem);
    const done = open.filter((e) => e.mask > 0).length;
    this.applying = done < open.length;
    if (this.applying) setStatus(t("applying", { done, count: open.length }), done / open.length);
    else setStatus(t("applied", { count: open.length }), null);
  }

  async upload(files: Iterable<File>): Promise<void> {
    await attempt(async () => {
      let last: ImageEntry | null = null;
      for (const file of files) {
        setStatus(t("uploading", { name: file.name }), 0.1);
        last = await api.uploadImage(file);
      }
      this.entries = await api.listImages();
      if (last) await this.open(this.entries.find((i) => i.id === last.id) ?? last);
    });
  }

  /** The image that is open with other black and white, as parts of the range of its values. */
  async withContrast(black: number, white: number, then: (photo: Photo) => void): Promise<void> {
    const { editor } = this;
    if (!editor) return;
    await attempt(async () => {
      const photo = await Photo.from(await api.loadPhoto(editor.state.image.id, [black, white]));
      if (this.editor === editor) then(photo);
    });
  }

  /** Open an image; where another window has it, once somebody says so (`taken`). */
  open(entry: ImageEntry, taken = false): Promise<void> {
    const { editor } = this;
    if (isElsewhere(entry) && !taken) {
      this.ask(entry);
      return this.opening;
    }
    if (editor?.open && entry.id === (this.wanted ?? editor.state.image).id) return this.opening;
    this.wanted = entry;
    this.opening = this.opening.then(async () => {
      if (this.wanted !== entry) return; // somebody has gone on meanwhile
      await attempt(async () => {
        try {
          await this.openNow(entry);
          entry.problem = "";
        } catch (problem) {
          if (problem instanceof api.ApiError && problem.status > 0) entry.problem = problem.message;
          throw problem;
        } finally {
          this.list();
        }
      });
      if (this.wanted === entry) this.wanted = null;
    });
    return this.opening;
  }

  /** Keep what there is when the window goes; ask where strokes would be lost. */
  listenForLeaving(): void {
    window.addEventListener("pagehide", () => this.editor?.keepHistory());
    window.addEventListener("beforeunload", (e) => {
      const { editor } = this;
      if (editor?.unsaved && (!offline.hidden || !editor.open)) e.preventDefault();
    });
  }

  private async openNow(entry: ImageEntry): Promise<void> {
    if (this.editor?.open && this.editor.state.image.id === entry.id) return;
    setStatus(t("openingNamed", { name: entry.name }), 0.2);
    const state = await api.openSession(entry.id);
    const next = await Editor.start(state, this.hostFor(state));
    const left = this.editor;
    this.editor = next;
    left?.close();
    veil.hidden = true;
    location.replace(`#${entry.id}`);
    document.title = `${entry.name} · Saccade`;
    imageName.textContent = entry.name;
    const stack = state.image.slice?.stack;
    this.host.opened(next, true, stack !== undefined && stack === left?.state.image.slice?.stack);
    setStatus("", null);
    this.list();
  }

  private hostFor(state: SessionState): EditorHost {
    const current = () => this.editor?.state.session === state.session;
    const { changed, painted, hidden, regions, wantsUncertainty, remarks, folder, stack } = this.host;
    return {
      changed, painted, hidden, regions, wantsUncertainty, remarks, folder, stack,
      images: (changedOnes) => this.update(changedOnes),
      status: setStatus,
      error: showError,
      connection: (connected) => (offline.hidden = connected),
      saved: (any) => this.markSaved(state.image.id, any),
      closed: (detail, holder) => { if (current()) this.closed(detail, holder); },
      gone: () => { if (current()) void this.comeBack(); },
      replaced: () => { if (current()) void this.comeBack(true); },
    };
  }

  private closed(detail: string, holder: Holder | null = null): void {
    this.editor?.abandon();
    cover(holder ? t("takenOver", { who: holderName(holder) }) : detail, wide(t("openHere"), () => void this.comeBack()));
  }

  /** Say who has an image open, before it is taken from them; the one that is shown stays. */
  private ask(entry: ImageEntry): void {
    const here = wide(t("openHere"), () => void this.open(entry, true));
    const back = wide(t("back"), () => (veil.hidden = true));
    const text = t("openElsewhere", { name: entry.name, who: holderName(entry.holder!) });
    cover(text, here, ...(this.editor?.open ? [back] : []));
    here.focus();
  }

  /**
   * A new session for the image that is shown, with the strokes that the server has not got yet;
   * with its pixels of now, where its file was replaced.
   */
  private comeBack(replaced = false): Promise<void> {
    const left = this.editor;
    this.opening = this.opening.then(async () => {
      if (!left || this.editor !== left) return;
      try {
        const state = await api.openSession(left.state.image.id);
        const photo = replaced ? await Photo.from(await api.loadPhoto(state.image.id)) : undefined;
        this.editor = left.goOn(state, this.hostFor(state), photo);
        veil.hidden = true;
        this.host.opened(this.editor, replaced, false);
        const entry = this.entries.find((i) => i.id === state.image.id);
        if (replaced && entry) {
          entry.replaced = (entry.replaced ?? 0) + 1;
          this.list();
        }
      } catch (problem) {
        if (problem instanceof api.ApiError && problem.status === 0 && left.open) setTimeout(() => void this.comeBack(), 2000);
        else this.closed(problem instanceof Error ? problem.message : String(problem));
      }
    });
    return this.opening;
  }

  private list(): void {
    const current = this.editor?.state.image.id;
    const at = this.entries.findIndex((e) => e.id === current);
    position.textContent = this.entries.length > 1 && at >= 0 ? t("positionOf", { at: at + 1, count: this.entries.length }) : "";
    this.host.listed(this.entries, current);
    this.sayApplied();
  }

  private markSaved(image: string, any: boolean): void {
    const entry = this.entries.find((i) => i.id === image);
    if (!entry || entry.has_strokes === any) return;
    entry.has_strokes = any;
    if (entry.status !== "done") entry.status = any ? "strokes" : "empty";
    this.list();
  }
}

function wide(text: string, click: () => void): HTMLButtonElement {
  return h("button", { type: "button", class: "wide", click }, text);
}
