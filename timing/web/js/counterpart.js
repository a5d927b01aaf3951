// The way between what is live and the same session again: on the live screens to the replay, on those of a replay back to what is live.

import { t } from "./texts.js";

const ROOT = new URL("../../", import.meta.url);
const GOES_ON = new Set(["running", "suspended"]);
const BACK_US = 30_000_000; // so much before what is shown a replay of a running session begins
const KEPT = ["class", "order", "columns", "theme", "lang", "car", "view", "chart", "cars", "reference"];
const ASKED = ["pointerenter", "pointerdown", "focus", "click"]; // before any of these is over, the address is that of now

/** Add the way to `address`, the other pages (`:PORT`: on this host), to the ways of the screen. */
export function addWay(screen, address) {
  const link = document.createElement("a");
  link.dataset.counterpart = "";
  link.textContent = screen.replay ? t("nav.live") : t("nav.replay");
  link.title = screen.replay ? t("nav.live.title") : t("nav.replay.title");
  const update = () => (link.href = wayTo(pagesAt(address), screen));
  for (const kind of ASKED) link.addEventListener(kind, update);
  update();
  const ways = document.querySelector("#ways");
  ways.append(link);
  ways.hidden = false;
}

/** The pages at `address`, which is one, or `:PORT`. */
function pagesAt(address) {
  if (!address.startsWith(":")) return new URL(address.endsWith("/") ? address : `${address}/`);
  const pages = new URL("/", location.href);
  pages.port = address.slice(1);
  return pages;
}

// The same screen of the same session, with what the viewer chose; of a session that goes on, a little before what is shown.
function wayTo(pages, { session, choices, state, replay }) {
  const there = new URL(location.pathname.slice(ROOT.pathname.length).replace(/\/control$/, ""), pages);
  for (const name of KEPT) {
    const chosen = choices.get(name);
    if (chosen !== null) there.searchParams.set(name, chosen);
  }
  if (!replay && state?.session.started_at && GOES_ON.has(state.session.status)) {
    there.searchParams.set("at", String(Math.max(state.at - BACK_US, state.session.started_at)));
    there.searchParams.set("known", "then");
    there.searchParams.set("play", "");
  }
  return there.href;
}
