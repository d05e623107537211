// The HTTP side: lists, sessions, files.

import { windowId } from "./holders";
import { t } from "./language";
import type { FolderState, ImageEntry, SessionState, StackState, StrokeDocument } from "./protocol";

interface ExportState {
  export: string;
  state: "running" | "done" | "failed";
  done: number;
  total: number;
  detail: string;
  remarks: string[];
}

export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

async function call(path: string, options: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new ApiError(t("noAnswer"), 0);
  }
  if (!response.ok) {
    const detail = await response
      .json()
      .then((body: { detail?: unknown }) => String(body.detail ?? response.statusText))
      .catch(() => response.statusText);
    throw new ApiError(detail, response.status);
  }
  return response;
}

export async function listImages(): Promise<ImageEntry[]> {
  return (await call("/api/images")).json() as Promise<ImageEntry[]>;
}

async function send<T>(method: string, path: string, content: object): Promise<T> {
  const headers = { "Content-Type": "application/json" };
  return (await call(path, { method, headers, body: JSON.stringify(content) })).json() as Promise<T>;
}

export function setDone(image: string, done: boolean): Promise<ImageEntry> {
  return send("PATCH", `/api/images/${image}`, { done });
}

export function setFolder(change: { shared?: boolean; connected?: boolean }): Promise<FolderState> {
  return send("PATCH", "/api/folder", change);
}

/** Writes the masks of all images that have one; `told` hears how far it is. What was left out. */
export async function downloadAll(format: string, told: (done: number, total: number) => void): Promise<string[]> {
  let state = await send<ExportState>("POST", `/api/exports?format=${encodeURIComponent(format)}`, {});
  while (state.state === "running") {
    told(state.done, state.total);
    await new Promise((resolve) => setTimeout(resolve, 300));
    state = (await (await call(`/api/exports/${state.export}`)).json()) as ExportState;
  }
  if (state.state === "failed") throw new ApiError(state.detail, 409);
  save(`/api/exports/${state.export}/file`, "masks.zip");
  return state.remarks;
}

export async function downloadModel(): Promise<void> {
  await saveReply(await call("/api/folder/model"), "folder.saccade");
}

/** Begin with the masks of all slices of a stack, which one of them names. */
export async function segmentStack(image: string): Promise<StackState> {
  return send("POST", `/api/images/${image}/stack`, {});
}

export async function stackFile(image: string, name: string): Promise<void> {
  await saveReply(await call(`/api/images/${image}/stack/file`), name);
}

export async function openSession(image: string): Promise<SessionState> {
  return send("POST", "/api/sessions", { image, window: windowId() });
}

export function closeSession(session: string): void {
  void fetch(`/api/sessions/${session}`, { method: "DELETE", keepalive: true }).catch(() => undefined);
}

/** `contrast`: the parts of the range of values, 0 to 1, that become black and white. */
export async function loadPhoto(image: string, contrast: [number, number] = [0, 1]): Promise<ImageBitmap> {
  const [black, white] = contrast;
  const asked = black > 0 || white < 1 ? `?black=${black}&white=${white}` : "";
  const response = await call(`/api/images/${image}/file${asked}`);
  return createImageBitmap(await response.blob());
}

export async function uploadImage(file: File): Promise<ImageEntry> {
  const body = new FormData();
  body.append("file", file, file.name);
  return (await call("/api/images", { method: "POST", body })).json() as Promise<ImageEntry>;
}

export async function importFile(session: string, file: File, as: "strokes" | "mask"): Promise<StrokeDocument & { remarks: string[] }> {
  const body = new FormData();
  body.append("file", file, file.name);
  const path = `/api/sessions/${session}/import?as=${as}`;
  return (await call(path, { method: "POST", body })).json() as Promise<StrokeDocument & { remarks: string[] }>;
}

export function maskAddress(session: string, format: string): string {
  return `/api/sessions/${session}/mask?format=${encodeURIComponent(format)}`;
}

export async function download(session: string, format: string, name: string): Promise<void> {
  await saveReply(await call(maskAddress(session, format)), name);
}

async function saveReply(response: Response, name: string): Promise<void> {
  saveBlob(await response.blob(), name);
}

export function saveBlob(blob: Blob, name: string): void {
  const address = URL.createObjectURL(blob);
  save(address, name);
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

function save(address: string, name: string): void {
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
}
