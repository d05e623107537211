// Writes build.json beside the built page: which sources it was built from.
//
// The rule, so that others can check it: take package.json, index.html, tsconfig.json, vite.config.ts
// and all files below src/, as paths relative to web/ with forward slashes, sorted by code point;
// SHA-256 over, for each, the path in UTF-8, a zero byte, the file's bytes, a zero byte.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";

const fixed = ["package.json", "index.html", "tsconfig.json", "vite.config.ts"];
const below = readdirSync("src", { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => `${entry.parentPath}/${entry.name}`.replaceAll("\\", "/"));
const hash = createHash("sha256");
for (const path of [...fixed, ...below].sort()) {
  hash.update(path).update("\0").update(readFileSync(path)).update("\0");
}
const target = "../src/saccade/serve/page/build.json";
writeFileSync(target, JSON.stringify({ sources: hash.digest("hex") }, null, 2) + "\n");
