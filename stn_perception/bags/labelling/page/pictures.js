// SPDX-License-Identifier: Apache-2.0
// The frames' pictures, the last few of them kept.

const KEPT = 6;

async function fetched(number) {
  const answer = await fetch(`frames/${number}/picture`);
  if (!answer.ok) throw new Error((await answer.json()).problem);
  // The file's pixels as they are, without colour management.
  return createImageBitmap(await answer.blob(), { colorSpaceConversion: "none" });
}

export class Pictures {
  constructor() { this.known = new Map(); }

  load(number) {
    const picture = this.known.get(number) || fetched(number);
    this.known.delete(number);
    this.known.set(number, picture); // the last one asked for is the last one to go
    picture.catch(() => this.known.delete(number));
    for (const old of this.known.keys()) {
      if (this.known.size <= KEPT) break;
      this.known.delete(old);
    }
    return picture;
  }

  // Load what is likely to be asked for next.
  prepare(numbers, count) {
    for (const number of numbers) {
      if (number >= 0 && number < count) this.load(number).catch(() => {});
    }
  }
}
