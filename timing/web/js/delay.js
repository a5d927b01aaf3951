// The viewer's delay: every state is shown so many seconds after it came. States are whole and share what did not change, so what waits
// is cheap; of those that come within 50 ms of each other only the last is kept, and a delay is five minutes at most.

const LONGEST_S = 300;
const APART_MS = 50;

export class Delay {
  #waiting = []; // {due, state}, the earliest first
  #timer = null;

  /** `shown(state)` is called with each state when its time has come. `now` is a monotonic clock in milliseconds. */
  constructor(shown, now = () => performance.now()) {
    this.shown = shown;
    this.now = now;
    this.seconds = 0;
  }

  /** The state that is shown; null before the first. */
  state = null;

  /** Show what comes from now on `seconds` after it came. What waits is dropped for a shorter delay and for none: the next state is newer. */
  set(seconds) {
    const wanted = Math.min(Math.max(Math.trunc(seconds) || 0, 0), LONGEST_S);
    const newest = this.#waiting.at(-1)?.state ?? this.state;
    this.#waiting = [];
    this.seconds = wanted;
    clearTimeout(this.#timer);
    if (newest === null) return;
    this.state = null;
    this.take(newest);
  }

  /** Take in a state as it came from the feed. */
  take(state) {
    if (this.seconds === 0) {
      this.#show(state);
      return;
    }
    const due = this.now() + this.seconds * 1000;
    const last = this.#waiting.at(-1);
    if (this.#waiting.length > 1 && due - this.#waiting.at(-2).due < APART_MS) last.state = state;
    else this.#waiting.push({ due, state });
    if (this.#waiting.length === 1) this.#wait();
  }

  /** Seconds until the first state is shown, while none is; else 0. */
  get fillingFor() {
    if (this.state !== null || this.#waiting.length === 0) return 0;
    return Math.max(Math.ceil((this.#waiting[0].due - this.now()) / 1000), 0);
  }

  #wait() {
    this.#timer = setTimeout(() => this.#release(), Math.max(this.#waiting[0].due - this.now(), 0));
  }

  #release() {
    const now = this.now();
    let ripe = null;
    while (this.#waiting.length > 0 && this.#waiting[0].due <= now) ripe = this.#waiting.shift();
    if (ripe !== null) this.#show(ripe.state);
    if (this.#waiting.length > 0) this.#wait();
  }

  #show(state) {
    this.state = state;
    this.shown(state);
  }
}
