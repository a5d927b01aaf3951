// Why something was refused, in the viewer's language: by its code and what it names; where there are no words for it, the service's English ones.

import { h } from "./elements.js";
import { has, places, t } from "./texts.js";

/** The words of the catalogue for a refusal; null where there are none, or where they name what the refusal does not. */
function translated({ code, data = {} }) {
  const key = `refused.${code}`;
  return has(key) && places(key).every((name) => name in data) ? t(key, data) : null;
}

/** Why, as text. */
export function refusalText(refusal) {
  return translated(refusal) ?? refusal.reason ?? refusal.code;
}

/** `refused: why (code)`, or another text of the catalogue with these places, as what an element is made of; English words are marked as such. */
export function refusalWords(key, refusal) {
  const why = translated(refusal) ?? h("span", { lang: "en" }, refusal.reason ?? refusal.code);
  const [before, after] = t(key, { reason: "\n", code: refusal.code ?? "" }).split("\n");
  return [before, why, after];
}
