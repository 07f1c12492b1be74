// SPDX-License-Identifier: Apache-2.0
// The recording from left to right, one row an object: spans, key frames, the frame shown.

import { fitCanvas } from "./draw.js";

const EDGE_PX = 8;
const TOP_PX = 4;
const AXIS_PX = 16;

const place = (number, count, width) =>
  EDGE_PX + (count > 1 ? number / (count - 1) : 0.5) * (width - 2 * EDGE_PX);

export function frameAt(canvas, x, count) {
  const { left, width } = canvas.getBoundingClientRect();
  const part = (x - left - EDGE_PX) / (width - 2 * EDGE_PX);
  return Math.min(count - 1, Math.max(0, Math.round(part * (count - 1))));
}

export function drawTimeline(canvas, objects, chosen, frame, times) {
  const { pen, width, height } = fitCanvas(canvas);
  const at = number => place(number, times.length, width);
  const rows = Math.max(1, objects.length);
  const pitch = Math.min(16, (height - TOP_PX - AXIS_PX) / rows);
  drawAxis(pen, width, height, times);
  objects.forEach((item, row) => {
    const y = TOP_PX + pitch * (row + 0.5);
    const isChosen = item.id === chosen;
    const bar = (spans, color, thick) => spans.forEach(([a, b]) => {
      pen.fillStyle = color;
      pen.fillRect(at(a), y - thick / 2, Math.max(2, at(b) - at(a)), thick);
    });
    pen.globalAlpha = isChosen ? 0.6 : 0.3;
    bar(item.spans, item.color, Math.max(2, pitch * 0.45));
    pen.globalAlpha = 1;
    bar(item.straight, "#c9a227", 2);
    bar(item.folded, "#b3402f", Math.max(2, pitch * 0.45));
    for (const key of item.keys) drawKey(pen, at(key), y, pitch * 0.42, item, key, isChosen);
  });
  pen.fillStyle = "#28323c";
  pen.fillRect(at(frame) - 0.75, 0, 1.5, height - AXIS_PX + 4);
}

// A diamond; flat on the right where the object leaves.
function drawKey(pen, x, y, size, item, key, isChosen) {
  const leaves = item.leaves.includes(key);
  const points = leaves
    ? [[x - size, y], [x, y - size], [x + 1, y - size], [x + 1, y + size], [x, y + size]]
    : [[x - size, y], [x, y - size], [x + size, y], [x, y + size]];
  pen.beginPath();
  points.forEach(([px, py], i) => (i ? pen.lineTo(px, py) : pen.moveTo(px, py)));
  pen.closePath();
  Object.assign(pen, { fillStyle: item.color, strokeStyle: isChosen ? "#28323c" : "#fff",
    lineWidth: 1 });
  pen.fill();
  pen.stroke();
}

function drawAxis(pen, width, height, times) {
  const y = height - AXIS_PX;
  const last = times[times.length - 1];
  pen.fillStyle = "#dfe4e8";
  pen.fillRect(EDGE_PX, y + 3, width - 2 * EDGE_PX, 1);
  Object.assign(pen, { font: "11px system-ui, 'DejaVu Sans', sans-serif", fillStyle: "#5d6b78",
    textBaseline: "bottom", textAlign: "left" });
  pen.fillText("0 s", EDGE_PX, height);
  pen.textAlign = "right";
  pen.fillText(`${last.toFixed(1)} s`, width - EDGE_PX, height);
}
