// SPDX-License-Identifier: Apache-2.0
// Where the frame lies on the canvas. Frame coordinates have pixel centres at whole numbers, so
// the frame's top-left edge is at (-0.5, -0.5); canvas coordinates are CSS pixels from the edge.

export const LADDER = [0.125, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48];

export class View {
  constructor() {
    this.zoom = 1;
    this.left = 0; // of the frame's top-left edge on the canvas
    this.top = 0;
    this.width = 1; // of the canvas
    this.height = 1;
  }

  frameFromCanvas([x, y]) {
    return [(x - this.left) / this.zoom - 0.5, (y - this.top) / this.zoom - 0.5];
  }

  canvasFromFrame([x, y]) {
    return [(x + 0.5) * this.zoom + this.left, (y + 0.5) * this.zoom + this.top];
  }

  // Zoom so that what lies under a canvas point stays there.
  zoomAt([x, y], zoom) {
    const limited = Math.min(LADDER[LADDER.length - 1], Math.max(LADDER[0], zoom));
    const part = limited / this.zoom;
    this.left = x - (x - this.left) * part;
    this.top = y - (y - this.top) * part;
    this.zoom = limited;
    this.align();
  }

  step(at, direction) {
    const next = direction > 0
      ? LADDER.find(zoom => zoom > this.zoom * 1.001)
      : LADDER.findLast(zoom => zoom < this.zoom * 0.999);
    if (next) this.zoomAt(at, next);
  }

  move(dx, dy) {
    this.left += dx;
    this.top += dy;
    this.align();
  }

  fit(width, height) {
    const room = Math.min((this.width - 48) / width, (this.height - 48) / height);
    this.zoom = room > 1 ? Math.floor(room * 4) / 4 : Math.max(room, LADDER[0]);
    this.left = (this.width - width * this.zoom) / 2;
    this.top = (this.height - height * this.zoom) / 2;
    this.align();
  }

  // Bring a frame point to the middle of the canvas when it is outside.
  show(point) {
    const [x, y] = this.canvasFromFrame(point);
    if (x < 0 || y < 0 || x > this.width || y > this.height) {
      this.move(this.width / 2 - x, this.height / 2 - y);
    }
  }

  // Whole device pixels keep the frame's pixels of one size.
  align() {
    const scale = window.devicePixelRatio || 1;
    this.left = Math.round(this.left * scale) / scale;
    this.top = Math.round(this.top * scale) / scale;
  }
}
