// The way to the printed sheet of a result, there as soon as one was published.

import { t } from "./texts.js";

const ROOT = new URL("../../", import.meta.url);
const PUBLISHED = new Set(["provisional", "final"]);
const PARTS = ["classification", "classes", "points", "grid", "fastest", "chart", "stops", "decisions"]; // all but what takes long: every lap

/** Add the way to the sheet to the ways of the screen. */
export function addSheet(screen) {
  const link = document.createElement("a");
  const sheet = new URL(`api/sessions/${screen.session}/document.pdf`, ROOT);
  for (const part of PARTS) sheet.searchParams.append("part", part);
  link.href = sheet.href;
  link.dataset.sheet = "";
  link.textContent = "PDF"; // short, for telephones; its name says more
  link.setAttribute("aria-label", t("nav.sheet"));
  link.title = t("nav.sheet.title");
  link.hidden = true;
  const ways = document.querySelector("#ways");
  ways.append(link);
  screen.draws(({ session }) => {
    link.hidden = !PUBLISHED.has(session.status);
    if (!link.hidden) ways.hidden = false;
  });
}
