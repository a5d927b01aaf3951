// Entries: a car entered or its entry changed, who is at the wheel, transponders, a car retired or withdrawn. All but the driver is shown with
// what it would change before it is sent.

import { h } from "./elements.js";
import { instantOf } from "./instants.js";
import { t } from "./texts.js";

const words = (text) => text.split(/[\s,]+/).filter(Boolean);
const TIME = "\\d{1,2}:\\d{2}:\\d{2}([.,]\\d{1,6})?";

export class Entering {
  #controls = null;

  constructor(root, { desk, proposal, offer }) {
    Object.assign(this, { desk, proposal, ask: offer });
    const input = (id, more = {}) => h("input", { id: `entry-${id}`, autocomplete: "off", ...more });
    const label = (id, words_) => h("label", { htmlFor: `entry-${id}` }, words_);
    const pair = (id, words_, ...fields) => h("span", { className: "pair" }, label(id, words_), ...fields); // never on two lines
    this.car = input("car", { className: "short", required: true, maxLength: 8, pattern: "[0-9A-Za-z\\-]{1,8}", onchange: () => this.#fill() });
    this.class = input("class", { required: true, maxLength: 200 });
    this.classes = h("datalist", { id: "entry-classes" });
    this.class.setAttribute("list", "entry-classes");
    this.team = input("team", { maxLength: 200 });
    this.drivers = h("div", { className: "drivers", role: "group", label: t("entry.drivers") });
    this.transponders = input("transponders");
    this.guest = input("guest", { type: "checkbox" });
    this.championships = h("span", { className: "line" });
    this.send = h("button", { className: "button send" });
    this.wheel = h("select", { id: "entry-wheel" });
    this.change = h("button", { type: "button", className: "button", onclick: () => this.#drives() }, t("entry.change_driver"));
    this.transponder = input("transponder", { className: "short", required: true, maxLength: 64 });
    this.from = input("from", { className: "time", pattern: TIME, placeholder: t("entry.always") });
    this.until = input("until", { className: "time", pattern: TIME, placeholder: t("entry.always") });
    this.reason = input("reason", { maxLength: 200 });
    this.away = ["car_retired", "car_withdrawn"].map((type) => h("button", { type: "button", className: "button", data: { type }, onclick: () => this.#leaves(type) }, t(`entry.${type}`)));
    const more = h("button", { type: "button", className: "button small", onclick: () => this.#driver({}, true) }, t("entry.add_driver"));
    root.append(h("h2", { tabIndex: -1 }, t("work.entries")), h("p", { className: "denied", data: { for: "entries" }, hidden: true }),
      h("fieldset", { className: "commands", data: { channel: "entries" } },
        h("form", { id: "entry", onsubmit: (event) => this.#enter(event) },
          h("p", { className: "line" }, label("car", t("field.find")), this.car, pair("class", t("changed.class"), this.class), this.classes, pair("team", t("column.team"), this.team)),
          this.drivers, h("p", { className: "line" }, more, pair("transponders", t("entry.transponders"), this.transponders)),
          h("p", { className: "line" }, this.guest, label("guest", t("entry.guest")), this.championships, this.send)),
        h("h3", {}, t("entry.wheel")), h("p", { className: "line" }, label("wheel", t("entry.driver")), this.wheel, this.change),
        h("h3", {}, t("entry.assign")),
        h("form", { className: "line", id: "assign", onsubmit: (event) => this.#assign(event) }, pair("transponder", t("entry.transponder"), this.transponder),
          pair("from", t("entry.from"), this.from), pair("until", t("entry.until"), this.until), h("button", { className: "button" }, t("decision.look"))),
        h("h3", {}, t("entry.leaves")), h("p", { className: "line" }, label("reason", t("decision.reason")), this.reason, this.away)));
    this.#fill();
  }

  /** Take in the entries as they stand. */
  offer(controls) {
    const first = this.#controls === null;
    const before = JSON.stringify(this.#known);
    this.#controls = controls;
    this.classes.replaceChildren(...[...new Set(controls.entries.map((each) => each.class))].map((value) => h("option", { value })));
    if (first) {
      this.championships.replaceChildren(...controls.championships.map((name) => h("label", { className: "option" },
        h("input", { type: "checkbox", value: name }), t("entry.counts_for", { name }))));
    }
    if (first || JSON.stringify(this.#known) !== before) this.#fill(); // what is being written about another car stays
  }

  focus() {
    this.ask();
    (this.car.value ? this.class : this.car).focus();
  }

  choose(car) {
    if ((car ?? "") === this.car.value) return;
    this.car.value = car ?? "";
    this.#fill();
  }

  /** Begin with a transponder that is on no car: which car is left to be said. */
  begin(transponder) {
    this.transponder.value = transponder;
    (this.car.value ? this.transponder : this.car).focus();
  }

  get #known() {
    return this.#controls?.entries.find(({ car }) => car === this.car.value.trim());
  }

  /** Fill in what is entered for the car, or nothing: a new one. */
  #fill() {
    const entry = this.#known;
    this.class.value = entry?.class ?? "";
    this.team.value = entry?.team ?? "";
    this.transponders.value = entry?.transponders.join(" ") ?? "";
    this.guest.checked = entry?.guest ?? false;
    for (const box of this.championships.querySelectorAll("input")) box.checked = entry?.championships.includes(box.value) ?? false;
    this.drivers.replaceChildren();
    for (const driver of entry?.drivers.length ? entry.drivers : [{}]) this.#driver(driver);
    this.wheel.replaceChildren(...(entry?.drivers ?? []).map(({ id, name }) => new Option(name, id)));
    this.change.disabled = !this.wheel.options.length;
    for (const button of this.away) button.disabled = !entry;
    this.send.textContent = t(entry ? "entry.see_change" : "entry.see_new");
  }

  #driver({ id = "", name = "", category = "" }, focus = false) {
    const n = this.drivers.children.length + 1;
    const field = (what, value, maxLength) => h("input", { value: value ?? "", maxLength, autocomplete: "off", className: what === "name" ? "" : "short", data: { what }, label: t(`driver.${what}`, { n }), placeholder: t(`driver.${what}`, { n }) });
    const line = h("p", { className: "line driver" }, field("name", name, 200), field("id", id, 64), field("category", category, 200),
      h("button", { type: "button", className: "button small", label: t("driver.remove_which", { n }), onclick: () => line.remove() }, t("driver.remove")));
    this.drivers.append(line);
    if (focus) line.querySelector("input").focus();
  }

  #enter(submitted) {
    submitted.preventDefault();
    const before = this.#known;
    const car = this.car.value.trim();
    const drivers = [...this.drivers.children].map((line) => Object.fromEntries([...line.querySelectorAll("input")].map((field) => [field.dataset.what, field.value.trim()]))).filter(({ name, id }) => name || id)
      .map(({ id, name, category }) => ({ id: id || name.slice(0, 64), name: name || id, ...(category ? { category } : {}) }));
    const championships = [...this.championships.querySelectorAll("input:checked")].map(({ value }) => value);
    const event = {
      type: "entry_registered", car, class: this.class.value.trim(), ...(this.team.value.trim() ? { team: this.team.value.trim() } : {}), drivers,
      transponders: words(this.transponders.value), guest: this.guest.checked, championships,
    };
    this.#open(t(before ? "entry.changed" : "said.entered", { car, class: event.class }), event);
  }

  #drives() {
    const car = this.car.value.trim();
    const driver = this.wheel.selectedOptions[0];
    this.desk.send("entries", { type: "driver_changed", car, driver: driver.value }, t("said.driver", { car, driver: driver.text }));
  }

  #assign(submitted) {
    submitted.preventDefault();
    const car = this.car.value.trim();
    if (!car) {
      this.car.focus();
      return;
    }
    const transponder = this.transponder.value.trim();
    const instant = (field) => (field.value.trim() ? instantOf(field.value, this.desk.now) : undefined);
    const [from, until] = [instant(this.from), instant(this.until)];
    if (Number.isNaN(from) || Number.isNaN(until)) return;
    const limits = { ...(from === undefined ? {} : { from }), ...(until === undefined ? {} : { until }) };
    this.#open(t("said.transponder", { transponder, car }), { type: "transponder_assigned", transponder, car, ...limits });
  }

  #leaves(type) {
    const car = this.car.value.trim();
    const reason = this.reason.value.trim();
    this.#open(t(`entry.${type}_what`, { car }), { type, car, ...(reason ? { reason } : {}) });
  }

  #open(title, event) {
    this.proposal.open({
      title, channel: "entries", event,
      sent: (seq) => {
        this.reason.value = this.transponder.value = this.from.value = this.until.value = "";
        this.ask(seq);
      },
    });
  }
}
