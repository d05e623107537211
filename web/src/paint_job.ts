// What the painter is told: the runs of a result, and a color for each of its classes.

import { packed } from "./color";
import type { PaintJob } from "./painter";
import type { Result, StrokeClass } from "./protocol";

export function paintJob(id: number, result: Result, classes: StrokeClass[], palette: string[], hidden: Set<number>): PaintJob {
  const { header, runs, uncertainty } = result;
  const known = new Map(classes.map((c) => [c.value, c.color ?? "#888888"]));
  // One object on a background: the photograph shows best where nothing is.
  const plain = known.size <= 2 ? 0 : (header.provisional[0] ?? null);
  const colors = Uint32Array.from(header.values, (value) =>
    value === plain || hidden.has(value) ? 0 : packed(known.get(value) ?? palette[value] ?? "#888888"),
  );
  const map = header.uncertainty && uncertainty ? { ...header.uncertainty, values: uncertainty } : null;
  return { id, width: header.width, height: header.height, runs, colors, uncertainty: map, values: header.values, final: header.final };
}
