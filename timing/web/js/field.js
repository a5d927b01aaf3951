// The field as race control needs it: place, car, gap, state, decisions; a car is chosen here for what follows.

import { decisionText, penaltyText, standing } from "./decisions.js";
import { h } from "./elements.js";
import { gap as written, shortName } from "./format.js";
import { key } from "./shortcuts.js";
import { has, t } from "./texts.js";

export class Field {
  #drawn = new Map();

  /** `onChoose(car)` when a car is chosen. */
  constructor(root, { keys, onChoose }) {
    this.onChoose = onChoose;
    this.chosen = null;
    this.find = h("input", { id: "find", className: "short", maxLength: 8, autocomplete: "off" });
    const form = h("form", { className: "line", onsubmit: (event) => this.#find(event) },
      h("label", { htmlFor: "find" }, t("field.find"), key("f")), this.find, h("button", { className: "button" }, t("field.go")));
    this.missing = h("p", { className: "refused", role: "alert", hidden: true });
    this.list = h("ol", { className: "cars", label: t("field.title") });
    root.append(h("h2", {}, t("field.title")), form, this.missing, this.list);
    keys.leads("f", t("field.find"), () => {
      this.find.focus();
      this.find.select();
    });
  }

  render({ order, rows, session }) {
    this.rows = rows;
    const over = ["finished", "provisional", "final"].includes(session.status);
    const kept = new Map();
    for (const car of order) {
      const known = this.#drawn.get(car);
      const chosen = car === this.chosen;
      kept.set(car, known?.row === rows[car] && known.chosen === chosen && known.over === over ? known : { row: rows[car], chosen, over, element: this.#draw(rows[car], chosen, over, known?.element) });
    }
    this.#drawn = kept;
    const elements = order.map((car) => kept.get(car).element);
    if (elements.length !== this.list.children.length || elements.some((each, i) => each !== this.list.children[i])) this.#place(elements);
  }

  /** Choose a car, or none. */
  choose(car) {
    this.chosen = car;
    this.onChoose(car);
  }

  // Moved one by one, and only those that are elsewhere: whoever has the focus keeps it.
  #place(elements) {
    elements.forEach((element, i) => {
      if (this.list.children[i] !== element) this.list.insertBefore(element, this.list.children[i] ?? null);
    });
    while (this.list.children.length > elements.length) this.list.lastChild.remove();
  }

  #draw(row, chosen, over, before) {
    const item = before ?? h("li", {}, h("button", { type: "button", className: "car-line", data: { car: row.car }, onclick: () => this.choose(row.car) }));
    const button = item.firstChild;
    button.ariaPressed = String(chosen);
    const state = row.status === "running" || !has(`row.${row.status}`) ? "" : t(`row.${row.status}`);
    const { laps, time } = written(row.gap);
    const place = over && row.result.position !== row.position ? t("field.result", { place: row.result.position ?? "–" }) : "";
    button.replaceChildren(
      h("span", { className: "place" }, String(row.position)), h("span", { className: "number" }, row.car),
      h("span", { className: "who" }, row.driver ? shortName(row.driver.name) : (row.team ?? ""), place ? h("small", {}, place) : null),
      h("span", { className: "gap" }, row.position === 1 ? t("leader") : laps || time),
      h("span", { className: "state" }, state),
      h("span", { className: "badges" }, row.penalties.filter(({ stage }) => standing(stage) !== "past").map((each) => h("span", { className: `badge ${standing(each.stage)}`, title: decisionText(each) }, penaltyText(each)))));
    return item;
  }

  #find(event) {
    event.preventDefault();
    const car = this.find.value.trim();
    const known = this.rows && car in this.rows;
    this.missing.hidden = known;
    this.missing.textContent = known ? "" : t("field.missing", { car });
    if (known) this.choose(car);
    this.find.value = "";
  }
}
