import { expect, it } from "vitest";
import { packed } from "../src/color";
import { sides } from "../src/painter";
import { decodeResult, expandRuns } from "../src/protocol";

function message(header: object, runs: number[], uncertainty: number[]): ArrayBuffer {
  let text = JSON.stringify(header);
  while (text.length % 4) text += " ";
  const bytes = new Uint8Array(4 + text.length + 4 * runs.length + uncertainty.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, text.length, true);
  bytes.set(new TextEncoder().encode(text), 4);
  runs.forEach((run, i) => view.setUint32(4 + text.length + 4 * i, run, true));
  bytes.set(uncertainty, 4 + text.length + 4 * runs.length);
  return bytes.buffer;
}

it("decodes a result", () => {
  const header = { type: "result", revision: 7, final: true, width: 3, height: 2, values: [0, 5], runs: 3, seconds: 0.1, uncertainty: { width: 2, height: 1 } };
  const result = decodeResult(message(header, [2 * 256, 3 * 256 + 1, 256], [9, 200]));
  expect(result.header.revision).toBe(7);
  expect([...expandRuns(result.runs, 6)]).toEqual([0, 0, 1, 1, 1, 0]);
  expect([...result.uncertainty!]).toEqual([9, 200]);
});

it("has no uncertainty where none was asked for", () => {
  const header = { type: "result", revision: 0, final: false, width: 1, height: 1, values: [0], runs: 1, seconds: 0, uncertainty: null };
  expect(decodeResult(message(header, [256], [])).uncertainty).toBeNull();
});

it("finds the sides between classes, joined to long lines", () => {
  const labels = Uint8Array.from([0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0]);
  const found: string[] = [];
  const edges = sides(labels, 4, 4, 1);
  for (let i = 0; i < edges.length; i += 4) found.push([...edges.slice(i, i + 4)].join(" "));
  expect(found.sort()).toEqual(["1 1 1 3", "1 1 3 1", "1 3 3 3", "3 1 3 3"]);
});

it("packs a colour as its bytes lie in memory", () => {
  expect([...new Uint8Array(Uint32Array.of(packed("#1280ff")).buffer)]).toEqual([0x12, 0x80, 0xff, 255]);
});
