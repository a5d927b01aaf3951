// The laps of the session, kept up to date: asked for when something was heard, and then only what changed. What came is shown when the
// shown state has got as far, so that a viewer's delay, or a replay's moment, holds for charts too.

const APART_MS = 1_500; // between two questions
const LONGEST_MS = 30_000; // after faults

export class LapData {
  #mark = null;
  #waiting = []; // documents that are ahead of the shown state, the first one first
  #epoch = null;
  #newest = -1;
  #asking = false;
  #timer = null;
  #apart = APART_MS;

  /** `changed()` is called when the laps that `cars` gives are others. */
  constructor(screen, changed) {
    this.screen = screen;
    this.changed = changed;
    this.seq = -1; // the last record that is taken in
    this.start = null;
    this.sectors = 0;
    this.flags = [];
    this.cars = new Map();
  }

  /** Take in how far the shown state is. */
  follow(state) {
    this.state = state;
    if (state.epoch !== this.#epoch) this.#forget(state.epoch);
    let taken = false;
    while (this.#waiting.length > 0 && this.#waiting[0].seq <= state.seq) taken = this.#take(this.#waiting.shift()) || taken;
    if (taken) this.changed();
    if (state.seq > this.#newest) this.#soon(0);
  }

  // Another epoch is another service, or another moment of a replay: what was known may not hold.
  #forget(epoch) {
    [this.#epoch, this.#mark, this.#newest, this.#waiting, this.seq] = [epoch, null, -1, [], -1];
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#soon(0);
  }

  #soon(ms) {
    if (this.#timer !== null || this.#asking) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#ask();
    }, ms);
  }

  async #ask() {
    const [epoch, mark] = [this.#epoch, this.#mark];
    this.#asking = true;
    try {
      const since = mark === null ? "" : `&since=${encodeURIComponent(mark)}`;
      const document = await this.screen.document(`api/sessions/${encodeURIComponent(this.screen.session)}/laps?sectors=1${since}`);
      this.#apart = APART_MS;
      if (epoch === this.#epoch) {
        this.#mark = document.mark;
        this.#newest = Math.max(document.seq, this.state.seq);
        this.#waiting.push(document);
      }
    } catch {
      this.#apart = Math.min(this.#apart * 2, LONGEST_MS);
      this.#newest = -1;
    }
    this.#asking = false;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.state.seq > this.#newest) this.#ask();
    }, epoch === this.#epoch ? this.#apart : 0);
    this.follow(this.state);
  }

  #take(document) {
    const [start, flags] = [this.start, JSON.stringify(this.flags)];
    [this.seq, this.start, this.sectors, this.flags] = [document.seq, document.start, document.sectors, document.flags];
    if (document.whole) this.cars = new Map();
    for (const [car, columns] of Object.entries(document.cars)) this.cars.set(car, joined(this.cars.get(car), columns));
    return document.whole || Object.keys(document.cars).length > 0 || start !== this.start || flags !== JSON.stringify(this.flags);
  }
}

/** What is known of a car's laps, with those taken in that `columns` brings: from its lap of index `from` on. */
function joined(known, { from, ends_us, times_us, sectors_us = [], tags, drivers }) {
  const old = known ?? { ends: [], times: [], sectors: [], tags: {}, drivers: [] };
  const kept = Object.fromEntries(Object.entries(old.tags).filter(([lap]) => Number(lap) <= from));
  return {
    ends: [...old.ends.slice(0, from), ...ends_us],
    times: [...old.times.slice(0, from), ...times_us],
    sectors: [...old.sectors.slice(0, from), ...sectors_us],
    tags: { ...kept, ...tags },
    drivers,
  };
}
