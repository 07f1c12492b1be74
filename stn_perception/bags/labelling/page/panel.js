// SPDX-License-Identifier: Apache-2.0
// Everything around the picture: hints, objects, buttons, the state of saving.

import { CORNERS } from "./draw.js";

const element = id => document.getElementById(id);

function hint(app) {
  const item = app.object();
  if (app.isLocked) return "The server does not answer. Start stn label again and open its new "
    + "address; all that was saved is there.";
  if (app.isPlacing) {
    const name = app.isNew ? "a new object" : `'${app.chosen}' in this frame`;
    const corner = CORNERS[app.draft.length];
    return `Click the ${corner} corner of the upright object (${app.draft.length + 1} of 4), `
      + `for ${name}.`;
  }
  if (!item) return "Choose an object, or make a new one.";
  if (app.corner !== null) {
    return `The ${CORNERS[app.corner]} corner is chosen: arrows move it by 0.1 px, with Shift `
      + "by 1 px.";
  }
  const origin = app.label()?.origin;
  if (origin === "interpolated") return "Interpolated. Drag a corner where it is off: that makes "
    + "a key frame.";
  if (origin === "straight") return "Corners lie on straight lines here: half a turn between the "
    + "key frames leaves no other way. Add a key frame between.";
  return "A key frame. Go on to where the motion changes, and place the object again.";
}

function fillObjects(app) {
  const rows = app.state.objects.map(item => {
    const row = document.createElement("li");
    row.className = item.id === app.chosen ? "chosen" : "";
    if (!app.label(item.id)) row.classList.add("absent");
    const swatch = Object.assign(document.createElement("span"), { className: "swatch" });
    swatch.style.background = item.color;
    const name = document.createElement("span");
    name.textContent = item.class_id ? `${item.id} · ${item.class_id}` : item.id;
    const keys = document.createElement("small");
    keys.textContent = item.keys.length === 1 ? "1 key" : `${item.keys.length} keys`;
    row.append(swatch, name, keys);
    row.addEventListener("click", () => app.choose(item.id));
    return row;
  });
  element("objects").replaceChildren(...rows);
}

function fillFields(app, item) {
  element("about").hidden = !item;
  if (!item) return;
  const fill = (id, value) => {
    if (document.activeElement !== element(id)) element(id).value = value;
  };
  fill("id", item.id);
  fill("class", item.class_id);
  fill("symmetry", String(item.symmetry));
  const classes = [...new Set(app.state.objects.map(o => o.class_id))].filter(Boolean);
  element("classes").replaceChildren(...classes.map(value =>
    Object.assign(document.createElement("option"), { value })));
  element("carry").disabled = !item.keys.length || app.isKeyHere;
  element("fix").disabled = !app.label() || app.isKeyHere;
  element("unplace").disabled = !app.isKeyHere;
  element("leave").disabled = !app.label();
  element("leave").textContent = app.leavesHere ? "Object stays here" : "Object leaves here";
}

function saving(app) {
  const { count, isReached } = app.edits;
  const changes = count === 1 ? "1 change" : `${count} changes`;
  if (!isReached) return ["lost", count ? `${changes} not saved: no server` : "no server"];
  if (!app.state.saved) return ["lost", "not saved"];
  return count ? ["waiting", "saving …"] : ["done", "all saved"];
}

export function fillPanel(app) {
  const item = app.object();
  const [kind, words] = saving(app);
  Object.assign(element("saved"), { className: kind, textContent: words });
  element("saved").title = app.about ? app.about.output : "";
  element("hint").textContent = hint(app);
  const problem = app.state.problem || app.problem;
  Object.assign(element("problem"), { hidden: !problem, textContent: problem });
  element("undo").disabled = !app.state.undo && !app.draft.length;
  element("redo").disabled = !app.state.redo;
  fillObjects(app);
  fillFields(app, item);
  const note = app.note ? `This frame cannot be shown: ${app.note}` : notes(app);
  Object.assign(element("note"), { hidden: !note, textContent: note });
  if (!app.about) return;
  element("frame").textContent =
    `${app.frame + 1} of ${app.count} · ${app.about.times_s[app.frame].toFixed(2)} s`;
  const at = app.pointer;
  element("place").textContent = `${Math.round(app.view.zoom * 100)} %`
    + (at ? ` · ${at[0].toFixed(2)}, ${at[1].toFixed(2)}` : "");
}

function notes(app) {
  const within = runs => runs.some(([a, b]) => a <= app.frame && app.frame <= b);
  const folded = app.state.objects.filter(item => within(item.folded)).map(item => item.id);
  if (folded.length) return `No label for ${folded.join(", ")} here: add a key frame.`;
  const straight = app.labels.filter(label => label.origin === "straight").map(l => l.id);
  return straight.length ? `On straight lines here: ${straight.join(", ")}` : "";
}

export function connectPanel(app, fit) {
  const on = (id, work) => element(id).addEventListener("click", () => {
    work();
    element("picture").focus(); // so that the keys work again
  });
  on("undo", () => app.takeBack());
  on("redo", () => app.send({ do: "redo" }));
  on("new", () => app.startNew());
  on("carry", () => app.carry());
  on("fix", () => app.fix(false));
  on("leave", () => app.fix(!app.leavesHere));
  on("unplace", () => app.unplace());
  on("remove", () => app.remove());
  on("before", () => app.step(-1));
  on("after", () => app.step(1));
  on("key-before", () => app.keyStep(-1));
  on("key-after", () => app.keyStep(1));
  element("help").addEventListener("click", () => element("keys").showModal());
  const describe = () => app.describe(
    element("id").value, element("class").value.trim(), Number(element("symmetry").value),
  );
  for (const id of ["id", "class", "symmetry"]) {
    element(id).addEventListener("change", describe);
    element(id).addEventListener("keydown", event => {
      if (event.key === "Enter") element("picture").focus();
    });
  }
}
