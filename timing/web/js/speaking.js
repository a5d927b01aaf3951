// What race control tells everyone: free words, or one of the usual sentences to begin with.

import { h } from "./elements.js";
import { t } from "./texts.js";

const TEMPLATES = ["template.debris", "template.oil", "template.rain", "template.limits", "template.incident", "template.restart", "template.delayed", "template.box"];

export class Speaking {
  constructor(root, { desk }) {
    this.desk = desk;
    this.text = h("input", { id: "text", required: true, maxLength: 1000, autocomplete: "off" });
    this.car = h("input", { id: "text-car", className: "short", maxLength: 8, autocomplete: "off" });
    const usual = TEMPLATES.map((name) => h("button", { type: "button", className: "button small", onclick: () => this.#begin(t(name)) }, t(name)));
    const form = h("form", { onsubmit: (event) => this.#send(event) },
      h("p", { className: "line" }, h("label", { htmlFor: "text" }, t("speaking.text")), this.text),
      h("p", { className: "line" }, h("label", { htmlFor: "text-car" }, t("speaking.car")), this.car, h("button", { className: "button send" }, t("proposal.send"))),
      h("div", { className: "usual", role: "group", label: t("speaking.usual") }, usual));
    root.append(h("h2", { tabIndex: -1 }, t("work.message")), h("p", { className: "denied", data: { for: "control" }, hidden: true }),
      h("fieldset", { className: "commands", data: { channel: "control" } }, form));
  }

  focus() {
    this.text.focus();
  }

  choose(car) {
    if (!this.text.value) this.car.value = car ?? "";
  }

  #begin(words) {
    this.text.value = words;
    this.text.focus();
  }

  async #send(event) {
    event.preventDefault();
    const text = this.text.value.trim();
    const car = this.car.value.trim();
    if (!text) return;
    const entry = await this.desk.send("control", { type: "message", text, ...(car ? { car } : {}) }, t("speaking.sent", { text }));
    if (entry.state !== "accepted") return; // the words stay, to be mended
    this.text.value = "";
    this.car.value = "";
  }
}
