// SPDX-License-Identifier: Apache-2.0
// Puts the parts of the page together.

import { drawMagnifier, drawPicture } from "./draw.js";
import { connectKeys, connectPointer } from "./input.js";
import { Labeller } from "./labeller.js";
import { connectPanel, fillPanel } from "./panel.js";
import { drawTimeline, frameAt } from "./timeline.js";
import { View } from "./view.js";

const element = id => document.getElementById(id);
const canvas = element("picture"), magnifier = element("magnifier");
const timeline = element("timeline");
const view = new View();
let isAsked = false;

function draw() {
  isAsked = false;
  const scene = {
    image: app.image, labels: app.labels, chosen: app.chosen, corner: app.corner,
    draft: app.draft, pointer: app.pointer,
    colors: new Map(app.state.objects.map(item => [item.id, item.color])),
  };
  drawPicture(canvas, scene, view);
  const corner = app.corner !== null && app.label()?.corners[app.corner];
  const at = app.watched === "corner" && corner ? corner : app.pointer;
  const [x, y] = at ? view.canvasFromFrame(at) : [0, 0];
  magnifier.classList.toggle("left", x > view.width - 260 && y < 260);
  drawMagnifier(magnifier, scene, view, at);
  fillPanel(app);
  if (app.about) {
    drawTimeline(timeline, app.state.objects, app.chosen, app.frame, app.about.times_s);
  }
}

function redraw() {
  if (!isAsked) requestAnimationFrame(draw);
  isAsked = true;
}

const app = new Labeller(view, redraw);
const fit = () => { view.fit(...app.size()); redraw(); };

connectPointer(canvas, app, redraw);
connectKeys(app, fit, redraw);
connectPanel(app, fit);
for (const kind of ["pointerdown", "pointermove"]) {
  timeline.addEventListener(kind, event => {
    if (!event.buttons) return;
    timeline.setPointerCapture(event.pointerId);
    app.go(frameAt(timeline, event.clientX, app.count));
  });
}
addEventListener("resize", redraw);
addEventListener("beforeunload", event => { if (app.edits.count) event.preventDefault(); });

app.start().then(() => {
  const name = app.about.bag.replace(/\/+$/, "").split("/").pop();
  Object.assign(element("bag"), { textContent: name, title: app.about.bag });
  element("topic").textContent = app.about.topic;
  document.title = `${name} · stn label`;
  canvas.focus();
  document.body.dataset.ready = "yes";
}, error => {
  app.problem = error.message;
  redraw();
});
draw();
