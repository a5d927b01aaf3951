// The leaderboard page: feed in, screen out.

import { Choices, dress, languages } from "./choices.js";
import { Feed } from "./feed.js";
import { Header } from "./header.js";
import { Leaderboard } from "./leaderboard.js";
import { Messages } from "./messages.js";
import { chooseLanguage, t } from "./texts.js";
import { Toolbar } from "./toolbar.js";

const ROOT = new URL("../../", import.meta.url); // the address the pages live under, whatever stands before them
const OTHER_SESSIONS_EVERY_MS = 15_000;
const OVER = new Set(["finished", "provisional", "final"]);

const session = decodeURIComponent(location.pathname.split("/").pop());
const choices = new Choices();
document.documentElement.lang = chooseLanguage(languages(choices));
dress(choices.get("theme") ?? "auto");

const now = () => Math.round(performance.now() * 1000);
const header = new Header(document);
const board = new Leaderboard(document.querySelector("#board"));
const messages = new Messages(document.querySelector("#messages"));
const toolbar = new Toolbar(document.querySelector("#toolbar"), choices, () => draw(true));

let feed = null;
let drawn = null;
let asked = false;

function draw(again = false) {
  const state = feed?.state;
  if (!state || (state === drawn && !again)) return;
  drawn = state;
  toolbar.render(state);
  header.render(state, now());
  board.render(state, toolbar.choice(state));
  messages.render(state.messages);
  document.documentElement.dataset.rev = `${state.epoch}/${state.rev}`;
}

// Frames may come faster than the screen shows: each picture draws what is known by then.
function ask() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    draw();
  });
}

async function json(path) {
  const answer = await fetch(new URL(path, ROOT), { signal: AbortSignal.timeout(8_000) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

async function feedAddress() {
  for (;;) {
    try {
      return (await json("api/feed")).url;
    } catch {
      header.link("offline");
      await new Promise((resolve) => setTimeout(resolve, 2_000));
    }
  }
}

// When this session is over, or its feed is gone: say where the racing goes on.
async function lookElsewhere() {
  const over = !feed?.state || OVER.has(feed.state.session.status) || document.documentElement.dataset.link === "offline";
  const link = document.querySelector("#elsewhere");
  if (!over) {
    link.hidden = true;
    return;
  }
  try {
    const { sessions } = await json("api/sessions");
    const here = sessions.findIndex((each) => each.session === session);
    const other = sessions.filter((each, i) => i > here && each.status === "running").pop();
    link.hidden = !other;
    if (other) {
      link.href = new URL(`s/${other.session}`, ROOT).href;
      link.textContent = t("sessions.other", { name: other.name });
    }
  } catch {
    link.hidden = true; // the pages are down as well: the state of the line says so
  }
}

header.link("connecting");
feed = new Feed({ url: await feedAddress(), session, onState: ask, onLink: (link) => header.link(link) });
globalThis.parcferme = { feed }; // for looking at from outside: tests, overlays
feed.start();
setInterval(() => header.tick(now()), 200);
setInterval(lookElsewhere, OTHER_SESSIONS_EVERY_MS);
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && ask());
