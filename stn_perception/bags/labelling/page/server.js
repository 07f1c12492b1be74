// SPDX-License-Identifier: Apache-2.0
// Talks to the server. Edits are sent one after another and count as saved when the server has
// them on its disk; while it cannot be reached they wait here and are sent again.

const RETRY_MS = 1000;
const FORBIDDEN = 403;
const JSON_TYPE = { "Content-Type": "application/json" };

export async function ask(address) {
  const answer = await fetch(address);
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.problem);
  return content;
}

export class Edits {
  // shown(): number of the frame that the answer is to hold; done(answer): everything is up to
  // date; refused(sentence): one edit was not done; changed(): the state of saving changed.
  constructor(shown, done, refused, changed) {
    Object.assign(this, { shown, done, refused, changed });
    this.waiting = [];
    this.busy = false;
    this.isReached = true;
    this.sender = crypto.getRandomValues(new Uint32Array(2)).join("-");
    this.number = 0;
  }

  get count() { return this.waiting.length; }

  send(edit) {
    const last = this.waiting[this.waiting.length - 1];
    const isOneGesture = edit.gesture && last && last.edit.gesture === edit.gesture;
    if (isOneGesture && !last.isTried) last.edit = edit;
    else this.waiting.push({ edit, number: ++this.number });
    this.changed();
    this.work();
  }

  async work() {
    if (this.busy || !this.waiting.length) return;
    this.busy = true;
    this.waiting[0].isTried = true;
    const { edit, number } = this.waiting[0];
    const body = JSON.stringify({ edit, number, sender: this.sender, shown: this.shown() });
    let answer, content;
    try {
      answer = await fetch("edits", { method: "POST", body, headers: JSON_TYPE });
      content = await answer.json();
      if (answer.status === FORBIDDEN) throw new Error("another server took its place");
    } catch {
      this.isReached = this.busy = false;
      this.changed();
      setTimeout(() => this.work(), RETRY_MS);
      return;
    }
    this.isReached = true;
    this.busy = false;
    this.waiting.shift();
    if (!answer.ok) await this.refused(content.problem);
    else if (!this.waiting.length) this.done(content, JSON.parse(body).shown);
    this.changed();
    this.work();
  }
}
