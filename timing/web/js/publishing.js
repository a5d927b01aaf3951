// Results given out: what was published, whether an amended one is due and what has changed since, and the next one. What is sent names the state that
// it was made from, so that the log bears out what was on the screen.

import { h } from "./elements.js";
import { timeOfDay } from "./format.js";
import { carTable } from "./proposal.js";
import { t } from "./texts.js";

const STAGES = ["provisional", "amended", "final"];

export class Publishing {
  #asked = 0;
  #for = null;

  constructor(root, { screen, desk, proposal }) {
    Object.assign(this, { root, screen, desk, proposal });
    this.found = h("div", { className: "versions", role: "status" });
    this.document = h("input", { id: "document", className: "short", maxLength: 200, autocomplete: "off" });
    this.buttons = STAGES.map((stage) => h("button", { type: "button", className: "button send", data: { stage }, disabled: true, onclick: () => this.#publish(stage) }, t(`publish.${stage}`)));
    root.append(h("h2", { tabIndex: -1 }, t("work.results")), h("p", { className: "denied", data: { for: "session" }, hidden: true }), this.found,
      h("fieldset", { className: "commands line", data: { channel: "session" } }, h("label", { htmlFor: "document" }, t("publish.document")), this.document, this.buttons));
  }

  render({ session, seq }) {
    this.session = session;
    const now = `${session.status} ${session.result_due} ${session.laps}`;
    if (this.root.hidden || now === this.#for) return;
    this.#for = now;
    this.seq = seq;
    this.look();
  }

  focus() {
    this.#for = null;
    if (this.session) this.render({ session: this.session, seq: this.seq });
    this.root.querySelector("h2").focus();
  }

  choose() {}

  async look() {
    const asked = ++this.#asked;
    try {
      const known = await this.screen.document(`api/sessions/${encodeURIComponent(this.screen.session)}/versions`);
      if (asked === this.#asked) this.#draw(known);
    } catch {
      if (asked === this.#asked) this.found.replaceChildren(h("p", { className: "refused" }, t("refused.away")));
    }
  }

  #draw({ versions, due, since, decisions_since: decisions }) {
    const lines = versions.map((each) => h("li", { data: { version: each.number, stage: each.stage } },
      h("b", {}, `${each.number}. `, t(`done.published.${each.stage}`)), " ", timeOfDay(each.at), " ", t("publish.sheet", { document: each.document, seq: each.seq }),
      " ", h("small", {}, each.current ? t("publish.current") : t("publish.changed")), each.faults.length ? h("p", { className: "refused", lang: "en" }, each.faults.join("; ")) : null));
    const changed = due ? [h("p", { className: "due" }, t("session.result_due")), ...decisions.map((each) => h("p", { lang: "en" }, `${each.decision}, ${each.car}: ${each.text} ${each.after}`)), since.cars?.length ? carTable(since.cars) : null] : [];
    this.found.replaceChildren(lines.length ? h("ol", {}, lines) : h("p", { className: "none" }, t("publish.none")), ...changed.filter(Boolean));
    const after = versions.some(({ stage }) => stage !== "provisional");
    for (const button of this.buttons) {
      button.disabled = button.dataset.stage === "provisional" ? after : button.dataset.stage === "amended" && !versions.length;
      button.title = button.disabled ? t(after ? "publish.after" : "publish.first") : "";
    }
  }

  async #publish(stage) {
    let result;
    try {
      result = await this.screen.document(`api/sessions/${encodeURIComponent(this.screen.session)}/result`);
    } catch {
      this.found.append(h("p", { className: "refused", role: "alert" }, t("refused.away")));
      return;
    }
    const name = this.document.value.trim();
    const event = {
      type: "result_published", stage, at: this.desk.now, digest: result.digest, as_of: result.seq,
      ...(result.rulebook?.hash ? { rulebook: result.rulebook.hash } : {}), ...(name ? { document: name } : {}),
    };
    this.proposal.open({
      title: t("publish.title", { what: t(`done.published.${stage}`), seq: result.seq, podium: result.rows.slice(0, 3).map(({ car }) => car).join(" ") }),
      channel: "session", event, sure: stage === "final" ? t("publish.sure") : undefined,
      sent: () => {
        this.document.value = "";
        this.look();
      },
    });
  }
}
