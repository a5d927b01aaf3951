// Race control's console: the field and what waits for a ruling, the actions, the log. Commands go only while the feed is live; every one has its answer.

import { Answers } from "./answers.js";
import { DecisionForm } from "./decisionform.js";
import { Desk } from "./desk.js";
import { h } from "./elements.js";
import { Entering } from "./entering.js";
import { Field } from "./field.js";
import { Flags } from "./flags.js";
import { Journal } from "./journal.js";
import { Mending } from "./mending.js";
import { PhotoFinish } from "./photofinish.js";
import { Proposal } from "./proposal.js";
import { Publishing } from "./publishing.js";
import { RedFlagResult } from "./redflag.js";
import { refusalText } from "./refusals.js";
import { Running } from "./running.js";
import { ROOT, Screen } from "./screen.js";
import { key, Shortcuts } from "./shortcuts.js";
import { Speaking } from "./speaking.js";
import { t } from "./texts.js";
import { Waiting } from "./waiting.js";

const SPEAKERS = { session: "timekeeper", entries: "timekeeper", control: "race-director", stewards: "steward", corrections: "timekeeper" };
const WORKS = { message: "m", decision: "d", photo: "h", redflag: "r", entries: "e", session: "s", corrections: "c", results: "p" };
const FIRST = [["control", "message"], ["stewards", "decision"], ["session", "session"], ["corrections", "corrections"], ["entries", "entries"]]; // what is open at the beginning, by what one may
const SIGNED_IN_EVERY_MS = 30_000;
const AGAIN_MS = 2_000;
const OFFER_AGAIN_MS = 150; // what was accepted is on the disk, and a moment later in what is shown
const OFFER_TRIES = 20;

const $ = (id) => document.querySelector(`#${id}`);
const screen = new Screen({ live: true });
const desk = new Desk(screen.session, changed);
const keys = new Shortcuts(screen, $("help"));
const proposal = new Proposal($("proposal"), desk);
const context = { screen, desk, keys, proposal, work, offer };
const flags = new Flags($("flags"), context);
const answers = new Answers($("answers"), desk);
const journal = new Journal($("journal"), { ...context, onRecords: learn });
const works = {
  message: new Speaking($("message"), context),
  decision: new DecisionForm($("decision"), context),
  photo: new PhotoFinish($("photo"), context),
  redflag: new RedFlagResult($("redflag"), context),
  entries: new Entering($("entries"), context),
  session: new Running($("session"), context),
  corrections: new Mending($("corrections"), context),
  results: new Publishing($("results"), context),
};
const field = new Field($("field"), { keys, onChoose: choose });
const waiting = new Waiting($("waiting"), context);
const tabs = Object.entries(WORKS).map(([name, letter]) => {
  keys.leads(letter, t(`work.${name}`), () => work(name));
  return h("button", { type: "button", className: "button", data: { work: name }, onclick: () => work(name) }, t(`work.${name}`), key(letter));
});
const help = h("button", { type: "button", className: "button", onclick: () => keys.show() }, t("keys.title"), key("?"));
$("works").append(...tabs);
$("tools").append(help);

let controls = null;
let replayed = false; // nobody speaks in a replay, and nobody is asked who they are

// Lead to one of the works, to begin there with what is `given`; `quietly`: only show it, the focus stays where it is.
function work(name, given, quietly = false) {
  for (const other of Object.keys(works)) $(other).hidden = other !== name;
  for (const tab of tabs) tab.ariaPressed = String(tab.dataset.work === name);
  proposal.close();
  works[name].choose(field.chosen);
  if (quietly) return;
  works[name].focus();
  if (given !== undefined) works[name].begin(given);
}

function choose(car) {
  for (const each of Object.values(works)) each.choose(car);
  if (screen.state) field.render(screen.state);
}

// Something about commands has changed: what may be done, the line, an answer.
function changed() {
  answers.render();
  const live = desk.live && desk.me !== null && controls !== null;
  for (const each of document.querySelectorAll("fieldset.commands")) {
    const { channel } = each.dataset;
    each.disabled = !live || !(channel === "any" ? desk.me.channels.length : desk.may(channel));
  }
  for (const each of document.querySelectorAll(".denied")) {
    const channel = each.dataset.for;
    each.hidden = !desk.me || desk.may(channel);
    each.textContent = each.hidden ? "" : t("desk.denied", { who: t(`role.${SPEAKERS[channel]}`), role: desk.me.roles.map((role) => t(`role.${role}`)).join(", ") });
  }
  document.documentElement.dataset.desk = live ? "on" : "off";
  $("off").hidden = desk.live || !controls;
  if (controls && !desk.me && $("gate").hidden) gate({ signed_in: false });
  $("exercise").hidden = desk.sessionTime === null;
  $("exercise").textContent = t("desk.exercise");
  if (desk.entries.some(({ state }) => state !== "pending")) journal.read();
}

function gate(me) {
  const may = Boolean(me.signed_in && me.channels.length);
  $("gate").hidden = may;
  $("console").hidden = !may && !controls; // who was signed in keeps what is on the screen
  if (may) return true;
  const signIn = new URL("sign-in", ROOT);
  signIn.searchParams.set("next", location.pathname);
  const why = me.code === "away" ? "gate.away" : me.replay ? "gate.replay" : me.signed_in ? "gate.viewer" : "gate.signed_out";
  const reason = me.code && me.code !== "away" ? refusalText(me) : null;
  $("gate").replaceChildren(h("h2", {}, t("gate.title")), h("p", {}, t(why, { name: me.name ?? "", roles: (me.roles ?? []).map((role) => t(`role.${role}`)).join(", ") })),
    reason ? h("p", {}, reason) : "", me.replay ? "" : h("p", {}, h("a", { className: "button send", href: signIn.href, id: "to-sign-in" }, t("sign-in.title"))));
  return false;
}

async function enter() {
  const me = await desk.enter();
  const shown = desk.me !== null && !$("console").hidden;
  if (me.code === "away" && shown) return; // the line says so by itself
  if (gate(me) && !controls) {
    await offer();
    if (controls === null) {
      setTimeout(enter, AGAIN_MS); // the service answered, and then did not
      return;
    }
    journal.read();
    if (screen.state) draw(screen.state);
    const usual = FIRST.find(([channel]) => desk.may(channel));
    if (usual) work(usual[1], undefined, true);
    changed();
  }
}

const CHOSEN_FROM = new Set(["entry_registered", "grid_set", "decision", "event_voided"]);

// The log has gone on: what others said is offered too, and what was taken back is not.
function learn() {
  works.decision.learn(journal.records);
  const known = controls?.seq ?? Infinity;
  const latest = journal.records.filter(({ seq, event }) => seq > known && CHOSEN_FROM.has(event.type)).pop();
  if (latest) offer(latest.seq);
}

// What there is to choose from: asked for at the beginning, and where it may have changed; `after` a record, until that is in it.
async function offer(after = 0) {
  for (let tries = 0; tries < OFFER_TRIES; tries += 1) {
    try {
      controls = await screen.document(`api/sessions/${encodeURIComponent(screen.session)}/controls`);
    } catch {
      return; // what is shown stays; the line says by itself that it is away
    }
    if (controls.seq >= after) break;
    await new Promise((resolve) => setTimeout(resolve, OFFER_AGAIN_MS));
  }
  for (const part of [flags, works.decision, works.corrections, works.entries, works.session]) part.offer(controls);
}

function draw(state) {
  desk.hear(state.at, document.documentElement.dataset.link === "live", state.session.status);
  journal.hear(state.seq);
  for (const part of [flags, field, waiting, works.decision, works.photo, works.redflag, works.session, works.results]) part.render(state);
  $("exercise").hidden = desk.sessionTime === null;
}

screen.draws(draw);
new MutationObserver(() => {
  const live = document.documentElement.dataset.link === "live";
  if (live === desk.live) return;
  desk.hear(desk.at, live);
  changed();
  if (live && !replayed) enter();
}).observe(document.documentElement, { attributeFilter: ["data-link"] });
const { replay } = await screen.document("api/feed").catch(() => ({}));
replayed = Boolean(replay);
if (replayed) gate({ replay: true });
else {
  await enter();
  setInterval(enter, SIGNED_IN_EVERY_MS);
}
await screen.open();
