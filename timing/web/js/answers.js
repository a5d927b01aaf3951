// What became of each command: on its way, accepted (with its record), refused (why), or not answered (send the same again).

import { h } from "./elements.js";
import { refusalWords } from "./refusals.js";
import { t } from "./texts.js";

export class Answers {
  #drawn = new Map();

  constructor(root, desk) {
    this.root = root;
    this.desk = desk;
  }

  render() {
    const kept = new Map();
    for (const entry of this.desk.entries) {
      const known = this.#drawn.get(entry.id);
      kept.set(entry.id, known?.state === entry.state ? known : { state: entry.state, element: this.#draw(entry) });
    }
    this.#drawn = kept;
    const elements = [...kept.values()].map(({ element }) => element);
    if (elements.length !== this.root.children.length || elements.some((each, i) => each !== this.root.children[i])) this.root.replaceChildren(...elements);
  }

  #draw(entry) {
    const again = entry.state === "unanswered" ? h("button", { type: "button", className: "button", onclick: () => this.desk.again(entry) }, t("desk.again")) : null;
    return h("p", { className: `answer ${entry.state}`, data: { id: entry.id, state: entry.state } },
      h("strong", {}, entry.title), h("span", {}, ...this.#words(entry)), again);
  }

  #words(entry) {
    if (entry.state === "accepted") return [t("desk.accepted", { seq: entry.seq })];
    if (entry.state === "refused") return refusalWords("desk.refused", entry);
    return [t(entry.state === "pending" ? "desk.pending" : "desk.unanswered")];
  }
}
