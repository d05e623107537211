// The live socket: reconnects by itself and then sends the strokes again, so that nothing is lost.

import { t } from "./language";
import { decodeResult, type Result, type ServerMessage, type StrokeDocument } from "./protocol";

export interface LiveEvents {
  message(message: ServerMessage): void;
  result(result: Result): void;
  connection(connected: boolean): void;
  /** The server is back, but no longer knows the session: it was started anew, or waited too long. */
  gone(): void;
}

const LONGEST_PAUSE = 8000;
const FINAL_CODES = new Set([4401, 4403, 4404, 4409]);
const UNKNOWN = 4404;

export class Live {
  private socket: WebSocket | null = null;
  private attempts = 0;
  private timer = 0;
  private ended = false;
  private greeted = false;
  private unsent: { revision: number; document: StrokeDocument } | null = null;

  constructor(
    private session: string,
    private mostBytes: number,
    private events: LiveEvents,
  ) {
    this.connect();
  }

  /** Sends all strokes; while there is no connection the newest wait for it. */
  sendStrokes(revision: number, document: StrokeDocument): void {
    this.unsent = { revision, document };
    this.flush();
  }

  send(message: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  /** The strokes that the server has kept up to now. */
  saved(revision: number): void {
    if (this.unsent && this.unsent.revision <= revision) this.unsent = null;
  }

  get waiting(): boolean {
    return this.unsent !== null;
  }

  close(): void {
    this.ended = true;
    clearTimeout(this.timer);
    this.socket?.close();
  }

  private flush(): void {
    if (!this.unsent) return;
    const text = JSON.stringify({ type: "strokes", whole: true, ...this.unsent });
    if (text.length <= this.mostBytes) this.socket?.readyState === WebSocket.OPEN && this.socket.send(text);
    else {
      const detail = t("tooManyStrokes", { size: Math.floor(this.mostBytes / 2 ** 20) });
      this.events.message({ type: "error", revision: this.unsent.revision, detail });
    }
  }

  private connect(): void {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/api/sessions/${this.session}/live`);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => {
      this.attempts = 0;
      this.events.connection(true);
      this.flush();
    };
    socket.onmessage = (event) => {
      this.greeted = true;
      if (typeof event.data === "string") this.events.message(JSON.parse(event.data) as ServerMessage);
      else this.events.result(decodeResult(event.data as ArrayBuffer));
    };
    socket.onclose = (event) => {
      if (this.ended) return;
      this.events.connection(false);
      if (FINAL_CODES.has(event.code)) {
        this.ended = true;
        if (event.code === UNKNOWN && this.greeted) {
          this.events.gone();
          return;
        }
        this.events.message({ type: "closed", detail: event.reason || t("notOpenHere") });
        return;
      }
      this.attempts++;
      this.timer = window.setTimeout(() => this.connect(), Math.min(LONGEST_PAUSE, 250 * 2 ** this.attempts));
    };
  }
}
