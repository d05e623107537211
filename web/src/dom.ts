// A short way to make elements.

type Props = Record<string, string | boolean | number | ((event: never) => void) | undefined>;

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: (Node | string | null)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (typeof value === "function") element.addEventListener(key, value as EventListener);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== undefined) element.setAttribute(key, String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

const PATHS: Record<string, string> = {
  brush: "M4 20c3 0 5-1.2 5-4a3 3 0 0 0-3-3c-2.4 0-3 2-3 4 0 1.4-.5 2.4-1 3zM10 13 19 4a1.8 1.8 0 0 1 2.6 2.6L12.5 15.6",
  eraser: "M8 20h12M5.5 16.5 3.7 14.7a2 2 0 0 1 0-2.8l8.2-8.2a2 2 0 0 1 2.8 0l5.1 5.1a2 2 0 0 1 0 2.8L11.5 20H9zM8 8l8 8",
  remove: "M3 18c3-8 6 1 9-4 1-2 2-3 4-3M15 3l6 6M21 3l-6 6",
  pan: "M12 3v18M3 12h18M12 3 9 6M12 3l3 3M12 21l-3-3M12 21l3-3M3 12l3-3M3 12l3 3M21 12l-3-3M21 12l-3 3",
  paint: "M5 4h14v6H5zM12 10v4M10.500 14h3v6h-3z",
  wipe: "M4 12h16M4 12a8 8 0 0 1 16 0 8 8 0 0 1-16 0z",
  pin: "M9 3h6M10 3v6l-3 4h10l-3-4V3M12 13v8",
  shape: "M6 6 18 8 16 18 7 17zM4.5 4.5h3v3h-3zM16.5 6.500h3v3h-3zM14.500 16.500h3v3h-3zM5.500 15.500h3v3h-3z",
  shown: "M2.5 12C5 7.5 8.200 5.500 12 5.500s7 2 9.500 6.500c-2.500 4.500-5.700 6.500-9.500 6.500S5 16.500 2.500 12zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
  hidden: "M4 4l16 16M9.500 6c.8-.3 1.600-.5 2.500-.5 3.800 0 7 2 9.500 6.500a17 17 0 0 1-2.800 3.700M6 8a16 16 0 0 0-3.500 4C5 16.500 8.200 18.500 12 18.500c1.500 0 2.800-.3 4-.9",
  locked: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  unlocked: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 6.8-1.2",
  fit: "M4 9V5a1 1 0 0 1 1-1h4M15 4h4a1 1 0 0 1 1 1v4M20 15v4a1 1 0 0 1-1 1h-4M9 20H5a1 1 0 0 1-1-1v-4",
  undo: "M9 14 4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3",
  redo: "m15 14 5-5-5-5M20 9H10a6 6 0 0 0 0 12h3",
  clear: "M4 7h16M10 11v6M14 11v6M6 7l1 12a2 2 0 0 0 2 2h6a2 2 0 0 0 2-2l1-12M9 7V5a1 1 0 0 1 1-1h4a1 1 0 0 1 1 1v2",
  previous: "m15 5-7 7 7 7",
  next: "m9 5 7 7-7 7",
  plus: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6 6 18",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6 19 19M5 19l1.4-1.4M17.6 6.4 19 5",
  help: "M9.2 9a3 3 0 1 1 4.3 2.7c-1 .5-1.5 1.2-1.5 2.3M12 17.5v.01M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z",
  export: "M12 4v11M8 11l4 4 4-4M4 17v2a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-2",
  import: "M12 15V4M8 8l4-4 4 4M4 17v2a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-2",
  target: "M12 3v4M12 17v4M3 12h4M17 12h4M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
  note: "M5 4h14v11l-5 5H5zM14 20v-5h5M8.5 8.5h7M8.5 12h4",
  check: "m5 12.5 4.5 4.5L19 7.5",
  broken: "M4 5h16v14H4zM4 15l4-4 4 4 3-3 5 5M20 4 4 20",
  list: "M4 5h5v5H4zM4 14h5v5H4zM13 6.5h7M13 9h4M13 15.5h7M13 18h4",
  panel: "M4 5h16v14H4zM15 5v14",
};

export function icon(name: string): SVGElement {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(namespace, "path");
  path.setAttribute("d", PATHS[name] ?? "");
  svg.append(path);
  return svg;
}

/** A button with an icon; `label` is its tooltip and what a screen reader says. */
export function iconButton(name: string, label: string, testid: string, click: () => void): HTMLButtonElement {
  const button = h("button", { type: "button", class: "icon-button", title: label, "aria-label": label, "data-testid": testid, click });
  button.append(icon(name));
  return button;
}

export function context(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  return canvas.getContext("2d", { desynchronized: false })!;
}
