// SPDX-License-Identifier: Apache-2.0
// Draws the frame with its labels, and the magnifier.

export const CORNERS = ["top-left", "top-right", "bottom-right", "bottom-left"];
const SHORT = ["TL", "TR", "BR", "BL"];
const HALO = "rgba(15, 20, 25, 0.55)";
const MAGNIFIER_PX = 208;

export function fitCanvas(canvas) {
  const scale = window.devicePixelRatio || 1;
  const { width, height } = canvas.getBoundingClientRect();
  const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const pen = canvas.getContext("2d");
  pen.setTransform(w / width, 0, 0, h / height, 0, 0);
  pen.clearRect(0, 0, width, height);
  return { pen, width, height };
}

function drawImage(pen, image, view) {
  pen.imageSmoothingEnabled = view.zoom < 1;
  pen.imageSmoothingQuality = "high";
  pen.drawImage(image, view.left, view.top, image.width * view.zoom, image.height * view.zoom);
}

function line(pen, points, closed, color, width) {
  pen.beginPath();
  points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  if (closed) pen.closePath();
  Object.assign(pen, { strokeStyle: color, lineWidth: width });
  pen.stroke();
}

// A line that is seen on any ground.
function stroke(pen, points, color, width, closed) {
  const dash = pen.getLineDash();
  pen.setLineDash([]);
  line(pen, points, closed, HALO, width + 1.5);
  pen.setLineDash(dash);
  line(pen, points, closed, color, width);
}

// An outline; dashed where it was not clicked, dotted on straight lines, its top edge thick.
function outline(pen, label, color, view, isChosen) {
  const points = label.corners.map(corner => view.canvasFromFrame(corner));
  pen.setLineDash({ key: [], interpolated: [7, 4], straight: [2, 4] }[label.origin]);
  stroke(pen, points, color, isChosen ? 1.75 : 1.25, true);
  pen.setLineDash([]);
  stroke(pen, points.slice(0, 2), color, isChosen ? 3.5 : 2.5, false);
  return points;
}

function handle(pen, [x, y], color, isChosen) {
  pen.beginPath();
  pen.arc(x, y, isChosen ? 8 : 6, 0, 2 * Math.PI);
  Object.assign(pen, { strokeStyle: HALO, lineWidth: isChosen ? 4 : 3 });
  pen.stroke();
  Object.assign(pen, { strokeStyle: isChosen ? "#fff" : color, lineWidth: isChosen ? 2 : 1.5 });
  pen.stroke();
}

function text(pen, words, x, y, color, align = "center") {
  Object.assign(pen, { font: "600 12px system-ui, 'DejaVu Sans', sans-serif", textAlign: align,
    textBaseline: "middle", lineWidth: 3, strokeStyle: HALO, fillStyle: color });
  pen.strokeText(words, x, y);
  pen.fillText(words, x, y);
}

function outwards(points, i, far) {
  const middle = [0, 1].map(k => points.reduce((sum, p) => sum + p[k], 0) / points.length);
  const [dx, dy] = [points[i][0] - middle[0], points[i][1] - middle[1]];
  const length = Math.hypot(dx, dy) || 1;
  return [points[i][0] + (far * dx) / length, points[i][1] + (far * dy) / length];
}

// A cross that leaves its middle free.
function cross(pen, [x, y], arm, gap, color) {
  for (const [width, ink] of [[3.5, "rgba(15, 20, 25, 0.7)"], [1.5, color]]) {
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      const arms = [[x + gap * dx, y + gap * dy], [x + arm * dx, y + arm * dy]];
      line(pen, arms, false, ink, width);
    }
  }
}

function drawLabels(pen, scene, view) {
  for (const label of scene.labels) {
    const isChosen = label.id === scene.chosen;
    const color = scene.colors.get(label.id) || "#fff";
    const points = outline(pen, label, color, view, isChosen);
    if (isChosen) {
      points.forEach((p, i) => handle(pen, p, color, i === scene.corner));
      points.forEach((_, i) => text(pen, SHORT[i], ...outwards(points, i, 18), "#fff"));
    }
    const low = points.reduce((a, b) => (b[1] > a[1] ? b : a));
    text(pen, label.id, low[0], low[1] + (isChosen ? 36 : 16), color);
  }
  const draft = scene.draft.map(corner => view.canvasFromFrame(corner));
  if (draft.length) {
    const points = scene.pointer ? [...draft, view.canvasFromFrame(scene.pointer)] : draft;
    stroke(pen, points, "#fff", 1.25, points.length > 2);
    draft.forEach(p => handle(pen, p, "#fff", false));
  }
}

export function drawPicture(canvas, scene, view) {
  const { pen, width, height } = fitCanvas(canvas);
  [view.width, view.height] = [width, height];
  if (scene.image) drawImage(pen, scene.image, view);
  drawLabels(pen, scene, view);
  if (scene.pointer) cross(pen, view.canvasFromFrame(scene.pointer), 13, 4, "#fff");
}

// A circle around one frame point, three times as large as the picture and eight times at least.
export function drawMagnifier(canvas, scene, view, at) {
  canvas.hidden = !at || !scene.image;
  if (canvas.hidden) return;
  const { pen } = fitCanvas(canvas);
  const zoom = Math.max(8, Math.min(48, 3 * view.zoom));
  const half = MAGNIFIER_PX / 2;
  const near = Object.create(view);
  const [left, top] = at.map(value => half - (value + 0.5) * zoom);
  Object.assign(near, { zoom, left, top });
  pen.fillStyle = "#39434d";
  pen.fillRect(0, 0, MAGNIFIER_PX, MAGNIFIER_PX);
  drawImage(pen, scene.image, near);
  // Thin lines only: nothing hides the edges that corners are placed on.
  const outlines = scene.labels.map(label => [label.corners, scene.colors.get(label.id)]);
  for (const [corners, color] of [...outlines, [scene.draft, "#fff"]]) {
    const points = corners.map(corner => near.canvasFromFrame(corner));
    line(pen, points, points.length === 4, color || "#fff", 1);
  }
  cross(pen, [half, half], half, 5, "rgba(255, 255, 255, 0.85)");
  text(pen, `${at[0].toFixed(1)}, ${at[1].toFixed(1)}`, half, MAGNIFIER_PX - 30, "#fff");
}
