// Why a car is where it is, in the viewer's language, from the explanation's values; the service's own words, in English, below.

import { decisionText } from "./decisions.js";
import { h } from "./elements.js";
import { duration, timeOfDay } from "./format.js";
import { has, plural, t } from "./texts.js";

/** The explanation as an element; `row` is the car's, for its decisions. */
export function explained(explanation, row) {
  const place = explanation.position === null ? statusOf(explanation) : t("result.place", { n: explanation.position });
  const said = [t("why.places", { road: explanation.on_the_road, result: place, laps: plural("lap", explanation.result_laps) })];
  if (explanation.total_us !== null) said.push(t("why.total", { total: duration(explanation.total_us) }));
  if (explanation.shown !== explanation.on_the_road) said.push(t("why.frozen", { shown: explanation.shown }));
  const neighbours = explanation.result.length ? explanation.result : explanation.road;
  said.push(...neighbours.map(neighbour));
  said.push(...explanation.decisions.map((each) => decisionOf(each, row)));
  said.push(...explanation.corrections.map(({ at, key }) => t("why.taken", { time: timeOfDay(at), key })));
  const rules = explanation.rules.map(({ key, value, source }) => h("li", { title: source }, h("code", { textContent: `${key} = ${value}` })));
  return h("div", {},
    h("ul", { className: "plain" }, said.map((text) => h("li", { textContent: text }))),
    h("details", {}, h("summary", { textContent: t("why.rules") }), h("ul", { className: "plain" }, rules)),
    h("details", {}, h("summary", { textContent: t("why.words") }), h("div", { lang: "en", className: "words" }, explanation.words.map((text) => h("p", { textContent: text })))));
}

function neighbour({ car, where, by, laps, time_us: us }) {
  const how = laps ? plural("lap", laps) : us !== null && us > 0 ? duration(us) : has(`why.by.${by}`) ? t(`why.by.${by}`) : by;
  return t(`why.${where}`, { car, how });
}

function decisionOf(decided, row) {
  const shown = row.penalties?.find(({ decision }) => decision === decided.decision);
  const article = decided.article ? ` (${decided.article})` : "";
  return t("why.decision", { text: decisionText(shown ?? decided) + article });
}

function statusOf({ status }) {
  return has(`result.${status}`) ? t(`result.${status}`) : "–";
}
