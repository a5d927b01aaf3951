// Signing in and out. The token goes to the service and nowhere else: not into the address, not into storage; a cookie comes back that no
// script can read. `?next=/s/…` says where to go then, on this service alone.

import { Choices, dress, languages } from "./choices.js";
import { refusalText } from "./refusals.js";
import { chooseLanguage, fillIn, t } from "./texts.js";

const ROOT = new URL("../../", import.meta.url);
const WITHIN_MS = 8_000;

const choices = new Choices();
const language = chooseLanguage(languages(choices));
document.documentElement.lang = language;
dress(choices.get("theme") ?? "auto");
fillIn(document);
document.title = `${t("sign-in.title")} · Parc Fermé`;

const form = document.querySelector("#form");
const token = document.querySelector("#token");
const said = document.querySelector("#said");

// Where one came from, if that is a place under the pages' own address.
function next() {
  try {
    const wished = new URL(new URLSearchParams(location.search).get("next") ?? "", ROOT);
    if (wished.origin === ROOT.origin && wished.pathname.startsWith(ROOT.pathname)) return wished;
  } catch {
    // no address at all
  }
  return ROOT;
}

async function ask(path, body) {
  const send = body === undefined ? {} : { method: "POST", headers: { "x-parcferme": "1" }, body: JSON.stringify(body) };
  try {
    const answer = await fetch(new URL(path, ROOT), { ...send, signal: AbortSignal.timeout(WITHIN_MS) });
    return await answer.json();
  } catch {
    return { code: "away", reason: t("refused.away") };
  }
}

function say(answer) {
  said.textContent = answer.code ? refusalText(answer) : "";
}

function show(me) {
  form.hidden = Boolean(me.signed_in);
  document.querySelector("#signed-in").hidden = !me.signed_in;
  if (me.signed_in) {
    const until = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(me.until / 1000));
    const roles = me.roles.map((role) => t(`role.${role}`)).join(", ");
    document.querySelector("#who").textContent = t("sign-in.who", { name: me.name, roles, until });
    const everywhere = me.sessions.includes("*");
    document.querySelector("#what").textContent = everywhere ? t("sign-in.everywhere") : t("sign-in.what", { sessions: me.sessions.join(", ") });
    document.querySelector("#next").href = next().href;
  } else {
    token.focus();
  }
  document.documentElement.dataset.signedIn = String(Boolean(me.signed_in));
}

// On this device the screens then show the way to race control. It is a signpost, no right: those are the service's to know.
function remember({ signed_in: signedIn, channels, code }) {
  if (!code) choices.keep("speaks", signedIn && channels.length ? "1" : null);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = await ask("api/sign-in", { token: token.value });
  token.value = "";
  say(answer);
  remember(answer);
  if (answer.signed_in) location.replace(next());
  else token.focus();
});

document.querySelector("#out").addEventListener("click", async () => {
  const answer = await ask("api/sign-out", {});
  say(answer);
  remember(answer);
  if (!answer.code) show(answer);
});

const me = await ask("api/me");
remember(me);
show(me);
if (me.code !== "revoked") say(me); // who has just signed out knows
