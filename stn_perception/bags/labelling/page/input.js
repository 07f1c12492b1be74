// SPDX-License-Identifier: Apache-2.0
// Mouse and keyboard.

const GRAB_PX = 11; // how near a corner the mouse takes it
const STILL_PX = 3; // a click may move so far

const distance = ([ax, ay], [bx, by]) => Math.hypot(ax - bx, ay - by);

function isInside([x, y], corners) {
  return corners.every(([ax, ay], i) => {
    const [bx, by] = corners[(i + 1) % 4];
    return (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0;
  });
}

export function connectPointer(canvas, app, redraw) {
  const { view } = app;
  let drag = null;
  // Pointer events tell fractions of a pixel; the canvas has no border.
  const place = event => {
    const { left, top } = canvas.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  };
  const grabbed = at => {
    if (!app.label()) return null;
    const far = app.label().corners.map(corner => distance(view.canvasFromFrame(corner), at));
    const nearest = far.indexOf(Math.min(...far));
    return far[nearest] <= GRAB_PX ? nearest : null;
  };

  canvas.addEventListener("pointerdown", event => {
    const at = place(event);
    canvas.focus();
    canvas.setPointerCapture(event.pointerId);
    const isLeft = event.button === 0 && !app.isLocked;
    const corner = isLeft && !app.isPlacing ? grabbed(at) : null;
    const isWhole = isLeft && event.shiftKey && app.label();
    drag = { at, last: at, corner, kind: "picture", button: event.button, isMoved: false,
      frame: app.frame };
    if (corner !== null || isWhole) {
      drag.kind = "label";
      drag.corner = isWhole ? null : corner;
      drag.start = app.label().corners;
      if (!isWhole) app.chooseCorner(corner);
    }
    event.preventDefault();
  });

  canvas.addEventListener("pointermove", event => {
    const at = place(event);
    app.pointer = view.frameFromCanvas(at);
    app.watched = "pointer";
    if (drag && drag.frame !== app.frame) drag = null;
    if (drag) {
      drag.isMoved ||= distance(at, drag.at) > STILL_PX;
      if (drag.isMoved && drag.kind === "picture") {
        canvas.classList.add("pan");
        view.move(at[0] - drag.last[0], at[1] - drag.last[1]);
      } else if (drag.isMoved) {
        const by = [0, 1].map(k => (at[k] - drag.at[k]) / view.zoom);
        drag.corners = app.shift(app.chosen, drag.start, by, drag.corner);
        if (drag.corner !== null) app.pointer = drag.corners[drag.corner];
      }
      drag.last = at;
    }
    redraw();
  });

  canvas.addEventListener("pointerup", () => {
    const done = drag;
    drag = null;
    canvas.classList.remove("pan");
    if (!done || done.frame !== app.frame) return;
    if (done.kind === "label") {
      if (done.isMoved) app.place(app.chosen, done.corners);
    } else if (!done.isMoved && done.button === 0) {
      click(view.frameFromCanvas(done.at));
    }
    redraw();
  });

  function click(point) {
    if (app.isPlacing) {
      app.click(point);
      return;
    }
    const hit = app.labels.filter(label => isInside(point, label.corners)).map(l => l.id);
    const others = hit.filter(id => id !== app.chosen);
    app.choose(others[0] || hit[0] || null);
  }

  canvas.addEventListener("pointercancel", () => { drag = null; app.refresh(app.frame); });
  canvas.addEventListener("pointerleave", () => { app.pointer = null; redraw(); });
  canvas.addEventListener("contextmenu", event => event.preventDefault());
  canvas.addEventListener("wheel", event => {
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 30 : 1;
    view.zoomAt(place(event), view.zoom * Math.exp(-event.deltaY * lines * 0.002));
    app.pointer = view.frameFromCanvas(place(event));
    event.preventDefault();
    redraw();
  }, { passive: false });
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export function connectKeys(app, fit, redraw) {
  const { view } = app;
  const middle = () => app.pointer
    ? view.canvasFromFrame(app.pointer) : [view.width / 2, view.height / 2];
  const plain = {
    a: event => app.step(event.shiftKey ? -10 : -1),
    d: event => app.step(event.shiftKey ? 10 : 1),
    q: () => app.keyStep(-1),
    e: () => app.keyStep(1),
    n: () => app.startNew(),
    c: () => app.carry(),
    k: () => app.fix(app.leavesHere),
    x: () => app.fix(!app.leavesHere),
    f: fit,
    "+": () => view.step(middle(), 1),
    "=": () => view.step(middle(), 1),
    "-": () => view.step(middle(), -1),
    0: () => view.zoomAt(middle(), 1),
    Delete: () => app.unplace(),
    Backspace: () => app.takeBack(),
    Escape: () => (app.draft.length ? (app.draft = []) : app.choose(null)),
    "?": () => document.getElementById("keys").showModal(),
  };

  document.addEventListener("keydown", event => {
    if (event.target.closest("input, select, dialog") || event.altKey) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.ctrlKey || event.metaKey) {
      if (key === "z") event.shiftKey ? app.send({ do: "redo" }) : app.takeBack();
      else if (key === "y") app.send({ do: "redo" });
      else return;
    } else if (ARROWS[key]) {
      app.nudge(ARROWS[key].map(value => value * (event.shiftKey ? 1 : 0.1)));
    } else if ("1234".includes(key)) {
      app.chooseCorner(Number(key) - 1);
    } else if (key === "Tab" && app.label() && event.target.id === "picture") {
      const next = app.corner === null ? 0 : app.corner + (event.shiftKey ? 3 : 1);
      app.chooseCorner(next % 4);
    } else if (plain[key]) {
      plain[key](event);
    } else {
      return;
    }
    event.preventDefault();
    redraw();
  });
}
