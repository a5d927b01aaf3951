// The moments of a replay as a list to go to: every mark that was told, each a button. And the link to the moment one is at.

import { h } from "./elements.js";
import { dialog } from "./replaykeys.js";
import { t } from "./texts.js";

/** `open()` shows the marks of the kind that is chosen on the bar, the latest that were passed in view. */
export class MomentList {
  constructor(replay, { name, word, kind, go }) {
    this.replay = replay;
    this.name = name;
    this.word = word;
    this.kind = kind;
    this.go = go;
    this.list = h("ol", { className: "moments" });
    this.dialog = dialog("replay-moments", t("replay.marks"), this.list);
  }

  open() {
    const kind = this.kind();
    const wanted = this.replay.marks.filter((mark) => kind === "any" || mark.kind === kind || (kind === "flag" && mark.kind === "red"));
    const items = wanted.map((mark) => {
      const button = h("button", { type: "button" },
        h("span", { className: "dim", textContent: this.name(mark.at) }), h("i", { className: `sign t-${mark.kind}`, data: { flag: mark.facts?.status ?? "" } }), h("span", { textContent: this.word(mark) }));
      button.onclick = () => {
        this.dialog.close();
        this.go(mark);
      };
      return h("li", {}, button);
    });
    this.list.replaceChildren(...(items.length ? items : [h("li", { className: "dim", textContent: t("replay.marks.none") })]));
    if (!this.dialog.open) this.dialog.showModal();
    const passed = wanted.findLastIndex((mark) => mark.at <= this.replay.at);
    items[Math.max(passed, 0)]?.scrollIntoView({ block: "center" });
  }
}

/** Two addresses to give away: of this moment, and of one that is watched together. `said(text)` tells what was done. */
export class LinkDialog {
  constructor({ here, together, said }) {
    this.here = h("input", { type: "text", readOnly: true, id: "replay-link" });
    this.together = h("input", { type: "text", readOnly: true, id: "replay-together" });
    this.addresses = { here, together };
    const field = (input, title, help) => [
      h("label", { htmlFor: input.id, textContent: title }), h("p", { className: "help", textContent: help }),
      h("div", { className: "copied" }, input, h("button", { type: "button", className: "button", textContent: t("replay.copy"), onclick: () => this.#copy(input, said) })),
    ];
    this.dialog = dialog("replay-links", t("replay.link"),
      field(this.here, t("replay.link.here"), t("replay.link.here.help")), field(this.together, t("replay.link.together"), t("replay.link.together.help")));
  }

  open() {
    this.here.value = this.addresses.here();
    this.together.value = this.addresses.together();
    this.dialog.showModal();
    this.here.select();
  }

  async #copy(input, said) {
    input.select();
    try {
      await navigator.clipboard.writeText(input.value);
      said(t("replay.copied"));
    } catch {
      said(t("replay.copy.by_hand")); // without TLS browsers keep the clipboard to themselves; it is selected
    }
  }
}
