// Which image is open: opens another, comes back when its session is lost, takes new ones.

import * as api from "./api";
import { attempt, cover, fillStrip, imageName, offline, setStatus, showError, veil } from "./chrome";
import { h } from "./dom";
import { Editor, type EditorHost } from "./editor";
import { Photo } from "./layers";
import type { ImageEntry, SessionState } from "./protocol";

export interface ImagesHost extends Pick<EditorHost, "changed" | "painted" | "regions" | "wantsUncertainty" | "remarks"> {
  /** There is a new session: for another image, or again for the one that is shown. */
  opened(editor: Editor, another: boolean): void;
  /** How many images there are may have changed. */
  counted(images: number): void;
}

export class Images {
  editor: Editor | null = null;
  private entries: ImageEntry[] = [];
  /** What is to be open once everything asked for is done; images open one after the other. */
  private wanted: ImageEntry | null = null;
  private opening: Promise<void> = Promise.resolve();

  constructor(private host: ImagesHost) {}

  /** Open the image that the address names, or the first. */
  async start(): Promise<void> {
    await attempt(async () => {
      setStatus("Opening", 0.1);
      this.entries = await api.listImages();
      const first = this.entries.find((i) => i.id === location.hash.slice(1)) ?? this.entries[0];
      if (first) await this.open(first);
      else cover("No images yet. Drop one here.");
    });
  }

  /** Open the image that is `by` places on. */
  step(by: number): void {
    const { entries } = this;
    const at = entries.findIndex((i) => i.id === (this.wanted ?? this.editor?.state.image)?.id);
    const next = entries[(at + by + entries.length) % entries.length];
    if (next && entries.length > 1) void this.open(next);
  }

  async upload(files: Iterable<File>): Promise<void> {
    await attempt(async () => {
      let last: ImageEntry | null = null;
      for (const file of files) {
        setStatus(`Uploading ${file.name}`, 0.1);
        last = await api.uploadImage(file);
      }
      this.entries = await api.listImages();
      if (last) await this.open(this.entries.find((i) => i.id === last.id) ?? last);
    });
  }

  private open(entry: ImageEntry): Promise<void> {
    const { editor } = this;
    if (editor?.open && entry.id === (this.wanted ?? editor.state.image).id) return this.opening;
    this.wanted = entry;
    this.opening = this.opening.then(async () => {
      if (this.wanted !== entry) return; // somebody has gone on meanwhile
      await attempt(() => this.openNow(entry));
      if (this.wanted === entry) this.wanted = null;
    });
    return this.opening;
  }

  private async openNow(entry: ImageEntry): Promise<void> {
    if (this.editor?.open && this.editor.state.image.id === entry.id) return;
    setStatus(`Opening ${entry.name}`, 0.2);
    const state = await api.openSession(entry.id);
    const next = await Editor.start(state, this.hostFor(state));
    const left = this.editor;
    this.editor = next;
    left?.close();
    veil.hidden = true;
    location.replace(`#${entry.id}`);
    document.title = `${entry.name} · Saccade`;
    imageName.textContent = entry.name;
    this.host.opened(next, true);
    setStatus("", null);
    this.showStrip();
  }

  private hostFor(state: SessionState): EditorHost {
    const current = () => this.editor?.state.session === state.session;
    const { changed, painted, regions, wantsUncertainty, remarks } = this.host;
    return {
      changed, painted, regions, wantsUncertainty, remarks,
      status: setStatus,
      error: showError,
      connection: (connected) => (offline.hidden = connected),
      saved: (any) => this.markSaved(state.image.id, any),
      closed: (detail) => { if (current()) this.closed(detail); },
      gone: () => { if (current()) void this.comeBack(); },
      replaced: () => { if (current()) void this.comeBack(true); },
    };
  }

  private closed(detail: string): void {
    this.editor?.abandon();
    const again = h("button", { type: "button", class: "wide", click: () => void this.comeBack() }, "Open it here");
    cover(detail, again);
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
        this.host.opened(this.editor, replaced);
        const entry = this.entries.find((i) => i.id === state.image.id);
        if (replaced && entry) {
          entry.replaced = (entry.replaced ?? 0) + 1;
          this.showStrip();
        }
      } catch (problem) {
        if (problem instanceof api.ApiError && problem.status === 0 && left.open) setTimeout(() => void this.comeBack(), 2000);
        else this.closed(problem instanceof Error ? problem.message : String(problem));
      }
    });
    return this.opening;
  }

  private showStrip(): void {
    fillStrip(this.entries, this.editor?.state.image.id, (entry) => void this.open(entry));
    this.host.counted(this.entries.length);
  }

  private markSaved(image: string, any: boolean): void {
    const entry = this.entries.find((i) => i.id === image);
    if (!entry || entry.has_strokes === any) return;
    entry.has_strokes = any;
    this.showStrip();
  }
}
