// What every screen does alike: language and theme, the feed with the viewer's delay, the head, one picture for however many frames came.
//
//   const screen = new Screen();
//   screen.draws((state) => …);      // whatever is to be drawn of a state of the feed
//   await screen.open();

import { addWay } from "./counterpart.js";
import { Choices, dress, languages } from "./choices.js";
import { Delay } from "./delay.js";
import { Feed } from "./feed.js";
import { Header } from "./header.js";
import { addSheet } from "./resultsheet.js";
import { SettingsDialog } from "./settings.js";
import { chooseLanguage, fillIn, t } from "./texts.js";

export const ROOT = new URL("../../", import.meta.url); // the address the pages live under, whatever stands before them
export const OVER = new Set(["finished", "provisional", "final"]);

const OTHER_SESSIONS_EVERY_MS = 15_000;
const TICK_MS = 200;

export class Screen {
  #draws = [];
  #drawn = null;
  #asked = false;
  #left = [];

  /** `live`: nothing is ever shown later, whatever delay the viewer keeps. */
  constructor({ live = false } = {}) {
    this.live = live;
    this.session = decodeURIComponent(location.pathname.slice(ROOT.pathname.length).split("/")[1]);
    this.choices = new Choices();
    document.documentElement.lang = chooseLanguage(languages(this.choices));
    dress(this.choices.get("theme") ?? "auto");
    document.documentElement.toggleAttribute("data-kiosk", this.choices.kiosk);
    fillIn(document);
    this.header = new Header(document);
    this.delay = new Delay(() => this.#ask());
    this.settings = new SettingsDialog(document, this);
    this.feed = null;
    this.replay = null; // of a replay, what drives it
    if (this.choices.is("speaks")) for (const way of document.querySelectorAll("#ways [data-speakers]")) way.hidden = false;
    document.querySelector("#ways").hidden = document.querySelectorAll("#ways a:not([hidden])").length < 2;
  }

  /** The state that is shown: the feed's, by the viewer's delay later; null before the first. */
  get state() {
    return this.delay.state;
  }

  /**
   * Have `draw(state)` called with every state that is to be shown, at most once a picture. What it need not draw at once it leaves to the
   * function that it gives: called once in each picture that follows until it says that all is drawn.
   */
  draws(draw) {
    this.#draws.push(draw);
  }

  /** Draw what is shown once more: a choice of the viewer's changed. */
  again() {
    const state = this.delay.state ?? this.#drawn; // while a delay fills, the picture before it stands
    this.#drawn = null;
    this.#draw(state);
  }

  /** Show everything so many seconds later. */
  delayBy(seconds) {
    this.delay.set(seconds);
    if (this.delay.state === null) this.header.hold();
    this.#tick();
  }

  /** Connect, and go on until the page is left. */
  async open() {
    this.header.link("connecting");
    const { url, replay, ...known } = await this.#feedAddress();
    const line = { url, session: this.session, onState: (state) => this.delay.take(state), onLink: (link) => this.header.link(link) };
    if (replay) {
      const { openReplay } = await import("./replaybar.js");
      await openReplay(this, line);
    } else {
      if (!this.live) this.delay.set(Number(this.choices.get("delay") ?? 0));
      this.feed = new Feed(line);
    }
    const counterpart = replay ? known.live_url : known.replay_url;
    if (counterpart) addWay(this, counterpart);
    if (known.sheets) addSheet(this);
    globalThis.parcferme = { feed: this.feed, screen: this }; // for looking at from outside: tests, overlays
    this.feed.start();
    setInterval(() => this.#tick(), TICK_MS);
    setInterval(() => this.#lookElsewhere(), OTHER_SESSIONS_EVERY_MS);
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#ask());
  }

  /** Ask the service for a document, by its address below the pages' own: `api/sessions/…`; of a replay, as of its moment. */
  async document(path) {
    const address = new URL(path, ROOT);
    if (this.replay && path.startsWith("api/sessions/")) address.searchParams.set("moment", this.replay.moment);
    const answer = await fetch(address, { signal: AbortSignal.timeout(8_000) });
    if (!answer.ok) throw Object.assign(new Error(`${path}: ${answer.status}`), { status: answer.status });
    return answer.json();
  }

  #tick() {
    this.header.tick(this.#now());
    this.replay?.tick();
    this.header.delayed(this.delay.seconds, this.delay.fillingFor);
  }

  // What the clocks run by, in microseconds: local time, or the instant that a replay has come to.
  #now() {
    return this.replay?.at ?? Math.round(performance.now() * 1000);
  }

  #draw(state = this.delay.state) {
    if (!state || state === this.#drawn) return;
    this.#drawn = state;
    this.header.render(state, this.#now(), this.replay ? state.at : undefined);
    this.#finish(state, this.#draws.map((draw) => draw(state)).filter((rest) => typeof rest === "function"));
  }

  // A page says which state it shows when all of it is drawn.
  #finish(state, rests) {
    this.#left = rests;
    if (rests.length === 0) document.documentElement.dataset.rev = `${state.epoch}/${state.rev}`;
    else requestAnimationFrame(() => rests === this.#left && this.#finish(state, rests.filter((rest) => !rest())));
  }

  // Frames may come faster than the screen shows: each picture draws what is known by then.
  #ask() {
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => {
      this.#asked = false;
      this.#draw();
    });
  }

  async #feedAddress() {
    for (;;) {
      try {
        return await this.document("api/feed");
      } catch {
        this.header.link("offline");
        await new Promise((resolve) => setTimeout(resolve, 2_000));
      }
    }
  }

  // Watching is for those who are signed in, and one's sign-in is over: the line will not come back by itself.
  #signInAgain() {
    const address = new URL("sign-in", ROOT);
    address.searchParams.set("next", `${location.pathname}${location.search}`);
    location.replace(address);
  }

  // When this session is over, or its feed is gone: say where the racing goes on.
  async #lookElsewhere() {
    if (this.replay) return;
    const over = !this.state || OVER.has(this.state.session.status) || document.documentElement.dataset.link === "offline";
    const link = document.querySelector("#elsewhere");
    if (!over) {
      link.hidden = true;
      return;
    }
    try {
      const { sessions } = await this.document("api/sessions");
      const here = sessions.findIndex((each) => each.session === this.session);
      const other = sessions.filter((each, i) => i > here && each.status === "running").pop();
      link.hidden = !other;
      if (other) {
        link.href = new URL(`s/${other.session}`, ROOT).href;
        link.textContent = t("sessions.other", { name: other.name });
      }
    } catch ({ status }) {
      link.hidden = true; // the pages are down as well: the state of the line says so
      if (status === 401) this.#signInAgain();
    }
  }
}
