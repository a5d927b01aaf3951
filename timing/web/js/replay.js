// A replay: what the service tells of it beside the frames, what is asked of it, and where its cursor is between two tellings.

const MOMENT = /^[a-z0-9][a-z0-9-]{0,63}$/;
const SETTLED_WITHIN_MS = 8_000; // by then what there is is shown, wherever it is

/**
 * `new Replay({choices, onChange})`, then `attach(feed)` before the feed is started. `onChange(message)` is called with each thing told.
 *
 * Each page has a moment of its own under a name that it chooses; `?moment=NAME` in the page's address shares one with all who use that
 * name. Whoever comes back to a moment of its own that is no more (the page was loaded anew, the service was started again) is led to where
 * it was, and until then nothing is shown: no row of another moment ever is.
 */
export class Replay {
  told = null; // the last state told
  marks = []; // those up to the cursor, and those seen further on
  difference = null; // between the two ways of knowing, as last told
  refused = null; // {do, error, to}: what was asked last and could not be done
  #toldMarks = [];
  #heardAt = 0;
  #aim = null; // {at, epoch}: the instant last asked for, shown until the service is there
  #asked = null;
  #epoch = null;
  #last = null; // where to go back to
  #goal = null; // {place, step, epoch}: on the way there

  constructor({ choices, onChange, now = () => performance.now() }) {
    const named = choices.get("moment");
    this.shared = named !== null && MOMENT.test(named);
    this.moment = this.shared ? named : ownName();
    this.known = choices.get("known") === "now" ? "now" : choices.get("known") === "then" ? "then" : null;
    this.onChange = onChange;
    this.now = now;
    this.#last = this.shared ? null : placeIn(choices);
  }

  attach(feed) {
    this.feed = feed;
  }

  /** What the feed's address says of the moment. */
  get query() {
    const known = this.told?.known ?? this.known;
    return known ? { moment: this.moment, known } : { moment: this.moment };
  }

  get playing() {
    return this.told?.state === "playing";
  }

  /** The instant the replay has come to, in microseconds; null before anything was told. */
  get at() {
    if (this.#aim) return this.#aim.at;
    if (!this.told) return null;
    const { at, speed, end } = this.told;
    if (!this.playing || speed === "max") return at;
    const runOn = at + (this.now() - this.#heardAt) * 1000 * speed;
    return Math.round(end === null ? runOn : Math.min(runOn, end));
  }

  /** Where this is, to come back to: `{at, seq, known, speed, playing}`. `seq` tells records of one instant apart. */
  get place() {
    if (this.#goal) return this.#goal.place;
    if (!this.told) return this.#last;
    const { seq, known, speed } = this.told;
    return { at: this.at, seq: this.playing ? null : seq, known, speed, playing: this.playing };
  }

  // --- asking ---

  ask(what) {
    this.refused = null;
    this.#asked = what;
    this.feed.ask({ kind: "replay", ...what });
  }

  seek(to) {
    if (to.at !== undefined) this.#aim = { at: to.at, epoch: this.feed.state?.epoch };
    this.ask({ do: "seek", to });
  }

  /** Play or pause; at the end, play from the start. */
  toggle() {
    if (this.playing) {
      this.ask({ do: "pause" });
      return;
    }
    if (this.told?.state === "ended") this.seek({ place: "start" });
    this.ask({ do: "play" });
  }

  step(count, by) {
    this.ask({ do: "step", count, by });
  }

  know(known) {
    if (known === this.told?.known) return;
    this.ask({ do: "know", known });
  }

  compare() {
    this.feed.ask({ kind: "replay", do: "compare" });
  }

  // --- the line ---

  /** A line was opened: ask to be told, and go back to where this was. */
  opened() {
    if (!this.shared && this.told) this.#last = this.place;
    this.feed.ask({ kind: "replay", do: "tell" });
    if (this.#last && !this.shared) {
      this.#goal = { place: this.#last, step: "wait", epoch: null };
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.#arrive(), SETTLED_WITHIN_MS);
    }
  }

  /** Whether a state of the feed is to be shown: not before this is where it was. */
  admits(state) {
    if (this.#goal && state.epoch === this.#epoch) this.#goal = null; // the moment is still there
    if (this.#goal) {
      this.#settle(state);
      if (this.#goal) return false;
    }
    this.#epoch = state.epoch;
    return true;
  }

  /** Take in what came beside the frames. */
  hear(message) {
    switch (message?.kind) {
      case "replay":
        this.#tell(message);
        break;
      case "replay_marks":
        this.#toldMarks = message.marks;
        this.marks = merged(message.marks, this.marks, this.at ?? 0);
        break;
      case "replay_difference":
        this.difference = message;
        break;
      case "replay_refused":
        this.#refuse(message);
        break;
      default:
        return;
    }
    this.onChange(message);
  }

  #tell(message) {
    if (this.#aim && (this.feed.state?.epoch !== this.#aim.epoch || message.at === this.#aim.at)) this.#aim = null;
    if (this.told && this.told.known !== message.known) [this.marks, this.difference] = [this.#toldMarks, null];
    this.told = message;
    this.#heardAt = this.now();
    if (this.#goal && this.feed.state) {
      this.#settle(this.feed.state);
      if (!this.#goal) this.feed.onState(this.feed.state);
    }
  }

  #refuse({ do: what, error }) {
    if (what === "compare") return; // nobody asked for it by hand
    this.#aim = null;
    if (this.#goal && what === "seek") this.#arrive();
    else this.refused = { do: what, error, to: this.#asked?.to };
  }

  // Seek the instant; of several records there, the one that was shown last.
  #settle(state) {
    const { place, step, epoch } = this.#goal;
    const go = (next, to) => {
      this.#goal = { place, step: next, epoch: state.epoch };
      this.feed.ask({ kind: "replay", do: "seek", to });
    };
    if (step === "wait") {
      this.feed.ask({ kind: "replay", do: "pause" });
      if (place.speed) this.feed.ask({ kind: "replay", do: "speed", speed: place.speed });
      go("at", { at: place.at });
      return;
    }
    const { told } = this;
    if (state.epoch === epoch || !told || told.state === "playing" || told.seq !== state.seq) return;
    if (step === "at" && place.seq !== null && told.seq !== place.seq && !place.playing) go("seq", { seq: place.seq });
    else if (step === "seq" && told.at > place.at) go("back", { at: place.at });
    else {
      this.#goal = null;
      clearTimeout(this.timer);
      if (place.playing) this.feed.ask({ kind: "replay", do: "play" });
    }
  }

  #arrive() {
    if (!this.#goal) return;
    this.#goal = null;
    clearTimeout(this.timer);
    if (this.feed.state) this.feed.onState(this.feed.state);
  }
}

/** The address of a place, as choices: `at`, `seq`, `known`, `speed`, `play`. */
export function addressOf({ at, seq, known, speed, playing }) {
  return { at: String(Math.round(at)), seq: seq === null ? null : String(seq), known, speed: speed === null || speed === 1 ? null : String(speed), play: playing ? "" : null };
}

/** The place that an address names; null if it names none. */
export function placeIn(choices) {
  const at = choices.get("at");
  if (at === null || !/^\d{1,16}$/.test(at)) return null;
  const seq = choices.get("seq");
  const speed = choices.get("speed");
  const rate = Number(speed);
  return {
    at: Number(at),
    seq: seq !== null && /^\d{1,12}$/.test(seq) ? Number(seq) : null,
    known: choices.get("known"),
    speed: speed === "max" ? "max" : rate >= 0.1 && rate <= 1000 ? rate : 1,
    playing: choices.is("play"),
  };
}

/** The marks told, which end at the cursor, with those that were seen beyond it before. */
export function merged(told, seen, at) {
  const last = Math.max(at, told.at(-1)?.at ?? 0);
  return [...told, ...seen.filter((mark) => mark.at > last)];
}

function ownName() {
  return [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
