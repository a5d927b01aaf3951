// What the viewer may choose: a class, and the order on the road or the result.

import { Leaderboard } from "./leaderboard.js";
import { t } from "./texts.js";

const SETTLED = new Set(["provisional", "final"]);

export class Toolbar {
  #drawn = "";

  constructor(root, choices, changed) {
    this.choices = choices;
    this.changed = changed;
    this.classes = root.appendChild(group("classes"));
    this.classes.setAttribute("aria-label", t("filter.label"));
    this.orders = root.appendChild(group("orders"));
    this.orders.setAttribute("aria-label", t("order.label"));
    this.orders.title = t("order.differs");
    this.#legend(root.appendChild(document.createElement("ul")));
  }

  /** What is to be shown of `state`: `{cls, order}`. A class that is not in this session is as none. */
  choice({ session, rows }) {
    const cls = this.choices.get("class");
    const wished = this.choices.get("order") ?? (SETTLED.has(session.status) ? "result" : "road");
    const order = wished === "result" && Leaderboard.differs({ session, rows }) ? "result" : "road";
    return { cls: session.classes?.includes(cls) ? cls : null, order };
  }

  render(state) {
    const { cls, order } = this.choice(state);
    const counts = new Map();
    for (const { class: each } of Object.values(state.rows)) counts.set(each, (counts.get(each) ?? 0) + 1);
    const classes = state.session.classes ?? [];
    const differs = Leaderboard.differs(state);
    const drawn = JSON.stringify([cls, order, classes, [...counts], differs]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.classes.hidden = classes.length < 2;
    this.#buttons(this.classes, [null, ...classes], cls, (each) => this.choices.set("class", each), (each, button) => {
      button.textContent = each ?? t("filter.all");
      if (each !== null) button.classList.add(`class-${classes.indexOf(each) % 8}`);
      const count = button.appendChild(document.createElement("small"));
      count.textContent = each === null ? Object.keys(state.rows).length : (counts.get(each) ?? 0);
    });
    this.orders.hidden = !differs;
    this.#buttons(this.orders, ["road", "result"], order, (each) => this.choices.set("order", each), (each, button) => {
      button.textContent = t(`order.${each}`);
    });
  }

  #buttons(group, values, chosen, choose, dressed) {
    const focused = group.contains(document.activeElement) ? [...group.children].indexOf(document.activeElement) : -1;
    const buttons = values.map((value) => {
      const button = document.createElement("button");
      button.type = "button";
      dressed(value, button);
      button.setAttribute("aria-pressed", String(value === chosen));
      button.onclick = () => {
        choose(value);
        this.changed();
      };
      return button;
    });
    group.replaceChildren(...buttons);
    buttons[focused]?.focus();
  }

  #legend(root) {
    root.className = "legend";
    root.setAttribute("aria-label", t("legend.title"));
    const signs = [["overall", "◆"], ["in-class", "◇"], ["own", "●"]];
    root.replaceChildren(...signs.map(([name, sign]) => {
      const item = document.createElement("li");
      const mark = item.appendChild(document.createElement("span"));
      mark.className = name;
      mark.textContent = sign;
      item.append(t(`legend.${name === "in-class" ? "class" : name}`));
      return item;
    }));
  }
}

function group(id) {
  const made = Object.assign(document.createElement("div"), { className: "group", id, hidden: true });
  made.setAttribute("role", "group");
  return made;
}
