// The list of images: thumbnails with masks, what is done, which is next. Only the rows that can be
// seen exist, however many images there are.

import { h, icon } from "./dom";
import { holderName, isElsewhere } from "./holders";
import { t } from "./language";
import type { ImageEntry } from "./protocol";

export type Order = "all" | "open" | "unsure";

export interface QueueHost {
  open(entry: ImageEntry): void;
  toggleDone(): void;
}

const ROW = 62;
const BEYOND = 4;
const ORDERS: [Order, string][] = [["all", t("orderAll")], ["open", t("orderOpen")], ["unsure", t("orderUnsure")]];

/** The images of a search in an order. */
export function arranged(entries: ImageEntry[], order: Order, search: string): ImageEntry[] {
  const words = search.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const found = entries.filter((e) => words.every((word) => `${e.folder}/${e.name}`.toLowerCase().includes(word)));
  if (order === "all") return found;
  const open = found.filter((e) => e.status !== "done");
  if (order === "open") return open;
  // Without strokes before those with some; of each, what is known to be unsure first.
  const rank = (e: ImageEntry) => (e.problem ? 3 : e.status === "strokes" ? 2 : e.uncertainty === null ? 1 : 0);
  return open
    .map((entry, i) => ({ entry, i }))
    .sort((a, b) => rank(a.entry) - rank(b.entry) || (b.entry.uncertainty ?? 0) - (a.entry.uncertainty ?? 0) || a.i - b.i)
    .map(({ entry }) => entry);
}

/** What the row of an image says. */
export function stateText(entry: ImageEntry): string {
  if (entry.problem) return t("unreadable");
  if (isElsewhere(entry)) return t("openIn", { who: holderName(entry.holder!) });
  if (entry.status === "done") return t("done");
  const strokes = entry.status === "strokes" ? t("drawn") : "";
  const share = Math.max(1, Math.round(100 * (entry.uncertainty ?? 0)));
  const doubt = entry.uncertainty === null ? "" : entry.sure ? t("sure") : t("unsure", { share });
  const unlike = entry.unlike ? t("unlike") : "";
  return [strokes, unlike, doubt].filter((part) => part !== "").join(" · ") || t("noStrokes");
}

export class Queue {
  readonly element: HTMLElement;
  private entries: ImageEntry[] = [];
  private current: string | undefined;
  private order: Order = "all";
  private rows = new Map<string, { element: HTMLElement; looks: string }>();
  /** Thumbnails that cannot be made; asked for again once the image or its mask is another. */
  private missing = new Set<string>();
  private search: HTMLInputElement;
  private viewport = h("div", { class: "queue-list", "data-testid": "queue-list", scroll: () => this.draw() });
  private space = h("div", { class: "queue-space" });
  private none = h("p", { class: "queue-none", hidden: true });
  private counts = h("span", { class: "value", "data-testid": "queue-counts" });

  constructor(private host: QueueHost) {
    this.search = h("input", {
      type: "text", class: "queue-search", placeholder: t("search"), "aria-label": t("searchLabel"), "data-testid": "queue-search",
      input: () => this.arrange(true),
      keydown: (e: KeyboardEvent) => {
        if (e.key === "Escape") { this.search.value = ""; this.arrange(true); this.search.blur(); }
        if (e.key === "Enter" && this.shown[0]) { this.search.blur(); host.open(this.shown[0]); }
      },
    });
    const order = h("select", { "aria-label": t("whichImages"), "data-testid": "queue-order", change: () => {
      this.order = order.value as Order;
      this.arrange(true);
    } }, ...ORDERS.map(([value, title]) => h("option", { value }, title)));
    const done = h("button", { type: "button", class: "wide", title: t("doneTitle"), "data-testid": "done", click: () => host.toggleDone() });
    done.append(icon("check"), h("span", {}, t("doneNext")));
    this.done = done;
    this.viewport.append(this.space, this.none);
    this.element = h("nav", { class: "queue", "aria-label": t("images"), hidden: true },
      h("div", { class: "queue-head" },
        h("div", { class: "row" }, h("h2", {}, t("images")), this.counts), this.search, order),
      this.viewport,
      h("div", { class: "queue-foot" }, done));
    new ResizeObserver(() => this.draw()).observe(this.viewport);
  }

  /** The images in the order in which they stand there now. */
  shown: ImageEntry[] = [];
  private done: HTMLButtonElement;

  show(entries: ImageEntry[], current: string | undefined): void {
    const moved = current !== this.current;
    this.entries = entries;
    this.current = current;
    this.element.hidden = entries.length < 2;
    const done = entries.filter((e) => e.status === "done").length;
    this.counts.textContent = t("doneOf", { done, count: entries.length });
    const isDone = entries.find((e) => e.id === current)?.status === "done";
    this.done.querySelector("span")!.textContent = t(isDone ? "notDone" : "doneNext");
    this.arrange(false);
    if (moved) this.reveal();
  }

  focusSearch(): void {
    document.body.classList.add("queue-open");
    document.body.classList.remove("no-queue");
    this.search.focus();
  }

  private arrange(fromTop: boolean): void {
    this.shown = arranged(this.entries, this.order, this.search.value);
    this.space.style.height = `${this.shown.length * ROW}px`;
    this.none.hidden = this.shown.length > 0;
    this.none.textContent = t(this.search.value ? "noneNamed" : "noneLeft");
    if (fromTop) this.viewport.scrollTop = 0;
    this.draw();
  }

  private reveal(): void {
    const at = this.shown.findIndex((e) => e.id === this.current);
    if (at < 0) return;
    const { scrollTop, clientHeight } = this.viewport;
    if (at * ROW < scrollTop) this.viewport.scrollTop = at * ROW;
    else if ((at + 1) * ROW > scrollTop + clientHeight) this.viewport.scrollTop = (at + 1) * ROW - clientHeight;
  }

  private draw(): void {
    const { scrollTop, clientHeight } = this.viewport;
    const first = Math.max(0, Math.floor(scrollTop / ROW) - BEYOND);
    const last = Math.min(this.shown.length, Math.ceil((scrollTop + clientHeight) / ROW) + BEYOND);
    const left = new Set(this.rows.keys());
    for (let i = first; i < last; i++) {
      const entry = this.shown[i];
      left.delete(entry.id);
      const looks = JSON.stringify([entry, entry.id === this.current]);
      let row = this.rows.get(entry.id);
      if (row?.looks !== looks) {
        const element = this.row(entry);
        if (row) row.element.replaceWith(element);
        else this.space.append(element);
        row = { element, looks };
        this.rows.set(entry.id, row);
      }
      row.element.style.transform = `translateY(${i * ROW}px)`;
    }
    for (const id of left) {
      this.rows.get(id)!.element.remove();
      this.rows.delete(id);
    }
  }

  private row(entry: ImageEntry): HTMLElement {
    const path = entry.folder ? `${entry.folder}/${entry.name}` : entry.name;
    const version = `${entry.replaced ?? 0}.${entry.mask}`;
    const source = `/api/images/${entry.id}/thumbnail?mask=true&v=${version}`;
    const picture: HTMLElement = entry.problem || this.missing.has(source)
      ? h("span", { class: "broken" }, icon("broken"))
      : h("img", { src: source, alt: "", draggable: "false", error: () => {
        this.missing.add(source);
        picture.replaceWith(h("span", { class: "broken" }, icon("broken")));
      } });
    const mark = h("span", { class: `mark ${entry.problem ? "problem" : entry.status}${entry.sure ? " sure" : ""}` }, entry.status === "done" ? icon("check") : null);
    return h("button", {
      type: "button", class: "queue-row", title: entry.problem || path, "aria-current": String(entry.id === this.current),
      "data-testid": `image-${entry.name}`, click: () => this.host.open(entry),
    }, picture, h("span", { class: "queue-text" }, h("span", { class: "queue-name" }, path), h("span", { class: "queue-state" }, mark, stateText(entry))));
  }
}
