// Where the image lies on the screen. Image coordinates here have (0, 0) at the corner of the upper
// left pixel; strokes are half a pixel off (see protocol.ts).

import type { Point } from "./protocol";

export interface Size {
  width: number;
  height: number;
}

const MOST_ZOOM = 40;
const MARGIN = 24;

export class View {
  scale = 1;
  x = 0;
  y = 0;
  /** Whether the whole image is to stay in sight when the window changes. */
  fitted = true;

  constructor(
    public image: Size,
    public screen: Size,
  ) {
    this.fit();
  }

  fit(): void {
    const margin = Math.min(MARGIN, this.screen.width / 20);
    const room = { width: this.screen.width - 2 * margin, height: this.screen.height - 2 * margin };
    this.scale = Math.max(1e-3, Math.min(room.width / this.image.width, room.height / this.image.height, MOST_ZOOM));
    this.x = (this.screen.width - this.image.width * this.scale) / 2;
    this.y = (this.screen.height - this.image.height * this.scale) / 2;
    this.fitted = true;
  }

  resize(screen: Size): void {
    const before = this.toImage([this.screen.width / 2, this.screen.height / 2]);
    this.screen = screen;
    if (this.fitted) this.fit();
    else this.center(before);
  }

  toScreen([x, y]: Point): Point {
    return [x * this.scale + this.x, y * this.scale + this.y];
  }

  toImage([x, y]: Point): Point {
    return [(x - this.x) / this.scale, (y - this.y) / this.scale];
  }

  pan(dx: number, dy: number): void {
    this.x += dx;
    this.y += dy;
    this.fitted = false;
    this.keepInSight();
  }

  /** Zooms by `factor`; what lies under `at` on the screen stays there. */
  zoom(factor: number, at: Point): void {
    const fixed = this.toImage(at);
    const least = Math.min(1, (0.5 * this.screen.width) / this.image.width, (0.5 * this.screen.height) / this.image.height);
    this.scale = Math.max(least, Math.min(MOST_ZOOM, this.scale * factor));
    this.x = at[0] - fixed[0] * this.scale;
    this.y = at[1] - fixed[1] * this.scale;
    this.fitted = false;
    this.keepInSight();
  }

  center([x, y]: Point): void {
    this.x = this.screen.width / 2 - x * this.scale;
    this.y = this.screen.height / 2 - y * this.scale;
    this.keepInSight();
  }

  /** Shows a box (top, left, bottom, right) of the image with some of what is around it. */
  show([top, left, bottom, right]: [number, number, number, number]): void {
    const wanted = Math.min(this.screen.width / (right - left), this.screen.height / (bottom - top)) / 3;
    this.scale = Math.max(this.scale, Math.min(wanted, 8));
    this.fitted = false;
    this.center([(left + right) / 2, (top + bottom) / 2]);
  }

  private keepInSight(): void {
    const width = this.image.width * this.scale;
    const height = this.image.height * this.scale;
    const rest = 60;
    this.x = Math.max(rest - width, Math.min(this.screen.width - rest, this.x));
    this.y = Math.max(rest - height, Math.min(this.screen.height - rest, this.y));
  }
}
