// The HTTP side: lists, sessions, files.

import type { ImageEntry, SessionState, StrokeDocument } from "./protocol";

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
    throw new ApiError("the server does not answer", 0);
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

export async function openSession(image: string): Promise<SessionState> {
  const headers = { "Content-Type": "application/json" };
  const body = JSON.stringify({ image });
  return (await call("/api/sessions", { method: "POST", headers, body })).json() as Promise<SessionState>;
}

export function closeSession(session: string): void {
  void fetch(`/api/sessions/${session}`, { method: "DELETE", keepalive: true }).catch(() => undefined);
}

export async function loadPhoto(image: string): Promise<ImageBitmap> {
  const response = await call(`/api/images/${image}/file`);
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

export async function download(session: string, format: string, name: string): Promise<void> {
  const response = await call(`/api/sessions/${session}/mask?format=${encodeURIComponent(format)}`);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
