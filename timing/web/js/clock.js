// The session's clock between frames: it runs on by itself, and frames set it right.

const JUMP_US = 2_500_000;

/**
 * Frames come late by differing amounts, never early: the truth is the reading that is furthest ahead. So a frame may push the clock
 * on at once, and sets it back only when it is clearly elsewhere (a corrected start, a replay that seeks).
 */
export class SessionClock {
  #offset = null; // elapsed time minus local time, in microseconds
  #given = null;
  #running = false;

  /** Take in `clock {elapsed_us, remaining_us?}` as it was at local time `now` (microseconds, monotonic). */
  set(clock, running, now) {
    const offset = clock.elapsed_us - now;
    const isFresh = this.#given !== clock; // an unchanged clock says nothing new
    if (!running || !this.#running || this.#offset === null) this.#offset = offset;
    else if (isFresh && (offset > this.#offset || offset < this.#offset - JUMP_US)) this.#offset = offset;
    this.#given = clock;
    this.#running = running;
  }

  /** Stand until it is set again. */
  stop() {
    this.#running = false;
  }

  /** The clock at local time `now`: `{elapsed_us, remaining_us}`, the latter null where the session has no time limit. */
  read(now) {
    if (this.#given === null) return null;
    const elapsed = this.#running ? Math.max(this.#offset + now, 0) : this.#given.elapsed_us;
    const left = this.#given.remaining_us;
    const remaining = left === null || left === undefined ? null : Math.max(left - (elapsed - this.#given.elapsed_us), 0);
    return { elapsed_us: elapsed, remaining_us: remaining };
  }
}
