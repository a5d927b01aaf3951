// Before it is sent: what an event would change, in places, as the service works it out; then a reason, and the event goes. Nothing here changes
// anything until "Send" is pressed.

import { h, table } from "./elements.js";
import { duration, timeOfDay } from "./format.js";
import { instantOf, writtenInstant } from "./instants.js";
import { refusalWords } from "./refusals.js";
import { has, plural, t } from "./texts.js";

const AGAIN_MS = 700; // the service makes one preview at a time
const TRIES = 12;

export class Proposal {
  #asked = 0;
  #made = null;

  constructor(root, desk) {
    this.root = root;
    this.desk = desk;
    root.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
  }

  /** Whether one is open. */
  get isOpen() {
    return !this.root.hidden;
  }

  /**
   * Show what `event` on `channel` would change. `reason`: corrections say why; `at`: an instant to be chosen, beginning with this one;
   * `sure`: words to be agreed to, where it cannot be taken back; `seconds`: an amount that may be said; `also`: what is sent after it, once it
   * was accepted (`{title, channel, event}`); `sent`: called when it is accepted.
   */
  open(made) {
    this.#made = made;
    const why = made.reason ? h("input", { id: "why", required: true, maxLength: 1000, autocomplete: "off" }) : null;
    const when = made.at !== undefined ? h("input", { id: "when", required: true, autocomplete: "off", value: writtenInstant(made.at), pattern: "\\d{1,2}:\\d{2}:\\d{2}([.,]\\d{1,6})?" }) : null;
    const sure = made.sure ? h("input", { type: "checkbox", id: "sure", required: true }) : null;
    const seconds = made.seconds ? h("input", { id: "seconds", className: "short", inputMode: "decimal", autocomplete: "off", pattern: "\\d+([.,]\\d+)?" }) : null;
    this.why = why;
    this.seconds = seconds;
    this.when = when;
    this.found = h("div", { className: "found", id: "found", role: "status" });
    const form = h("form", { onsubmit: (event) => this.#send(event) },
      h("h3", { tabIndex: -1 }, made.title), this.found,
      when ? h("p", { className: "line" }, h("label", { htmlFor: "when" }, t("proposal.when")), when, h("small", {}, t("proposal.when_help"))) : null,
      seconds ? h("p", { className: "line" }, h("label", { htmlFor: "seconds" }, t("amount.seconds")), seconds, h("small", {}, made.seconds)) : null,
      why ? h("p", { className: "line" }, h("label", { htmlFor: "why" }, t("proposal.why")), why) : null,
      sure ? h("p", { className: "line" }, sure, h("label", { htmlFor: "sure" }, made.sure)) : null,
      h("p", { className: "line go" },
        h("button", { className: "button send", id: "send" }, t("proposal.send")),
        h("button", { type: "button", className: "button", onclick: () => this.close() }, t("proposal.cancel"))));
    for (const each of [when, seconds]) if (each) each.onchange = () => this.#look();
    this.root.replaceChildren(h("fieldset", { className: "commands", data: { channel: "any" }, disabled: !this.desk.live }, form));
    this.root.hidden = false;
    (when ?? seconds ?? why ?? sure ?? form.querySelector("#send")).focus({ preventScroll: true });
    this.root.scrollIntoView({ block: "start" });
    this.#look();
  }

  close() {
    this.#asked += 1;
    this.#made = null;
    this.root.hidden = true;
    this.root.replaceChildren();
  }

  #event() {
    const { event, channel, at } = this.#made;
    const moved = this.when ? { at: instantOf(this.when.value, at) } : {};
    const why = this.why ? { reason: this.why.value.trim() || t("proposal.no_reason") } : {};
    const amount = this.seconds?.value ? { seconds: Number(this.seconds.value.replace(",", ".")) } : {};
    return { ...event, ...moved, ...amount, ...why, ...(channel === "corrections" ? { by: this.desk.me.name } : {}) };
  }

  async #look() {
    if ([this.when, this.seconds].some((each) => each && !each.checkValidity())) return;
    const asked = ++this.#asked;
    this.found.className = "found waiting";
    this.found.textContent = t("proposal.waiting");
    let answer = {};
    for (let tries = 0; tries < TRIES; tries += 1) {
      const { channel, also } = this.#made;
      const asking = [{ channel, event: this.#event() }, ...(also ? [also] : [])];
      answer = await this.desk.preview(asking.map((each, i) => ({ id: `preview-${i + 1}`, ...this.desk.stamped(each.channel, each.event) })));
      if (asked !== this.#asked) return;
      if (answer.code !== "busy") break;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      if (asked !== this.#asked) return;
    }
    this.found.className = "found";
    this.found.replaceChildren(...changes(answer, this.#made.event.car));
  }

  async #send(submitted) {
    submitted.preventDefault();
    const { channel, title, sent, also } = this.#made;
    const event = this.#event();
    this.close();
    document.querySelector("#answers").focus({ preventScroll: true });
    const entry = await this.desk.send(channel, event, title);
    if (entry.state !== "accepted") return;
    sent?.(entry.seq);
    if (also) await this.desk.send(also.channel, also.event, also.title);
  }
}

/** What a preview says, as elements: who refuses it, what changes of the session, a table of the cars, with the `car` concerned first. */
export function changes(answer, first) {
  if (answer.code) return [h("p", { className: "refused" }, ...refusalWords("proposal.unknown", answer))];
  const refused = answer.refused.map((each) => h("p", { className: "refused" }, ...refusalWords("proposal.would_refuse", each)));
  const { session, cars: all = [] } = answer.differences;
  const cars = [...all].sort((a, b) => Number(b.car === first) - Number(a.car === first));
  const head = Object.entries(session ?? {}).map(([field, change]) => h("p", {}, t("proposal.session", { what: t(`changed.${field}`), before: value(field, change.before), after: value(field, change.after) })));
  if (refused.length) return refused;
  if (!head.length && !cars.length) return [h("p", { className: "none" }, t("proposal.nothing"))];
  const title = h("p", { className: "count" }, cars.length ? plural("proposal.cars", cars.length) : "");
  return [...head, title, cars.length ? carTable(cars) : null].filter(Boolean);
}

const FIELDS = ["on_the_road", "position", "class_position", "laps", "total_us", "best_lap_us", "status", "points", "class", "road_laps"];

/** A table of what changes of each car: `[{car, changes: {field: {before, after}}}]`. */
export function carTable(cars) {
  const fields = FIELDS.filter((field) => cars.some(({ changes: each }) => field in each));
  return table(t("proposal.table"), [t("column.car"), ...fields.map((field) => t(`changed.${field}`))],
    cars.map(({ car, changes: each }) => [h("b", {}, car), ...fields.map((field) => (each[field] ? step(field, each[field]) : ""))]));
}

function step(field, { before, after }) {
  const better = ["on_the_road", "position", "class_position"].includes(field) && before && after ? (after < before ? " up" : " down") : "";
  return h("span", { className: `step${better}` }, `${value(field, before)} → ${value(field, after)}`);
}

function value(field, it) {
  if (it === null || it === undefined) return "–";
  if (["on_the_road", "position", "class_position"].includes(field)) return t("result.place", { n: it });
  if (field.endsWith("_us")) return duration(it);
  if (field === "finished_at") return timeOfDay(it);
  if (has(`status.${it}`)) return t(`status.${it}`);
  if (has(`session.${it}`)) return t(`session.${it}`);
  return has(`track.${it}`) ? t(`track.${it}`) : String(it);
}
