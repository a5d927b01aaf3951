// The finish off the photo: cars too close for the decoder, put in the order that the photo shows, or level. The stewards rule on it.

import { h } from "./elements.js";
import { t } from "./texts.js";

/** The groups of cars, in running order, whose places wait for the photo. */
export function awaitingPhoto({ order, rows }) {
  const groups = [];
  order.forEach((car, place) => {
    if (!rows[car].result.photo) return;
    const last = groups.at(-1);
    if (last?.next === place) Object.assign(last, { cars: [...last.cars, car], next: place + 1 });
    else groups.push({ cars: [car], next: place + 1 });
  });
  return groups.map(({ cars }) => cars);
}

export class PhotoFinish {
  #drawn = null;

  constructor(root, { desk, proposal }) {
    Object.assign(this, { root, desk, proposal });
    this.groups = h("ul", { className: "photos", label: t("photo.waiting") });
    this.none = h("p", { className: "none" }, t("photo.none"));
    this.order = h("input", { id: "photo-order", required: true, autocomplete: "off", placeholder: "7 9", pattern: "\\s*[0-9A-Za-z\\-]+([\\s,]+[0-9A-Za-z\\-]+)+\\s*" });
    this.level = h("input", { type: "checkbox", id: "photo-level" });
    this.reason = h("input", { id: "photo-reason", autocomplete: "off", maxLength: 1000 });
    root.append(h("h2", { tabIndex: -1 }, t("work.photo")), h("p", { className: "denied", data: { for: "stewards" }, hidden: true }), this.none,
      h("fieldset", { className: "commands", data: { channel: "stewards" } }, this.groups,
        h("form", { onsubmit: (event) => this.#propose(event) },
          h("p", { className: "line" }, h("label", { htmlFor: "photo-order" }, t("photo.order")), this.order, this.level, h("label", { htmlFor: "photo-level" }, t("photo.level"))),
          h("p", { className: "line" }, h("label", { htmlFor: "photo-reason" }, t("decision.reason")), this.reason, h("button", { className: "button send" }, t("decision.look"))))));
  }

  render(state) {
    const groups = awaitingPhoto(state);
    const now = JSON.stringify(groups);
    if (now === this.#drawn) return;
    this.#drawn = now;
    this.none.hidden = groups.length > 0;
    this.groups.replaceChildren(...groups.map((cars) => this.#group(cars)));
    if (groups.length && !this.order.value) this.order.value = groups[0].join(" ");
  }

  focus() {
    (this.groups.querySelector("button:enabled") ?? this.order).focus();
  }

  choose() {}

  // Of two cars there are three answers, each one touch from its preview; of more the order is written.
  #group(cars) {
    const choice = (order, level, words) => h("button", { type: "button", className: "button", onclick: () => this.#open(order, level) }, words);
    const [one, other] = cars;
    const choices = cars.length === 2
      ? [choice([one, other], false, t("photo.before", { one, other })), choice([other, one], false, t("photo.before", { one: other, other: one })), choice(cars, true, t("photo.level"))]
      : [h("button", { type: "button", className: "button", onclick: () => this.#write(cars) }, t("photo.write")), choice(cars, true, t("photo.level"))];
    return h("li", { data: { photo: cars.join(" ") } }, h("b", {}, t("photo.between", { cars: cars.join(", ") })), h("span", { className: "line" }, choices));
  }

  #write(cars) {
    this.order.value = cars.join(" ");
    this.order.focus();
  }

  #propose(submitted) {
    submitted.preventDefault();
    this.#open(this.order.value.split(/[\s,]+/).filter(Boolean), this.level.checked);
  }

  #open(cars, level) {
    const reason = this.reason.value.trim();
    const event = { type: "finish_order_ruled", cars, ...(level ? { dead_heat: true } : {}), ...(reason ? { reason } : {}), by: this.desk.me.name };
    this.proposal.open({
      title: t(level ? "done.dead_heat" : "done.finish_order", { cars: cars.join(level ? " = " : " < ") }), channel: "stewards", event,
      sent: () => {
        this.order.value = this.reason.value = "";
        this.level.checked = false;
      },
    });
  }
}
