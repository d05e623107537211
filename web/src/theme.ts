// Light or dark: what the system says until somebody chooses.

const KEY = "saccade-theme";

export function applyTheme(): void {
  const chosen = localStorage.getItem(KEY);
  const dark = chosen ? chosen === "dark" : !window.matchMedia("(prefers-color-scheme: light)").matches;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}

export function toggleTheme(): void {
  const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  localStorage.setItem(KEY, next);
  applyTheme();
}
