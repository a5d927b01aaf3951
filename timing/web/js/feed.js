// The feed's client: keeps one session's state over a WebSocket that may break, stall or come back as another process.

import { Replica } from "./apply.js";

const LIMITS = {
  firstRetryMs: 400,
  longestRetryMs: 8_000,
  openWithinMs: 8_000, // no connection and snapshot by then: the attempt is given up
  resumedWithinMs: 1_500, // a resumed line on which nothing was missed says nothing: ask, to be sure
  silentAfterMs: 20_000, // nothing heard: ask for a snapshot, to know whether the line still carries
  answerWithinMs: 6_000, // no answer to that: the line is dead
};

/**
 * `new Feed({url, session, onState, onLink}).start()`.
 * `onState(state)` after each frame taken in; `onLink(link)` with "connecting", "live" or "offline". `query()` gives what else the address
 * says, `onOpen()` is called with each new line, `onAside(message)` with what comes beside the frames: answers, and what a replay tells.
 */
export class Feed {
  #replica = new Replica();
  #socket = null;
  #retries = 0;
  #timer = null; // one at a time: the next attempt, or the limit of the present wait
  #resyncing = false;
  #link = null;
  #stopped = true;

  constructor({ url, session, onState, onLink, query = () => ({}), onOpen = () => {}, onAside = () => {}, limits = LIMITS }) {
    this.url = url;
    this.session = session;
    this.onState = onState;
    this.onLink = onLink;
    this.query = query;
    this.onOpen = onOpen;
    this.onAside = onAside;
    this.limits = limits;
  }

  get state() {
    return this.#replica.state;
  }

  start() {
    this.#stopped = false;
    addEventListener("online", this.#wake);
    document.addEventListener("visibilitychange", this.#wake);
    this.#connect();
  }

  stop() {
    this.#stopped = true;
    removeEventListener("online", this.#wake);
    document.removeEventListener("visibilitychange", this.#wake);
    clearTimeout(this.#timer);
    this.#drop();
  }

  /** Ask for a whole snapshot on the open line. */
  resync() {
    if (this.#resyncing || this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#resyncing = true;
    this.#socket.send('{"kind":"resync"}');
    this.#wait(this.limits.answerWithinMs, this.#lost);
  }

  /** Ask something beside the frames; what is asked while there is no line is lost. */
  ask(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #connect() {
    this.#say(this.#link === "offline" ? "offline" : "connecting");
    this.#resyncing = false;
    const socket = new WebSocket(this.#address());
    this.#socket = socket;
    socket.onopen = () => socket === this.#socket && this.#opened();
    socket.onmessage = ({ data }) => socket === this.#socket && this.#receive(data);
    socket.onclose = () => socket === this.#socket && this.#lost();
    this.#wait(this.limits.openWithinMs, this.#lost);
  }

  #address() {
    const address = new URL(`v1/sessions/${encodeURIComponent(this.session)}`, this.url.endsWith("/") ? this.url : `${this.url}/`);
    const resume = this.state ? { epoch: this.state.epoch, rev: this.state.rev } : {};
    address.search = new URLSearchParams({ ...this.query(), ...resume }).toString();
    return address.href;
  }

  #opened() {
    this.onOpen();
    if (this.state === null) return; // a first snapshot is on its way
    this.#say("live");
    this.#wait(this.limits.resumedWithinMs, () => this.resync());
  }

  #receive(data) {
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      this.#lost(); // not this protocol, or cut short: begin again
      return;
    }
    if (frame?.kind !== "snapshot" && frame?.kind !== "delta") {
      this.onAside(frame);
      return;
    }
    const became = this.#replica.take(frame);
    if (became === "resync") {
      this.resync();
      return;
    }
    if (frame.kind === "snapshot") this.#resyncing = false;
    this.#retries = 0;
    this.#say("live");
    if (!this.#resyncing) this.#wait(this.limits.silentAfterMs, () => this.resync());
    if (became === "applied") this.onState(this.state);
  }

  #lost = () => {
    this.#drop();
    if (this.#stopped) return;
    this.#say("offline");
    const longest = Math.min(this.limits.firstRetryMs * 2 ** this.#retries, this.limits.longestRetryMs);
    this.#retries = Math.min(this.#retries + 1, 16);
    this.#wait(longest * (0.5 + Math.random() / 2), () => this.#connect());
  };

  // A tab that slept, or a network that came back: do not sit out the wait.
  #wake = () => {
    if (document.visibilityState === "hidden") return;
    if (this.#socket === null) {
      this.#retries = 0;
      this.#connect();
    } else this.resync();
  };

  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #wait(ms, then) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(then, ms);
  }

  #say(link) {
    if (link === this.#link) return;
    this.#link = link;
    this.onLink(link);
  }
}
