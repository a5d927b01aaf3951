// The timeline of a replay: a slider over what is known of the session, with its flags, red flags, changes of the leader and results.

import { h } from "./elements.js";

const MINUTE_US = 60_000_000;
const UNKNOWN_US = 30 * MINUTE_US; // how long a session is taken for of which nothing is known
const STEPS = 16; // an end that is guessed moves on by so much of the whole at a time
const DRAG_MS = 60; // between two seeks of one movement
const OVER = new Set(["finished", "provisional", "final"]);
const KINDS = new Set(["leader", "decision", "session"]);

/**
 * What the slider spans: `{from, to, known}`, instants. Where the service keeps the end back, it is guessed from what is shown: the distance,
 * the pace of the leader; `known` says that it is not. `seen`: `{first, last, start}`, the instants this page has been at, and the start
 * signal once it was told.
 */
export function spanOf(told, state, seen) {
  const start = told.started_at ?? seen.start;
  const from = Math.max(told.begin, Math.min(seen.first, start ?? seen.first) - MINUTE_US);
  if (told.end !== null) return { from, to: Math.max(told.end, from + 1), known: true };
  const planned = plannedEnd(told, state, start ?? seen.last);
  const length = Math.max(planned - from, seen.last - from, MINUTE_US) * 1.02;
  const step = 2 ** Math.ceil(Math.log2(length / STEPS));
  return { from, to: from + Math.ceil(length / step) * step, known: false };
}

function plannedEnd({ laps }, state, start) {
  if (!state || OVER.has(state.session.status)) return state?.at ?? 0;
  const { distance } = state.session;
  const ends = [];
  if (distance?.minutes) ends.push(start + distance.minutes * MINUTE_US);
  if (distance?.laps && laps > 1) ends.push(start + ((state.at - start) / laps) * distance.laps);
  return ends.length ? Math.min(...ends) : start + UNKNOWN_US;
}

/**
 * The flags as bands `{status, from, to}` over the span, green left out; the last one goes as far as `until`. A flag in a sector shows where
 * the rest of the track is green, and ends nothing but itself.
 */
export function bandsOf(marks, until) {
  const bands = [];
  let whole = "green";
  for (const { at, facts } of marks) {
    if (facts?.type !== "track_status") continue;
    if (!facts.sectors?.length) whole = facts.status;
    const status = whole === "green" ? facts.status : whole;
    if (bands.length) bands.at(-1).to = at;
    bands.push({ status, from: at, to: Math.max(until, at) });
  }
  return bands.filter(({ status }) => status !== "green");
}

export class Timeline {
  #span = { from: 0, to: 1, known: false };
  #drawn = "";
  #marks = null;
  #sent = -Infinity;
  #pending = null;

  /** `seek(at)` is called while the thumb is moved, `name(at)` gives an instant in words, `word(mark)` a mark. */
  constructor({ label, seek, name, word }) {
    this.seek = seek;
    this.name = name;
    this.word = word;
    this.dragging = false;
    this.input = h("input", { type: "range", className: "scrub", min: "0", max: "1", step: "any", label });
    this.bands = h("div", { className: "bands" });
    this.ticks = h("div", { className: "ticks" });
    this.seen = h("i", { className: "seen" });
    this.bubble = h("output", { className: "bubble", hidden: true });
    this.bubble.setAttribute("aria-hidden", "true");
    const under = h("div", { className: "scale" }, this.seen, this.bands, this.ticks);
    under.setAttribute("aria-hidden", "true");
    this.root = h("div", { className: "timeline" }, under, this.input, this.bubble);
    this.input.addEventListener("input", () => this.#moved());
    this.input.addEventListener("pointerdown", (event) => {
      this.dragging = true;
      this.#follow(event);
    });
    for (const end of ["pointerup", "pointercancel", "change"]) this.input.addEventListener(end, ({ isPrimary = true }) => isPrimary && this.#dropped());
    this.root.addEventListener("pointermove", (event) => {
      this.#point(event);
      this.#follow(event);
    });
    this.root.addEventListener("pointerleave", () => (this.bubble.hidden = true));
  }

  /** Show the cursor `at` in `span`, with the marks, as far as `until` was seen; `text` says aloud where it is. */
  render({ span, at, until, marks, text }) {
    this.input.setAttribute("aria-valuetext", text);
    if (this.dragging) return; // the scale does not move under the hand
    this.#span = span;
    const length = span.to - span.from;
    const drawn = [span.from, span.to, marks.length, until > span.to ? until : Math.round((until / length) * 2000)].join();
    if (drawn !== this.#drawn || marks !== this.#marks) {
      this.#drawn = drawn;
      this.#marks = marks;
      this.#draw(marks, until);
    }
    this.input.max = String(length / 1e6);
    this.root.classList.toggle("open-ended", !span.known);
    this.input.value = String((at - span.from) / 1e6);
    this.root.style.setProperty("--at", this.#part(at));
  }

  #part(at) {
    return Math.min(Math.max((at - this.#span.from) / (this.#span.to - this.#span.from), 0), 1);
  }

  #draw(marks, until) {
    this.seen.style.width = `${this.#part(until) * 100}%`;
    this.bands.replaceChildren(...bandsOf(marks, until).map(({ status, from, to }) => {
      const band = h("i", { className: "band", data: { flag: status } });
      band.style.left = `${this.#part(from) * 100}%`;
      band.style.width = `${(this.#part(to) - this.#part(from)) * 100}%`;
      return band;
    }));
    const shown = marks.filter(({ kind, facts }) => KINDS.has(kind) || facts?.status === "red");
    this.ticks.replaceChildren(...shown.map((mark) => {
      const tick = h("i", { className: `tick t-${mark.kind}` });
      tick.style.left = `${this.#part(mark.at) * 100}%`;
      return tick;
    }));
  }

  #moved() {
    this.dragging = true;
    const at = Math.round(this.#span.from + Number(this.input.value) * 1e6);
    this.root.style.setProperty("--at", this.#part(at));
    clearTimeout(this.#pending);
    const wait = this.#sent + DRAG_MS - performance.now();
    if (wait <= 0) this.#send(at);
    else this.#pending = setTimeout(() => this.#send(at), wait);
  }

  #send(at) {
    this.#sent = performance.now();
    this.seek(at);
  }

  #dropped() {
    if (!this.dragging) return;
    this.#sent = -Infinity; // where it is let go counts, at once
    this.#moved();
    this.dragging = false;
  }

  // The thumb goes with a finger wherever it goes: by itself a slider follows only one that set out sideways, or only one on its thumb.
  #follow({ clientX, pointerType, isPrimary }) {
    if (!this.dragging || !isPrimary || pointerType === "mouse") return;
    this.input.value = String(this.#under(clientX) * Number(this.input.max));
    this.#moved();
  }

  #under(clientX) {
    const box = this.ticks.getBoundingClientRect();
    return Math.min(Math.max((clientX - box.left) / box.width, 0), 1);
  }

  // What is under the pointer: the time, and the nearest mark.
  #point({ clientX, pointerType }) {
    const box = this.ticks.getBoundingClientRect();
    const part = this.#under(clientX);
    const at = this.#span.from + part * (this.#span.to - this.#span.from);
    const reach = ((pointerType === "touch" ? 14 : 7) / box.width) * (this.#span.to - this.#span.from);
    const near = (this.#marks ?? []).filter((mark) => Math.abs(mark.at - at) <= reach);
    this.bubble.textContent = [this.name(Math.round(at)), ...near.slice(-3).map((mark) => this.word(mark))].join(" · ");
    this.bubble.hidden = false;
    const half = this.bubble.offsetWidth / 2;
    const outer = this.root.getBoundingClientRect();
    const left = Math.min(Math.max(clientX - outer.left, half), outer.width - half);
    this.bubble.style.left = `${left}px`;
  }
}
