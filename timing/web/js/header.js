// The head of the screen: the session, its clocks, the track status that nobody can overlook, and the state of the line.

import { SessionClock } from "./clock.js";
import { clock, distance, timeOfDay } from "./format.js";
import { has, t } from "./texts.js";

// What stands on the board beside the words, as marshals' panels show it: readable without colour and without the language.
export const PANELS = {
  green: "▶",
  yellow: "!",
  slow_zone: "SLOW",
  safety_car: "SC",
  safety_car_ending: "SC",
  vsc: "VSC",
  vsc_ending: "VSC",
  fcy: "FCY",
  code60: "60",
  red: "✕",
  chequered: "",
};

const OVER = new Set(["finished", "provisional", "final"]);

export class Header {
  replay = false; // whether what is shown is a replay
  quiet = false; // whether nothing is said aloud: it goes too fast

  #clock = new SessionClock();
  #said = {};
  #texts = new Map();

  constructor(root) {
    this.$ = (name) => root.querySelector(`[data-at="${name}"]`);
    for (const key of ["elapsed", "remaining", "laps"]) this.#set(`${key}-label`, t(`clock.${key}`));
  }

  /** Show the session's part of `state`; `now` is what the clocks run by, in microseconds, `then` what it was at the state's instant. */
  render({ session, order, at }, now, then = now) {
    if (!session.name) return;
    this.at = at;
    const title = `${session.name} · Parc Fermé`;
    if (document.title !== title) document.title = title;
    this.#set("name", session.name);
    const kind = has(`kind.${session.kind}`) ? t(`kind.${session.kind}`) : session.kind;
    this.#set("where", [session.circuit, kind, distance(session.distance ?? {})].filter(Boolean).join(" · "));
    this.#set("laps", String(session.laps));
    this.#set("of", session.distance?.laps ? `/${session.distance.laps}` : "");
    if (session.clock) this.#clock.set(session.clock, session.status === "running" && session.started_at !== null, then);
    this.#track(session);
    this.#announce(session, order);
    this.tick(now);
  }

  /** Let the clocks run on. */
  tick(now) {
    const read = this.#clock.read(now);
    if (read === null) return;
    this.#set("elapsed", clock(read.elapsed_us));
    this.#set("remaining", read.remaining_us === null ? "" : clock(read.remaining_us, { up: true }));
    this.$("remaining").parentElement.hidden = read.remaining_us === null;
  }

  /** Stand still: nothing is shown until a delay has filled. */
  hold() {
    this.#clock.stop();
  }

  /** Say that everything is shown `seconds` late, and for how many more it fills. */
  delayed(seconds, filling) {
    const said = filling > 0 ? t("delay.filling", { n: filling }) : seconds > 0 ? t("delay.behind", { n: seconds }) : "";
    this.#set("behind", said);
  }

  /** Say how the line to the feed is: "connecting", "live" or "offline". */
  link(link) {
    document.documentElement.dataset.link = link;
    this.#set("link", t(link === "live" && this.replay ? "link.replay" : `link.${link}`));
    const known = this.at !== undefined;
    this.#set("lost", link === "offline" ? (known ? t("link.lost", { time: timeOfDay(this.at) }) : t("link.first")) : "");
  }

  #track(session) {
    const waiting = session.status === "scheduled";
    const known = session.track_status in PANELS ? session.track_status : "green";
    const { dataset } = document.documentElement;
    const track = waiting ? "none" : known;
    if (dataset.track !== track) dataset.track = track;
    this.#set("panel", waiting ? "" : PANELS[known]);
    const word = waiting ? t("session.scheduled") : has(`track.${session.track_status}`) ? t(`track.${session.track_status}`) : session.track_status;
    this.#set("track", word);
    this.#set("due", session.result_due ? t("session.result_due") : "");
    this.#set("segment", session.segment ? t("session.segment", { name: [session.segment.name, session.segment.class].filter(Boolean).join(" "), n: session.segment.number, of: session.segment.of }) : "");
    const state = session.status === "suspended" || OVER.has(session.status) ? t(`session.${session.status}`) : "";
    this.#set("state", state);
    this.#set("pit-lane", session.pit_lane_open === false && !OVER.has(session.status) && !waiting ? t("pit_lane.closed") : "");
    this.#set("limit", session.neutralised && session.max_speed_kmh ? t("limit.speed", { n: session.max_speed_kmh }) : "");
  }

  // For screen readers: what changes rarely and matters to everyone.
  #announce(session, order) {
    const news = [];
    if (session.track_status !== this.#said.track) news.push(this.$("track").textContent);
    if (order[0] !== this.#said.leader && order[0]) news.push(t("said.leader", { car: order[0] }));
    this.#said = { track: session.track_status, leader: order[0] };
    if (news.length && !this.quiet) this.#set("said", news.join(". "));
  }

  #set(name, text) {
    if (this.#texts.get(name) === text) return;
    this.#texts.set(name, text);
    const place = this.$(name);
    place.textContent = text;
    place.hidden = text === "";
  }
}
