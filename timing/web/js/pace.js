// How much movement a device can show without dropping pictures: found out by trying.

/** What a device is spared, the less important first. */
export const ALL = 0;
export const OWN = 1; // rows that others pushed along stand at once in their places
export const NONE = 2; // no row slides; one that moved by itself is marked for a moment

const AVERAGED = 20; // states
const LATE = 0.12; // of the states drawn of late, the share after which a picture was missed: above it, movement is shed
const HELD_MS = 10_000; // until more movement is tried again; twice as long after each time it was too much
const LONGEST_HELD_MS = 300_000;

export class Pace {
  /** ALL, OWN or NONE. */
  level = ALL;

  #late = 0;
  #since = 0; // when the level was set
  #held = HELD_MS;
  #triedMore = false;

  /** Take in whether the picture after a state was `late`, at local time `now` in milliseconds. */
  judge(late, now) {
    this.#late += (Number(late) - this.#late) / AVERAGED;
    if (this.#late > LATE && this.level < NONE) {
      if (this.#triedMore) this.#held = Math.min(this.#held * 2, LONGEST_HELD_MS);
      this.#triedMore = false;
      this.#set(this.level + 1, now);
    } else if (this.#late < LATE / 4 && this.level > ALL && now - this.#since > this.#held) {
      this.#triedMore = true;
      this.#set(this.level - 1, now);
    }
  }

  #set(level, now) {
    this.level = level;
    this.#late = 0;
    this.#since = now;
  }
}
