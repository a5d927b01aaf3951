// Corrections: the crossings of the chosen car, to void or to give to another car, and a crossing to be added. Each is shown with what it would
// change before it is sent.

import { h, table } from "./elements.js";
import { duration, timeOfDay } from "./format.js";
import { instantOf, writtenInstant } from "./instants.js";
import { t } from "./texts.js";

const SHOWN = 40;
const TIME = "\\d{1,2}:\\d{2}:\\d{2}([.,]\\d{1,6})?";

export class Mending {
  #controls = null;
  #asked = 0;

  constructor(root, { screen, desk, proposal }) {
    this.screen = screen;
    this.desk = desk;
    this.proposal = proposal;
    this.car = h("input", { id: "mending-car", className: "short", required: true, maxLength: 8, autocomplete: "off" });
    this.found = h("div", { className: "crossings", tabIndex: -1 });
    this.loop = h("select", { id: "mending-loop" });
    this.at = h("input", { id: "mending-at", required: true, autocomplete: "off", pattern: TIME });
    this.decoder = h("input", { id: "clock-decoder", className: "short", required: true, maxLength: 64, autocomplete: "off" });
    this.decoders = h("datalist", { id: "clock-decoders" });
    this.decoder.setAttribute("list", "clock-decoders");
    this.offset = h("input", { id: "clock-offset", className: "short", required: true, autocomplete: "off", placeholder: "-0.25", pattern: "[+\\-−]?\\d+([.,]\\d{1,6})?" });
    const time = (id) => h("input", { id, className: "time", autocomplete: "off", pattern: TIME, placeholder: t("entry.always") });
    this.from = time("clock-from");
    this.until = time("clock-until");
    root.append(h("h2", { tabIndex: -1 }, t("work.corrections")), h("p", { className: "denied", data: { for: "corrections" }, hidden: true }),
      h("fieldset", { className: "commands", data: { channel: "corrections" } },
        h("form", { className: "line", onsubmit: (event) => this.#look(event) }, h("label", { htmlFor: "mending-car" }, t("field.find")), this.car,
          h("button", { className: "button" }, t("mending.show"))),
        h("form", { className: "line", onsubmit: (event) => this.#add(event) }, h("label", { htmlFor: "mending-at" }, t("mending.at")), this.at,
          h("label", { htmlFor: "mending-loop" }, t("mending.loop")), this.loop, h("button", { className: "button" }, t("mending.add"))),
        this.found,
        h("h3", {}, t("clock.title")),
        h("form", { className: "line", id: "clock", onsubmit: (event) => this.#clock(event) }, h("label", { htmlFor: "clock-decoder" }, t("clock.decoder")), this.decoder, this.decoders,
          h("label", { htmlFor: "clock-offset" }, t("clock.offset")), this.offset,
          h("label", { htmlFor: "clock-from" }, t("entry.from")), this.from, h("label", { htmlFor: "clock-until" }, t("entry.until")), this.until,
          h("button", { className: "button" }, t("decision.look")))));
  }

  offer(controls) {
    if (this.#controls === null) this.loop.append(...controls.loops.map(({ id, line }) => new Option(`${id} (${t(`line.${line}`)})`, id)));
    this.#controls = controls;
    this.decoders.replaceChildren(...controls.decoders.map((value) => h("option", { value })));
  }

  focus() {
    this.car.focus();
  }

  choose(car) {
    this.car.value = car ?? "";
    if (car && !this.found.closest("[hidden]")) this.show();
  }

  /** Ask for the car's crossings and show them, the newest first. */
  async show() {
    const car = this.car.value.trim();
    if (!car) return;
    const asked = ++this.#asked;
    try {
      const explained = await this.screen.document(`api/sessions/${encodeURIComponent(this.screen.session)}/cars/${encodeURIComponent(car)}/explain?last=${SHOWN}`);
      if (asked === this.#asked) this.#draw(explained);
    } catch {
      if (asked === this.#asked) this.found.replaceChildren(h("p", { className: "refused" }, t("mending.none", { car })));
    }
  }

  #draw({ car, crossings, corrections }) {
    const newest = crossings[crossings.length - 1];
    if (newest && (car !== this.of || ["", this.proposed].includes(this.at.value))) { // what somebody writes stays
      this.proposed = this.at.value = writtenInstant(newest.at);
    }
    this.of = car;
    this.near = newest?.at ?? this.screen.state?.at;
    const rows = [...crossings].reverse().map((each) => [timeOfDay(each.at), each.loop, t(`verdict.${each.verdict}`), each.lap ?? "", each.lap_time_us === null ? "" : duration(each.lap_time_us), this.#doing(car, each)]);
    const taken = corrections.map((each) => h("li", {}, each.text, " ", timeOfDay(each.at), " ", h("button", { type: "button", className: "button small", onclick: () => this.#back(each) }, t("mending.back"))));
    this.found.replaceChildren(
      h("h3", {}, t("mending.of", { car })),
      table(t("mending.of", { car }), [t("mending.time"), t("mending.loop"), t("mending.what"), t("column.lap"), t("column.time"), t("mending.do")], rows, [3, 4]),
      taken.length ? h("ul", { className: "taken" }, taken) : "");
  }

  #doing(car, { key, at, loop }) {
    const what = { car, loop, time: timeOfDay(at) };
    const byHand = /^by hand (.+)$/.exec(key);
    if (byHand) return h("button", { type: "button", className: "button small", label: t("mending.void_what", what), onclick: () => this.#void(what, { type: "event_voided", event: byHand[1] }) }, t("journal.void"));
    const read = /^(?:lap )?(.+)\/(\d+)\/(\d+)$/.exec(key);
    if (!read) return "";
    const passing = { decoder: read[1], boot: Number(read[2]), number: Number(read[3]) };
    const other = h("input", { className: "short", maxLength: 8, autocomplete: "off", label: t("mending.to_car", what) });
    return h("span", { className: "line" },
      h("button", { type: "button", className: "button small", label: t("mending.void_what", what), onclick: () => this.#void(what, { type: "passing_voided", passing }) }, t("journal.void")),
      other, h("button", { type: "button", className: "button small", label: t("mending.give_what", what), onclick: () => this.#give(what, passing, other) }, t("mending.give")));
  }

  #open(title, event, sent = () => {}) {
    const after = () => {
      sent();
      this.show();
    };
    this.proposal.open({ title, channel: "corrections", event, reason: true, sent: after });
  }

  #void(what, event) {
    this.#open(t("mending.void_what", what), event);
  }

  #give(what, passing, other) {
    const car = other.value.trim();
    if (car) this.#open(`${t("mending.give_what", what)}: ${car}`, { type: "passing_reassigned", passing, car });
    else other.focus();
  }

  #clock(submitted) {
    submitted.preventDefault();
    const decoder = this.decoder.value.trim();
    const offset = Math.round(Number(this.offset.value.trim().replace("−", "-").replace(",", ".")) * 1_000_000);
    const near = this.screen.state.at;
    const instant = (field) => (field.value.trim() ? instantOf(field.value, near) : undefined);
    const [from, until] = [instant(this.from), instant(this.until)];
    if (Number.isNaN(from) || Number.isNaN(until)) return;
    const limits = { ...(from === undefined ? {} : { from }), ...(until === undefined ? {} : { until }) };
    this.#open(t("said.clock", { decoder, offset: duration(offset) }), { type: "decoder_clock_corrected", decoder, offset_us: offset, ...limits });
  }

  #back({ event, text }) {
    this.#open(t("journal.void_what", { what: text }), { type: "event_voided", event });
  }

  #look(event) {
    event.preventDefault();
    this.show();
  }

  #add(event) {
    event.preventDefault();
    const car = this.car.value.trim();
    const at = instantOf(this.at.value, this.near ?? this.screen.state.at);
    if (!car) this.car.focus();
    else if (!Number.isNaN(at)) this.#open(t("said.added", { car, loop: this.loop.value, time: this.at.value }), { type: "passing_added", car, loop: this.loop.value, at }, () => { this.at.value = ""; });
  }
}
