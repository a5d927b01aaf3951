// Flags in one touch, the pit lane, wave-bys. What is shown now is pressed; a mistake is taken back by a new event, so nothing asks "sure?".

import { h } from "./elements.js";
import { PANELS } from "./header.js";
import { key } from "./shortcuts.js";
import { t } from "./texts.js";

const LETTERS = {
  green: "G", yellow: "Y", slow_zone: "Z", safety_car: "S", safety_car_ending: "E", vsc: "V", vsc_ending: "W", fcy: "F", code60: "C",
  red: "R", chequered: "Q",
};
const LOCAL = ["green", "yellow", "slow_zone"];

export class Flags {
  #buttons = new Map();
  #sectors = new Set();
  #sectorCount = null;
  wavedBy = [];

  constructor(root, { desk, keys }) {
    this.desk = desk;
    this.fields = h("fieldset", { className: "commands", data: { channel: "control" } });
    const grid = h("div", { className: "flags" });
    for (const [status, letter] of Object.entries(LETTERS)) {
      const button = h("button", { type: "button", className: "flag", data: { status }, onclick: () => this.show(status) },
        h("span", { className: "sign", ariaHidden: "true" }, PANELS[status]), h("span", { className: "word" }, t(`flags.word.${status}`)), key(`⇧${letter}`));
      this.#buttons.set(status, button);
      grid.append(button);
      keys.sends(letter, t(`track.${status}`), button);
    }
    this.sectors = h("div", { className: "group", role: "group", label: t("flags.sectors") });
    this.cause = h("input", { className: "short", id: "cause", maxLength: 8, autocomplete: "off" });
    this.pit = h("button", { type: "button", className: "button wide", onclick: () => this.#pitLane() });
    this.wave = h("button", { type: "button", className: "button wide", onclick: () => this.#wave() }, t("flags.wave"), key("⇧B"));
    this.waved = h("input", { className: "short", id: "waved", autocomplete: "off", placeholder: t("flags.wave_all") });
    keys.sends("P", t("flags.pit_lane"), this.pit);
    keys.sends("B", t("flags.wave"), this.wave);
    this.fields.append(grid, h("div", { className: "line" }, h("span", { className: "what" }, t("flags.sectors")), this.sectors,
      h("label", { htmlFor: "cause" }, t("flags.cause")), this.cause),
    h("div", { className: "line" }, this.pit, this.wave, h("label", { htmlFor: "waved" }, t("flags.cars")), this.waved));
    root.append(h("h2", {}, t("flags.title")), h("p", { className: "denied", data: { for: "control" }, hidden: true }), this.fields);
  }

  /** Take in under which neutralisations the rulebook lets all lapped cars past. */
  offer({ waved_by: wavedBy }) {
    this.wavedBy = wavedBy;
    if (this.session) this.#offerWave();
  }

  render({ session }) {
    this.session = session;
    for (const [status, button] of this.#buttons) {
      const now = session.track_status === status && session.status !== "scheduled";
      button.ariaPressed = String(now);
    }
    if (this.#sectorCount !== session.sectors) this.#offerSectors(session.sectors);
    this.pit.replaceChildren(t(session.pit_lane_open === false ? "flags.open_pit" : "flags.close_pit"), key("⇧P"));
    this.wave.disabled = !session.neutralised;
    this.#offerWave();
  }

  /** Show a flag: on the whole track, or in the chosen sectors where it may be local. */
  show(status) {
    const sectors = LOCAL.includes(status) ? [...this.#sectors].sort((a, b) => a - b) : [];
    const cause = this.cause.value.trim();
    const event = { type: "track_status", status, ...(sectors.length ? { sectors } : {}), ...(cause ? { cause } : {}) };
    const where = sectors.length ? `, ${t("done.in_sector", { sectors: sectors.join(", ") })}` : "";
    this.cause.value = "";
    this.#sectors.clear();
    this.#press();
    this.desk.send("control", event, t(`track.${status}`) + where);
  }

  #pitLane() {
    const open = this.session.pit_lane_open === false;
    this.desk.send("control", { type: "pit_lane", open }, t(open ? "pit_lane.open" : "pit_lane.closed"));
  }

  #wave() {
    const cars = this.waved.value.split(/[\s,]+/).filter(Boolean);
    if (!cars.length && !this.#allMay) {
      this.waved.focus(); // the rulebook lets none pass that is not named
      return;
    }
    this.waved.value = "";
    this.desk.send("control", { type: "wave_by", ...(cars.length ? { cars } : {}) }, cars.length ? t("done.waved", { cars: cars.join(", ") }) : t("done.waved_all"));
  }

  // Under what is shown now: whether all lapped cars may be let past at once.
  get #allMay() {
    const kind = this.session.track_status.replace(/_ending$/, "");
    return this.wavedBy.includes(kind);
  }

  #offerWave() {
    const words = t(this.#allMay ? "flags.wave_all" : "flags.wave_which");
    if (this.waved.placeholder !== words) this.waved.placeholder = words;
  }

  #offerSectors(count) {
    this.#sectorCount = count;
    const numbers = Array.from({ length: count }, (_, i) => i + 1);
    this.sectors.replaceChildren(...numbers.map((sector) =>
      h("button", { type: "button", data: { sector }, onclick: () => this.#toggle(sector) }, String(sector))));
    this.#press();
  }

  #toggle(sector) {
    if (!this.#sectors.delete(sector)) this.#sectors.add(sector);
    this.#press();
  }

  #press() {
    for (const button of this.sectors.children) button.ariaPressed = String(this.#sectors.has(Number(button.dataset.sector)));
  }
}
