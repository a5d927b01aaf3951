// The list of sessions; with `data-wait` on the body, the page goes to the first session that is opened. With `data-said` the page says
// something else in the language that it is written in.

import { Choices, dress, languages } from "./choices.js";
import { chooseLanguage, t } from "./texts.js";

const ROOT = new URL("../../", import.meta.url);
const EVERY_MS = 2_000;

const choices = new Choices();
const wished = "said" in document.body.dataset ? [document.documentElement.lang] : languages(choices);
document.documentElement.lang = chooseLanguage(wished);
dress(choices.get("theme") ?? "auto");
const title = document.querySelector("[data-text]");
if (title) title.textContent = t(title.dataset.text);
const none = document.querySelector("#none");
if (none) none.textContent = t("sessions.none");
for (const status of document.querySelectorAll("[data-status]")) status.textContent = t(`session.${status.dataset.status}`);

async function look() {
  try {
    const answer = await fetch(new URL("api/sessions", ROOT), { signal: AbortSignal.timeout(8_000) });
    const { sessions } = await answer.json();
    if (sessions.length > 0) location.assign(new URL(`s/${sessions.at(-1).session}`, ROOT));
  } catch {
    // the service is away for a moment; the next look will tell
  }
}

if ("wait" in document.body.dataset) setInterval(look, EVERY_MS);
