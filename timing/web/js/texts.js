// Every word of the screens, by language. The catalogues lie in texts/, one for what all screens share and one for each screen, with both
// languages side by side. A language is added by giving each of them its texts; a test holds them complete.

import charts from "./texts/charts.js";
import control from "./texts/control.js";
import leaderboard from "./texts/leaderboard.js";
import redflag from "./texts/redflag.js";
import refused from "./texts/refused.js";
import replay from "./texts/replay.js";
import shell from "./texts/shell.js";
import signIn from "./texts/sign-in.js";
import works from "./texts/works.js";

const PARTS = [control, shell, leaderboard, charts, replay, signIn, works, redflag, refused];

export const CATALOGUES = {
  en: Object.assign({}, ...PARTS.map(({ en }) => en)),
  fr: Object.assign({}, ...PARTS.map(({ fr }) => fr)),
};

/** What each language calls itself. */
export const LANGUAGES = { en: "English", fr: "Français" };

let language = "en";
let plurals = new Intl.PluralRules("en");

/** Choose the first of `wished` (language tags) that has a catalogue; give the one chosen. */
export function chooseLanguage(wished) {
  language = wished.map((tag) => tag.toLowerCase().split("-")[0]).find((tag) => tag in CATALOGUES) ?? "en";
  plurals = new Intl.PluralRules(language);
  return language;
}

/** The text of `key`, its `{names}` filled in. A key without a text shows itself: better than nothing, and a test finds it. */
export function t(key, values = {}) {
  const text = CATALOGUES[language][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** The names of the places in the text of `key`. */
export function places(key) {
  return [...CATALOGUES[language][key].matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
}

/** Whether there is a text for `key`. */
export function has(key) {
  return key in CATALOGUES[language];
}

/** `plural("lap", 2)`: `2 laps`. */
export function plural(key, n) {
  return t(`${key}.${plurals.select(n) === "one" ? "one" : "other"}`, { n });
}

/** Fill in the texts that a page names in its HTML: `data-text` is what an element says, `data-label` what it is called. */
export function fillIn(root) {
  for (const place of root.querySelectorAll("[data-text]")) place.textContent = t(place.dataset.text);
  for (const place of root.querySelectorAll("[data-label]")) place.setAttribute("aria-label", t(place.dataset.label));
}
