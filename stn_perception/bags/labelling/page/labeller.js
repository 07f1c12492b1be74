// SPDX-License-Identifier: Apache-2.0
// What is shown and chosen, and everything that can be done to it.

import { Pictures } from "./pictures.js";
import { ask, Edits } from "./server.js";

const copy = corners => corners.map(corner => [...corner]);

export class Labeller {
  constructor(view, redraw) {
    this.view = view;
    this.redraw = redraw;
    this.about = null;
    this.state = { objects: [], saved: true, problem: "", undo: false, redo: false };
    this.frame = 0; // the one shown
    this.wanted = 0; // the one asked for
    this.answers = 0; // how many came
    this.image = null;
    this.labels = []; // of the frame
    this.chosen = null; // id of an object
    this.corner = null; // 0 to 3
    this.isNew = false; // the next four clicks make an object
    this.draft = []; // corners clicked so far
    this.pointer = null; // in the frame
    this.watched = "pointer"; // what the magnifier shows: the pointer or the corner
    this.note = ""; // why there is no picture
    this.problem = "";
    this.pictures = new Pictures();
    this.gesture = 0;
    this.edits = new Edits(
      () => this.frame, (answer, shown) => this.take(answer, shown),
      sentence => this.refused(sentence), () => this.redraw(),
    );
  }

  async start() {
    this.about = await ask("about");
    this.state = await ask("state");
    const first = this.state.objects[0];
    this.chosen = first ? first.id : null;
    this.isNew = !first;
    await this.go(first && first.keys.length ? first.keys[0] : 0);
    this.view.fit(...this.size());
    this.redraw();
  }

  size() { return this.image ? [this.image.width, this.image.height] : [640, 480]; }
  object(id = this.chosen) { return this.state.objects.find(item => item.id === id); }
  label(id = this.chosen) { return this.labels.find(item => item.id === id); }
  get isPlacing() { return this.isNew || (this.chosen !== null && !this.label()); }
  get count() { return this.about.times_s.length; }
  // Nothing is changed while nobody could keep it.
  get isLocked() { return !this.edits.isReached; }

  // --- frames ---

  // What is shown changes all at once, when the picture is there: a click never meets a frame
  // that is not seen yet.
  async go(number) {
    const frame = Math.min(this.count - 1, Math.max(0, number));
    this.wanted = frame;
    const answers = this.answers;
    let note = "";
    const [image, labels] = await Promise.all([
      this.pictures.load(frame).catch(error => { note = error.message; return null; }),
      ask(`frames/${frame}/labels`).catch(() => []), // the state of saving tells of a lost server
    ]);
    if (this.wanted !== frame) return; // gone on meanwhile
    if (frame !== this.frame) this.draft = [];
    this.gesture += 1;
    Object.assign(this, { frame, image, note, labels });
    if (answers !== this.answers) await this.refresh(frame);
    this.keepChoice();
    this.redraw();
    this.pictures.prepare([frame + this.about.step, frame - this.about.step], this.count);
  }

  async refresh(frame) {
    try {
      const labels = await ask(`frames/${frame}/labels`);
      if (this.frame === frame && !this.edits.count) this.labels = labels;
    } catch { /* the state of saving tells that the server is away */ }
  }

  step(count) { return this.go(this.wanted + count * this.about.step); }

  keyStep(direction) {
    const keys = this.object() ? this.object().keys : this.state.objects.flatMap(o => o.keys);
    const sorted = [...keys].sort((a, b) => a - b);
    const found = direction > 0
      ? sorted.find(key => key > this.wanted) : sorted.findLast(key => key < this.wanted);
    if (found !== undefined) this.go(found);
  }

  // --- answers ---

  take(answer, shown) {
    this.answers += 1;
    this.state = answer.state;
    if (shown === this.frame) this.labels = answer.labels;
    else this.refresh(this.frame).then(() => this.redraw());
    this.keepChoice();
    this.redraw();
  }

  async refused(sentence) {
    this.problem = sentence;
    this.state = await ask("state").catch(() => this.state);
    this.labels = await ask(`frames/${this.frame}/labels`).catch(() => this.labels);
    if (this.chosen !== null && !this.object()) this.startNew(); // once more, please
    this.keepChoice();
    this.redraw();
  }

  keepChoice() {
    if (this.chosen !== null && !this.object() && !this.edits.count) {
      this.choose(null);
      this.isNew = !this.state.objects.length;
    }
    if (!this.label()) this.corner = null;
  }

  send(edit) {
    if (this.isLocked) return;
    this.problem = "";
    this.edits.send(edit);
  }

  // --- choosing and placing ---

  choose(id) {
    Object.assign(this, { chosen: id, corner: null, isNew: false, draft: [] });
    this.gesture += 1;
    this.redraw();
  }

  startNew() {
    this.choose(null);
    this.isNew = true;
    this.redraw();
  }

  chooseCorner(index) {
    if (!this.label()) return;
    Object.assign(this, { corner: index, watched: "corner" });
    this.gesture += 1;
    this.view.show(this.label().corners[index]);
    this.redraw();
  }

  click(point) {
    if (this.isLocked) return;
    this.draft.push(point);
    this.problem = "";
    if (this.draft.length === 4) {
      const id = this.isNew ? this.freeId() : this.chosen;
      const classId = this.isNew ? this.state.objects.at(-1)?.class_id : "";
      const corners = this.draft;
      this.choose(id);
      this.place(id, corners, classId);
    }
    this.redraw();
  }

  takeBack() {
    if (this.draft.length) this.draft.pop();
    else if (this.state.undo || this.edits.count) this.send({ do: "undo" });
    this.redraw();
  }

  freeId() {
    let number = 1;
    while (this.object(`object_${number}`)) number += 1;
    return `object_${number}`;
  }

  // Shown at once, and sent; edits with one gesture are one step of undo.
  place(id, corners, classId, gesture = "") {
    const rounded = corners.map(corner => corner.map(value => Math.round(value * 1000) / 1000));
    const label = { id, corners: rounded, origin: "key" };
    this.labels = this.label(id)
      ? this.labels.map(item => (item.id === id ? label : item)) : [...this.labels, label];
    this.send({ do: "place", object: id, frame: this.frame, corners: rounded,
      class_id: classId || "", gesture });
    this.redraw();
  }

  // While something is dragged it is only shown.
  shift(id, start, [dx, dy], corner) {
    const corners = copy(start);
    corners.forEach((at, i) => {
      if (corner === null || i === corner) corners[i] = [at[0] + dx, at[1] + dy];
    });
    this.labels = this.labels.map(
      item => (item.id === id ? { ...item, corners, origin: "key" } : item),
    );
    return corners;
  }

  nudge([dx, dy]) {
    if (this.corner === null || !this.label() || this.isLocked) return;
    this.watched = "corner";
    const corners = this.shift(this.chosen, this.label().corners, [dx, dy], this.corner);
    this.view.show(corners[this.corner]);
    this.place(this.chosen, corners, "", `${this.edits.sender}-${this.gesture}`);
  }

  // Place the object as in the nearest key frame.
  async carry() {
    const item = this.object();
    if (!item || !item.keys.length || this.isLocked) return;
    const far = key => Math.abs(key - this.frame);
    const nearest = item.keys.reduce((a, b) => (far(b) < far(a) ? b : a));
    const frame = this.frame;
    const labels = await ask(`frames/${nearest}/labels`).catch(() => []);
    const found = labels.find(label => label.id === item.id);
    if (found && this.frame === frame) this.place(item.id, found.corners);
  }

  get leavesHere() { return Boolean(this.object()?.leaves.includes(this.frame)); }
  get isKeyHere() { return Boolean(this.object()?.keys.includes(this.frame)); }

  fix(leaves) {
    if (this.label()) this.send({ do: "fix", object: this.chosen, frame: this.frame, leaves });
  }

  unplace() {
    if (this.isKeyHere) this.send({ do: "unplace", object: this.chosen, frame: this.frame });
  }

  remove() {
    if (this.object()) this.send({ do: "remove", object: this.chosen });
  }

  describe(id, classId, symmetry) {
    const item = this.object();
    if (!item || this.isLocked) return;
    const wanted = id.trim();
    if (wanted === item.id && classId === item.class_id && symmetry === item.symmetry) return;
    this.send({ do: "describe", object: item.id, id: wanted, class_id: classId, symmetry });
    if (!wanted || (wanted !== item.id && this.object(wanted))) return; // will be refused
    this.labels = this.labels.map(l => (l.id === item.id ? { ...l, id: wanted } : l));
    this.state.objects = this.state.objects.map(
      o => (o === item ? { ...o, id: wanted, class_id: classId, symmetry } : o),
    );
    this.chosen = wanted;
    this.redraw();
  }
}
