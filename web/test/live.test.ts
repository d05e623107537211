import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Live } from "../src/live";

class FakeSocket {
  static OPEN = 1;
  static all: FakeSocket[] = [];
  readyState = 0;
  binaryType = "";
  sent: string[] = [];
  onopen = () => {};
  onmessage = (_: { data: string }) => {};
  onclose = (_: { code: number; reason: string }) => {};

  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {}

  open(): void {
    this.readyState = 1;
    this.onopen();
  }

  end(code: number): void {
    this.readyState = 3;
    this.onclose({ code, reason: "" });
  }
}

const events = () => ({ message: vi.fn(), result: vi.fn(), connection: vi.fn(), gone: vi.fn() });
const empty = { classes: [], items: [] };

beforeEach(() => {
  FakeSocket.all = [];
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("location", { protocol: "http:", host: "here" });
  vi.stubGlobal("window", globalThis);
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("keeps strokes while there is no connection and says when the session is gone", () => {
  const host = events();
  const live = new Live("s", 1e6, host);
  const [first] = FakeSocket.all;
  first.open();
  first.onmessage({ data: JSON.stringify({ type: "pong" }) });
  first.end(1006);
  live.sendStrokes(3, empty);
  expect(live.waiting).toBe(true);
  vi.advanceTimersByTime(1000);
  const second = FakeSocket.all[1];
  second.open();
  second.end(4404);
  expect(host.gone).toHaveBeenCalledOnce();
  expect(host.message.mock.calls.map(([m]) => m.type)).toEqual(["pong"]); // nobody is shut out
  expect(live.waiting).toBe(true);
  vi.advanceTimersByTime(60_000);
  expect(FakeSocket.all).toHaveLength(2);
});

it.each([4404, 4409])("a page that never had the session, or lost it to another, is shut out: %i", (code) => {
  const host = events();
  new Live("s", 1e6, host);
  const [socket] = FakeSocket.all;
  socket.open();
  if (code === 4409) socket.onmessage({ data: JSON.stringify({ type: "pong" }) });
  socket.end(code);
  expect(host.gone).not.toHaveBeenCalled();
  expect(host.message.mock.calls.at(-1)![0].type).toBe("closed");
});
