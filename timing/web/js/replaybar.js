// The replay bar, on every screen of a replay: play, speed, the timeline, steps, jumps, the two ways of knowing, a link to the moment.

import { messageText } from "./decisions.js";
import { Differing } from "./differing.js";
import { h } from "./elements.js";
import { Feed } from "./feed.js";
import { clock, timeOfDay } from "./format.js";
import { icon } from "./icons.js";
import { LinkDialog, MomentList } from "./moments.js";
import { addressOf, Replay } from "./replay.js";
import { helpDialog, listen } from "./replaykeys.js";
import { has, t } from "./texts.js";
import { spanOf, Timeline } from "./timeline.js";

const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, "max"];
const KINDS = ["flag", "red", "leader", "decision", "message", "session", "any"];
const ADDRESS_MS = 1_000; // between two writings of the address while it plays: browsers refuse many
const AGAIN_MS = 3_000; // so soon after one jump by laps the next one counts from where it was to lead
const LOUD = 4; // times life: beyond that nothing is said aloud
const PLACE = ["at", "seq", "known", "speed", "play"];

/** Make the screen one of a replay: its feed, its bar, its clocks. `line` is what the feed is made of. */
export async function openReplay(screen, line) {
  const bar = new ReplayBar(screen);
  const { replay } = bar;
  screen.replay = bar;
  screen.feed = new Feed({
    ...line,
    onState: (state) => replay.admits(state) && line.onState(state),
    query: () => replay.query,
    onOpen: () => replay.opened(),
    onAside: (message) => replay.hear(message),
  });
  replay.attach(screen.feed);
  screen.draws((state) => bar.drawn(state));
}

export class ReplayBar {
  #state = null;
  #seen = { first: Infinity, last: -Infinity, start: null };
  #written = { key: "", at: 0 };
  #lapped = null;
  #saidFor = "";
  #saying = null;

  constructor(screen) {
    this.screen = screen;
    this.replay = new Replay({ choices: screen.choices, onChange: (message) => this.#heard(message) });
    document.documentElement.dataset.replay = "loading";
    screen.header.replay = true;
    document.querySelector("#delay")?.closest("fieldset").remove(); // a replay is as late as one likes
    for (const way of document.querySelectorAll("#ways [data-speakers]")) way.remove(); // nothing can be said to it
    this.#make();
    document.body.insertBefore(this.root, document.querySelector(".said"));
    document.body.append(this.help, this.differing.dialog, this.differing.tip, this.moments.dialog, this.links.dialog);
    if (!screen.choices.kiosk) listen(this, this.timeline.input);
    const height = () => document.documentElement.style.setProperty("--replay", `${Math.ceil(this.root.getBoundingClientRect().height)}px`);
    new ResizeObserver(height).observe(this.root);
  }

  /** The name of the moment, as documents are asked for by it. */
  get moment() {
    return this.replay.moment;
  }

  /** The instant the replay has come to; null before anything was told. */
  get at() {
    return this.replay.at;
  }

  /** Let the cursor run on. */
  tick() {
    this.#render();
  }

  /** A state was drawn. */
  drawn(state) {
    this.#state = state;
    document.documentElement.dataset.replay = "ready";
    this.#render();
    this.differing.mark(state);
  }

  // --- what can be done ---

  by(us) {
    this.replay.seek({ by_us: us });
  }

  // As known then the leader may lack a lap that it is led to: what was asked last counts, not what is shown there.
  lap(by) {
    const { told } = this.replay;
    const here = this.#lapped && (told.at === this.#lapped.at || performance.now() - this.#lapped.asked < AGAIN_MS);
    const lap = Math.max((here ? this.#lapped.lap : told.laps) + by, 0);
    this.#lapped = { lap, at: null, epoch: this.screen.feed.state?.epoch, asked: performance.now() };
    this.replay.seek({ lap });
  }

  mark(way) {
    this.replay.seek({ [way]: this.kind.value });
  }

  speed(by) {
    const at = SPEEDS.indexOf(this.replay.told.speed);
    const near = at >= 0 ? at : SPEEDS.findIndex((each) => each === "max" || each > this.replay.told.speed) - (by > 0 ? 1 : 0);
    this.#run(SPEEDS[Math.min(Math.max(near + by, 0), SPEEDS.length - 1)]);
  }

  /** Go to what is marked: to the event, or for a new leader to the lap. */
  go({ id, lap, at }) {
    this.replay.seek(id ? { event: id } : lap ? { lap } : { at });
  }

  #run(speed) {
    this.replay.ask({ do: "speed", speed });
  }

  // --- how it is made ---

  #make() {
    const { replay } = this;
    const button = (name, text, act, more = {}) => h("button", { type: "button", label: t(text), title: t(text), onclick: act, ...more }, icon(name));
    this.timeline = new Timeline({ label: t("replay.timeline"), seek: (at) => replay.seek({ at }), name: (at) => this.#name(at), word });
    this.play = button("play", "replay.play", () => replay.toggle(), { className: "play" });
    this.time = h("strong", { className: "race-time" });
    this.lapText = h("span", { className: "race-lap" });
    this.kind = choice(t("replay.kind"), KINDS.map((kind) => [kind, t(`replay.kind.${kind}`)]));
    this.rate = choice(t("replay.speed"), SPEEDS.map((speed) => [String(speed), speedText(speed)]));
    this.rate.onchange = () => this.#run(this.rate.value === "max" ? "max" : Number(this.rate.value));
    this.then = h("button", { type: "button", textContent: t("replay.then"), title: t("replay.then.title"), onclick: () => replay.know("then") });
    this.now = h("button", { type: "button", textContent: t("replay.now"), title: t("replay.now.title"), onclick: () => replay.know("now") });
    const differs = h("button", { type: "button", className: "count", title: t("replay.differs.title") }, h("span"));
    this.differing = new Differing(replay, differs);
    this.moments = new MomentList(replay, { name: (at) => this.#name(at), word, kind: () => this.kind.value, go: (mark) => this.go(mark) });
    this.links = new LinkDialog({ here: () => this.#address(), together: () => this.#together(), said: (text) => this.#say(text) });
    this.help = helpDialog();
    this.note = h("p", { className: "replay-said", role: "status" });
    const more = button("more", "replay.more", () => {
      const open = this.root.toggleAttribute("data-more");
      more.setAttribute("aria-expanded", String(open));
    }, { className: "more" });
    more.setAttribute("aria-expanded", "false");
    const group = (name, label, ...inside) => h("div", { className: `part ${name}`, role: "group", label }, inside);
    this.root = h("section", { className: "replay", label: t("replay.title") },
      this.timeline.root,
      h("div", { className: "controls" },
        group("drive", t("replay.drive"),
          button("start", "replay.to_start", () => replay.seek({ place: "start" }), { className: "wide" }),
          button("lap_back", "replay.lap_back", () => this.lap(-1), { className: "wide" }),
          button("back", "replay.back_10", () => this.by(-10_000_000)),
          this.play,
          button("on", "replay.on_10", () => this.by(10_000_000)),
          button("lap_on", "replay.lap_on", () => this.lap(1), { className: "wide" })),
        h("div", { className: "where" }, this.time, this.lapText),
        h("label", { className: "rate" }, this.rate),
        more,
        group("jump extra", t("replay.jump"),
          button("mark_back", "replay.mark_back", () => this.mark("previous")), this.kind, button("mark_on", "replay.mark_on", () => this.mark("next")),
          button("list", "replay.marks", () => this.moments.open())),
        group("steps extra", t("replay.steps"),
          button("record_back", "replay.record_back", () => replay.step(-1, "record")), button("frame_back", "replay.frame_back", () => replay.step(-1, "frame")),
          button("frame_on", "replay.frame_on", () => replay.step(1, "frame")), button("record_on", "replay.record_on", () => replay.step(1, "record"))),
        group("knowing extra", t("replay.knowing"), this.then, this.now, differs),
        group("rest extra", t("replay.rest"), button("link", "replay.link", () => this.links.open()), button("help", "replay.keys", () => this.help.showModal()))),
      this.note);
  }

  // --- what is shown ---

  #heard(message) {
    if (message.kind === "replay") {
      this.#seen.start = message.started_at ?? this.#seen.start;
      this.screen.header.quiet = this.replay.playing && (message.speed === "max" || message.speed > LOUD);
      if (this.#lapped?.at === null && this.#lapped.epoch !== this.screen.feed.state?.epoch) this.#lapped.at = message.at;
      this.#sayWhere(message);
    }
    if (message.kind === "replay_refused" && this.replay.refused) {
      this.#lapped = null;
      this.#say(refusal(this.replay.refused));
    }
    this.differing.heard(message);
    this.#render();
  }

  #render() {
    const { replay } = this;
    const { told, at } = replay;
    if (!told || !this.#state) return;
    this.#seen.first = Math.min(this.#seen.first, at);
    this.#seen.last = Math.max(this.#seen.last, at);
    const until = told.end ?? this.#seen.last;
    this.timeline.render({ span: spanOf(told, this.#state, this.#seen), at, until, marks: replay.marks, text: this.#whole() });
    set(this.time, this.#name(at));
    set(this.lapText, this.#lap());
    this.time.title = timeOfDay(at);
    const doing = replay.playing ? "pause" : told.state === "ended" ? "again" : "play";
    if (this.play.dataset.does !== doing) {
      this.play.dataset.does = doing;
      this.play.replaceChildren(icon(doing));
      this.play.setAttribute("aria-label", t(`replay.${doing}`));
      this.play.title = t(`replay.${doing}`);
    }
    document.documentElement.dataset.replayState = told.state;
    const speed = String(told.speed);
    if (![...this.rate.options].some(({ value }) => value === speed)) this.rate.add(new Option(speedText(told.speed), speed));
    if (document.activeElement !== this.rate || this.rate.value !== speed) this.rate.value = speed;
    this.then.setAttribute("aria-pressed", String(told.known === "then"));
    this.now.setAttribute("aria-pressed", String(told.known === "now"));
    document.documentElement.dataset.known = told.known;
    this.#write();
  }

  #name(at) {
    const start = this.replay.told?.started_at ?? this.#seen.start;
    if (start === null) return timeOfDay(at);
    return at < start ? `−${clock(start - at, { up: true })}` : clock(at - start);
  }

  #lap() {
    const { told } = this.replay;
    if (told.started_at === null) return t("session.scheduled");
    const of = this.#state.session.distance?.laps;
    return of ? t("replay.lap_of", { n: told.laps, of }) : t("replay.lap", { n: told.laps });
  }

  #whole() {
    const { session } = this.#state;
    const flag = session.status !== "scheduled" && has(`track.${session.track_status}`) ? t(`track.${session.track_status}`) : "";
    return [this.#name(this.replay.at), this.#lap(), flag].filter(Boolean).join(", ");
  }

  // Once it stands still where somebody led it: where that is.
  #sayWhere({ state, at, known, seq }) {
    const here = [state, at, known, seq].join();
    clearTimeout(this.#saying);
    if (state === "playing" || here === this.#saidFor) return;
    this.#saying = setTimeout(() => {
      this.#saidFor = here;
      if (!this.replay.refused) this.#say(this.#state ? this.#whole() : "", { unseen: true });
    }, 600);
  }

  #say(text, { unseen = false } = {}) {
    this.note.textContent = text;
    this.note.classList.toggle("unseen", unseen);
    clearTimeout(this.quiet);
    if (!unseen) this.quiet = setTimeout(() => (this.note.textContent = ""), 6_000);
  }

  // --- the address ---

  // The moment stands in the address, so that the page loaded anew, and the ways to the other screens, lead to it again.
  #write() {
    const { replay } = this;
    const place = replay.shared ? { known: null } : addressOf(replay.place);
    const key = replay.playing ? "" : JSON.stringify(place);
    const now = performance.now();
    if ((key && key === this.#written.key) || now - this.#written.at < ADDRESS_MS / (key ? 4 : 1)) return;
    this.#written = { key, at: now };
    if (!replay.shared) this.screen.choices.setAll(place);
    for (const way of document.querySelectorAll("#ways a:not([data-counterpart], [data-sheet])")) way.search = location.search;
  }

  #address() {
    const address = new URL(location.href);
    const place = addressOf(this.replay.place);
    address.searchParams.delete("moment");
    for (const name of PLACE) {
      if (place[name] === null || place[name] === undefined) address.searchParams.delete(name);
      else address.searchParams.set(name, place[name]);
    }
    return address.href;
  }

  #together() {
    const address = new URL(location.href);
    for (const name of PLACE) address.searchParams.delete(name);
    address.searchParams.set("moment", this.replay.moment);
    return address.href;
  }
}

/** A mark in words. */
function word(mark) {
  if (mark.kind === "leader") return t("said.leader", { car: mark.car });
  const text = messageText(mark);
  return mark.car ? t("replay.of_car", { car: mark.car, text }) : text;
}

function speedText(speed) {
  return speed === "max" ? t("replay.max") : t("replay.times", { n: speed });
}

function refusal({ do: what, error, to }) {
  if (what === "seek" && to?.next) return t("replay.none_later");
  if (what === "seek" && to?.previous) return t("replay.none_earlier");
  if (what === "seek" && to?.lap !== undefined) return t("replay.no_lap", { n: to.lap });
  return t("replay.refused", { error });
}

function choice(label, options) {
  const select = h("select", { label, title: label });
  for (const [value, text] of options) select.add(new Option(text, value));
  return select;
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
