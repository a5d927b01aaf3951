// What the viewer may choose above the field: classes, and the order.

import { classColour } from "./cells.js";
import { Leaderboard } from "./leaderboard.js";
import { t } from "./texts.js";

const SETTLED = new Set(["provisional", "final"]);

export class Toolbar {
  #drawn = "";

  /** `columns`: those that are shown unless the viewer chose others; null: those that fit. */
  constructor(root, choices, changed, columns = null) {
    this.columns = columns;
    this.choices = choices;
    this.changed = changed;
    this.classes = root.appendChild(group("classes", t("filter.label")));
    this.orders = root.appendChild(group("orders", t("order.label")));
    this.hint = root.appendChild(Object.assign(document.createElement("p"), { className: "hint", hidden: true }));
    root.appendChild(legend());
  }

  /** What is to be shown of `state`: `{classes, cls, order, columns}`. Classes that are not in this session are as none. */
  choice(state) {
    const { session } = state;
    const classes = listOf(this.choices.get("class")).filter((each) => session.classes?.includes(each));
    const wished = this.choices.get("order") ?? (SETTLED.has(session.status) ? "result" : "road");
    const order = ordersOf(state).includes(wished) ? wished : "road";
    const columns = listOf(this.choices.get("columns"));
    return { classes, cls: classes.length === 1 ? classes[0] : null, order, columns: columns.length ? columns : this.columns };
  }

  render(state) {
    const { classes: chosen, order } = this.choice(state);
    const counts = new Map();
    for (const { class: each } of Object.values(state.rows)) counts.set(each, (counts.get(each) ?? 0) + 1);
    const classes = state.session.classes ?? [];
    const orders = ordersOf(state);
    const drawn = JSON.stringify([chosen, order, classes, [...counts], orders]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.classes.hidden = classes.length < 2;
    this.#buttons(this.classes, [null, ...classes], (each) => (each === null ? chosen.length === 0 : chosen.includes(each)), (each) => this.#toggle(each, chosen, classes), (each, button) => {
      button.textContent = each ?? t("filter.all");
      if (each !== null) button.classList.add(`class-${classColour(each, classes)}`);
      const count = button.appendChild(document.createElement("small"));
      count.textContent = each === null ? Object.keys(state.rows).length : (counts.get(each) ?? 0);
    });
    this.orders.hidden = orders.length < 2;
    this.#buttons(this.orders, orders, (each) => each === order, (each) => this.choices.set("order", each), (each, button) => {
      button.textContent = t(`order.${each}`);
      button.title = t(`order.${each}.title`);
    });
    this.hint.hidden = order === "road" || order === "result";
    this.hint.textContent = this.hint.hidden ? "" : t(`order.${order}.title`);
  }

  // A class is added to those shown, or taken away again; all of them, or none, is the whole field.
  #toggle(cls, chosen, classes) {
    const next = cls === null ? [] : chosen.includes(cls) ? chosen.filter((each) => each !== cls) : [...chosen, cls];
    const kept = next.length === classes.length ? [] : classes.filter((each) => next.includes(each));
    this.choices.set("class", kept.length ? textOf(kept) : null);
  }

  #buttons(root, values, isChosen, choose, dressed) {
    const focused = root.contains(document.activeElement) ? [...root.children].indexOf(document.activeElement) : -1;
    const buttons = values.map((value) => {
      const button = document.createElement("button");
      button.type = "button";
      dressed(value, button);
      button.setAttribute("aria-pressed", String(isChosen(value)));
      button.onclick = () => {
        choose(value);
        this.changed();
      };
      return button;
    });
    root.replaceChildren(...buttons);
    buttons[focused]?.focus();
  }
}

/** A list as the address carries it: `GT3,LM%20P2`. */
export function listOf(text) {
  return (text ?? "").split(",").filter(Boolean).map((each) => decodeURIComponent(each));
}

export function textOf(list) {
  return list.map((each) => each.replace(/[%,]/g, encodeURIComponent)).join(",");
}

// The orders there are to choose from at this moment.
function ordersOf({ session, rows }) {
  const orders = ["road"];
  const all = Object.values(rows);
  if (all.some(({ live }) => live)) orders.push("live");
  if (session.restart_order) orders.push("restart");
  if (Leaderboard.differs({ session, rows })) orders.push("result");
  return orders;
}

function group(id, label) {
  const made = Object.assign(document.createElement("div"), { className: "group", id, hidden: true });
  made.setAttribute("role", "group");
  made.setAttribute("aria-label", label);
  return made;
}

function legend() {
  const root = Object.assign(document.createElement("ul"), { className: "legend" });
  root.setAttribute("aria-label", t("legend.title"));
  const signs = [["overall", "◆"], ["in-class", "◇"], ["own", "●"], ["slower", "–"]];
  root.replaceChildren(...signs.map(([name, sign]) => {
    const item = document.createElement("li");
    const mark = item.appendChild(document.createElement("span"));
    mark.className = name;
    mark.textContent = sign;
    item.append(t(`legend.${name}`));
    return item;
  }));
  return root;
}
