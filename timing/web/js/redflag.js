// The red flag's result, with every reading of the count-back shown before it is declared.

import { h } from "./elements.js";
import { timeOfDay } from "./format.js";
import { carTable } from "./proposal.js";
import { plural, t } from "./texts.js";

export class RedFlagResult {
  #asked = 0;
  #for = null;

  constructor(root, { screen, desk, proposal }) {
    Object.assign(this, { root, screen, desk, proposal });
    this.found = h("div", { className: "readings", role: "status" });
    this.declare = h("button", { type: "button", className: "button send danger", disabled: true, onclick: () => this.#declare() }, t("red.declare"));
    this.suppose = h("button", { type: "button", className: "button", onclick: () => this.#look(this.screen.state?.at) }, t("red.suppose"));
    root.append(h("h2", { tabIndex: -1 }, t("work.redflag")), h("p", { className: "denied", data: { for: "control" }, hidden: true }), h("p", { className: "help" }, t("red.help")),
      this.found, h("fieldset", { className: "commands line", data: { channel: "control" } }, this.declare, this.suppose));
  }

  /** Ask again where the flags or the laps have changed while the panel is open. */
  render({ session }) {
    this.session = session;
    if (session.status !== "suspended") this.declare.disabled = true;
    const now = `${session.status} ${session.track_status} ${session.laps}`;
    if (this.root.hidden || now === this.#for) return;
    this.#for = now;
    this.#look();
  }

  focus() {
    this.#for = null;
    if (this.session) this.render({ session: this.session });
    this.root.querySelector("h2").focus();
  }

  choose() {}

  async #look(at) {
    const asked = ++this.#asked;
    const supposed = at === undefined ? "" : `?at=${at}`;
    this.declare.disabled = true;
    this.found.textContent = t("proposal.waiting");
    try {
      const sheet = await this.screen.document(`api/sessions/${encodeURIComponent(this.screen.session)}/red-flag${supposed}`);
      if (asked !== this.#asked) return;
      this.found.replaceChildren(...this.#sheet(sheet, at !== undefined));
      this.declare.disabled = at !== undefined || !sheet.suspended || sheet.declared || sheet.over;
    } catch {
      if (asked === this.#asked) this.found.replaceChildren(h("p", { className: "refused" }, t("red.none")));
    }
  }

  #sheet(sheet, supposed) {
    const stands = sheet.declared ? "red.declared" : sheet.over ? "red.over" : sheet.suspended ? "red.suspended" : "red.supposed";
    const head = [h("p", { className: "stands" }, h("b", {}, t(supposed ? "red.supposed" : stands)), " ", t("red.signal", { time: timeOfDay(sheet.signal_at), laps: plural("lap", sheet.completed) }))];
    if (sheet.restart_order.length && !sheet.declared) head.push(h("p", {}, t("red.restart")), places(sheet.restart_order));
    return [...head, ...alike(sheet.readings).map((group) => this.#group(group))];
  }

  #group([first, ...others]) {
    const placed = first.result.filter(({ position }) => position !== null && position !== undefined);
    const name = (reading) => h("li", { className: reading.own ? "own" : "", data: { policy: reading.policy } }, h("span", {}, words(reading)), " ",
      h("small", {}, reading.counted === null ? t("red.as_restart") : t("red.counted", { lap: reading.counted, time: timeOfDay(reading.at) })));
    const own = first.own || others.some((each) => each.own);
    const moved = first.moved.cars ?? [];
    return h("section", { className: `reading${own ? " own" : ""}`, data: { own: String(own) } },
      own ? h("p", { className: "tag" }, t("red.own")) : null, h("ul", {}, [first, ...others].map(name)),
      first.void ? h("p", { className: "refused" }, t("red.void")) : places(placed.map(({ car }) => car)),
      own || !moved.length ? null : h("details", {}, h("summary", {}, t("red.moved", { n: moved.length }), " ", h("span", { className: "moves" }, moves(moved))), carTable(moved)));
  }

  #declare() {
    this.proposal.open({ title: t("done.stopped"), channel: "control", event: { type: "race_stopped" }, sure: t("red.sure") });
  }
}

/** A way of reading in words: how deep it goes, whose leader counts, what counts of the others. */
export function words({ basis, completed_minus: minus, stands, scope, others }) {
  let depth = basis === "completed_minus" ? `C${minus && !stands ? `-${minus}` : ""}` : t(`red.basis.${basis}`);
  if (stands && basis === "completed_minus") depth += `, ${t("red.stands")}`;
  if (scope === "class") depth += `, ${t("red.by_class")}`;
  return basis === "frozen_at_signal" ? depth : `${depth}${t("red.then")} ${t(`red.others.${others}`)}`;
}

// Who gains and who loses a place in the result, at a glance: `6 P2 → P1`.
function moves(moved) {
  return moved.filter(({ changes }) => changes.position).map(({ car, changes: { position } }) =>
    h("span", { className: "step" }, h("b", {}, car), ` ${place(position.before)} → ${place(position.after)}`));
}

const place = (n) => (n === null || n === undefined ? "–" : t("result.place", { n }));

/** Readings that give the same result together, the rulebook's own first. */
export function alike(readings) {
  const groups = new Map();
  for (const reading of readings) {
    const result = JSON.stringify([reading.void, reading.points_percent, reading.result]);
    groups.set(result, [...(groups.get(result) ?? []), reading]);
  }
  return [...groups.values()].sort((a, b) => Number(b.some(({ own }) => own)) - Number(a.some(({ own }) => own)));
}

/** Cars in their order, each with its place. */
function places(cars) {
  return h("p", { className: "places" }, cars.map((car, i) => h("span", {}, h("small", {}, String(i + 1)), h("b", {}, car))));
}
