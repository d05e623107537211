// Which language the page speaks: that of the browser, until somebody chooses another.

import type { StrokeClass } from "./protocol";
import { KEYS, TEXTS } from "./texts";

export type Text = keyof typeof TEXTS;
type Values = Record<string, string | number>;

const KEY = "saccade-language";
/** By their place in a row of `TEXTS`, each by its own name. */
export const LANGUAGES = [["en", "English"], ["de", "Deutsch"]] as const;
/** Marks each text, so that a test sees what is none. */
const MARKED = "marked";

function spoken(): string {
  const wanted = [localStorage.getItem(KEY), ...navigator.languages].filter((one) => one !== null);
  const known = [...LANGUAGES.map(([code]) => code as string), MARKED];
  return wanted.map((one) => one.toLowerCase().split("-")[0]).find((one) => known.includes(one)) ?? "en";
}

const language = typeof localStorage === "undefined" ? "en" : spoken();
const place = Math.max(0, LANGUAGES.findIndex(([code]) => code === language));

/** The language that somebody chose; "" for that of the browser. */
export function chosenLanguage(): string {
  return localStorage.getItem(KEY) ?? "";
}

/** Speak another language from now on; "" for that of the browser. */
export function chooseLanguage(code: string): void {
  if (code) localStorage.setItem(KEY, code);
  else localStorage.removeItem(KEY);
  location.reload();
}

export function setDocumentLanguage(): void {
  document.documentElement.lang = LANGUAGES[place][0];
}

/** A text with its values. */
export function t(key: Text, values: Values | StrokeClass = {}): string {
  const given = values as Record<string, unknown>;
  const text: string = TEXTS[key][place].replace(/\{(\w+)\}/g, (_, name: string) => String(given[name] ?? ""));
  return language === MARKED ? `⟦${text}⟧` : text;
}

/** A text whose key is known only while the page runs, or `other` where there is none. */
export function textOr(key: string, other: string): string {
  return key in TEXTS ? t(key as Text) : other;
}

/** A text whose **parts** are bold. */
export function rich(key: Text, values: Values = {}): (string | HTMLElement)[] {
  return t(key, values).split("**").map((part, i) => {
    if (i % 2 === 0) return part;
    const bold = document.createElement("b");
    bold.textContent = part;
    return bold;
  });
}

/** "Ctrl Z" as it stands on keys. */
export function keyName(keys: string): string {
  return keys.split(" ").map((one) => KEYS[one]?.[place] ?? one).join(" ");
}
