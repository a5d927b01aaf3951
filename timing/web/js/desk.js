// The way of commands: who speaks, whether the line carries, and what became of each command. One that was not answered may be sent again
// with the id that it has, and is still the same command.

import { ROOT } from "./screen.js";
import { t } from "./texts.js";

const WITHIN_MS = 8_000;
const KEPT = 4; // answers; beside them those that never came, of which so many are kept
const KEPT_UNANSWERED = 20;
const AHEAD_US = 10_000_000; // evidence from so far in the future: the session runs faster than life
const BEHIND_US = 12 * 3_600_000_000; // or so old: it was another day's
const UNSTAMPED = new Set(["session", "entries"]); // the service fills in no instant there
const AWAY = { code: "away" };

export const CHANNELS = { // of what may be taken back by who may speak there
  session_started: "session", session_ended: "session", result_published: "session", grid_set: "session", segment_started: "session",
  segment_ended: "session", entry_registered: "entries", transponder_assigned: "entries", driver_changed: "entries",
  car_retired: "entries", car_withdrawn: "entries", track_status: "control", pit_lane: "control", race_stopped: "control",
  wave_by: "control", overtake_ruled: "control", message: "control", decision: "stewards", decision_updated: "stewards",
  finish_order_ruled: "stewards", passing_voided: "corrections", passing_added: "corrections", passing_reassigned: "corrections",
  decoder_clock_corrected: "corrections", event_voided: "corrections", event_retimed: "corrections",
};

export class Desk {
  /** `onChange()` whenever an answer came, or what may be done has changed. */
  constructor(session, onChange) {
    this.session = session;
    this.onChange = onChange;
    this.me = null;
    this.live = false;
    this.entries = []; // those without an answer, then the newest first
    this.at = null; // the latest evidence, and when it was heard
    this.heard = 0;
    this.moves = false; // whether evidence has come since the page was opened
    this.waits = true; // for the start
    this.clock = 0; // what the service's clock is ahead of this machine's, and how long the answer took that said so
    this.took = Infinity;
  }

  /** Ask who is signed in; give what the service says. */
  async enter() {
    const asked = Date.now();
    const me = await this.#ask(`api/me?session=${encodeURIComponent(this.session)}`);
    if (me.now !== undefined) this.#compare(me.now, asked, Date.now());
    this.me = me.signed_in ? me : null;
    this.onChange();
    return me;
  }

  // Of several answers the quickest says best what the service's clock is ahead by; one that cannot agree with it means that a clock was set.
  #compare(now, asked, answered) {
    const took = (answered - asked) * 1000;
    const ahead = now - (asked * 1000 + took / 2);
    if (took > this.took * 1.1 && Math.abs(ahead - this.clock) <= (took + this.took) / 2) return;
    this.clock = ahead;
    this.took = took;
  }

  /** Whether commands may be sent on a channel. */
  may(channel) {
    return Boolean(this.me?.channels.includes(channel));
  }

  /** Whether an event of this type may be taken back: by the timekeeper, and by who may say such a thing. */
  mayTakeBack(type) {
    return type in CHANNELS && (this.may("corrections") || this.may(CHANNELS[type]));
  }

  /** Take in the state of the feed and of the line. */
  hear(at, live, status = null) {
    if (at !== this.at) {
      this.heard = Date.now();
      this.moves = this.at !== null;
    }
    this.at = at;
    this.live = live;
    if (status !== null) this.waits = status === "scheduled";
  }

  /**
   * The instant of the session, where its clock is not the wall's (a race played faster, or again); else null: commands are stamped on arrival.
   * A session that was made ready the day before and waits for its start is no such thing.
   */
  get sessionTime() {
    if (this.at === null) return null;
    const ahead = this.at - (this.heard * 1000 + this.clock);
    const behind = ahead < -BEHIND_US && (this.moves || !this.waits);
    return ahead > AHEAD_US || behind ? this.at + 1 : null;
  }

  /** The present instant: the session's, else by the service's clock, whatever this machine's says. */
  get now() {
    return this.sessionTime ?? Math.round(Date.now() * 1000 + this.clock);
  }

  /** An event of a channel with the instant that it needs, if any. */
  stamped(channel, event) {
    if (event.at !== undefined || (this.sessionTime === null && !UNSTAMPED.has(channel))) return event;
    return { ...event, at: this.now };
  }

  /** Send a command, said in words by `title`; it becomes an entry of `entries`. */
  async send(channel, event, title) {
    const entry = { id: event.id ?? newId(), channel, title, state: "pending", event: null };
    entry.event = { ...this.stamped(channel, event), id: entry.id };
    this.entries = [entry, ...this.entries];
    return this.again(entry);
  }

  /** Send an entry once more: it is the same command. */
  async again(entry) {
    entry.state = "pending";
    this.#sort();
    this.onChange();
    const said = await this.#ask(`api/sessions/${encodeURIComponent(this.session)}/${entry.channel}`, entry.event);
    if (said.seq !== undefined) Object.assign(entry, { state: "accepted", seq: said.seq });
    else if (said.code === AWAY.code || said.code === "not-stored" || said.code === "unavailable") entry.state = "unanswered";
    else Object.assign(entry, { state: "refused", code: said.code, reason: said.reason, data: said.data });
    if (["not-signed-in", "expired", "revoked"].includes(said.code)) this.me = null;
    this.#sort();
    this.onChange();
    return entry;
  }

  // What was not answered stays in sight, whatever was said since.
  #sort() {
    const open = this.entries.filter(({ state }) => state === "unanswered").slice(0, KEPT_UNANSWERED);
    const others = this.entries.filter(({ state }) => state !== "unanswered");
    this.entries = [...open, ...others.filter(({ state }, i) => i < KEPT || state === "pending")];
  }

  /** Ask what events would change: the service's preview, or `{code, reason}`. */
  preview(events) {
    return this.#ask(`api/sessions/${encodeURIComponent(this.session)}/preview`, { events });
  }

  /** What was said since record `after`. */
  journal(after, limit) {
    return this.#ask(`api/sessions/${encodeURIComponent(this.session)}/log?after=${after}&limit=${limit}`);
  }

  async #ask(path, body) {
    const send = body === undefined ? {} : { method: "POST", headers: { "x-parcferme": "1" }, body: JSON.stringify(body) };
    try {
      const answer = await fetch(new URL(path, ROOT), { ...send, signal: AbortSignal.timeout(WITHIN_MS) });
      return await answer.json();
    } catch {
      return { ...AWAY, reason: t("refused.away") };
    }
  }
}

function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(8)); // randomUUID is for secure origins alone
  return `desk-${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
