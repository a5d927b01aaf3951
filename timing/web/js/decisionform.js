// The stewards' decisions: a new one, with what the rulebook lets them choose, and the life of those that were taken.

import { decisionText, penaltyText } from "./decisions.js";
import { h } from "./elements.js";
import { has, t } from "./texts.js";

const SECONDS = [5, 10, 15, 20, 30];
const STAGES = ["issued", "investigated", "noted"];
const REASONS = ["offence.limits", "offence.contact", "offence.start", "offence.neutralised", "offence.pit_speed", "offence.release", "offence.gain", "offence.blue"];

export class DecisionForm {
  #controls = null;
  said = new Map(); // decisions by name, as far as they are known
  #drawn = "";

  constructor(root, { desk, proposal }) {
    this.desk = desk;
    this.proposal = proposal;
    this.life = h("ul", { className: "life", label: t("decision.life") });
    this.place = h("div", {});
    this.amends = null; // the decision that the next one takes the place of
    this.rules = h("p", { className: "help" });
    this.offences = h("datalist", { id: "offences" });
    this.articles = h("datalist", { id: "articles" });
    root.append(h("h2", { tabIndex: -1 }, t("work.decision")), h("p", { className: "denied", data: { for: "stewards" }, hidden: true }),
      h("fieldset", { className: "commands", data: { channel: "stewards" } }, this.place, this.rules, h("h3", {}, t("decision.life")), this.life));
  }

  /** Take in what there is to choose from. */
  offer(controls) {
    const first = this.#controls === null;
    this.#controls = controls;
    this.rules.textContent = t("decision.rules", { rulebook: controls.rulebook, drive: controls.drive_through_s, stop: controls.stop_go_s });
    if (first) this.#build();
    this.#list(controls.offences);
  }

  /** Offer the reasons and articles of the rulebook and of the decisions in the log, beside the usual reasons. */
  learn(records) {
    const said = records.map(({ event }) => event).filter(({ type }) => type === "decision");
    for (const event of said) this.said.set(event.decision, event);
    const options = (values) => [...new Set(values.filter(Boolean))].map((value) => h("option", { value }));
    const ruled = this.#controls?.offences ?? [];
    this.offences.replaceChildren(...options([...ruled.map(({ offence }) => offence), ...REASONS.map((name) => t(name)), ...said.map(({ reason }) => reason)]));
    this.articles.replaceChildren(...options([...ruled, ...said].map(({ article }) => article)));
  }

  render({ rows }) {
    if (!this.#controls) return;
    const found = Object.values(rows).flatMap((row) => row.penalties.map((each) => ({ ...each, car: row.car })));
    const known = JSON.stringify(found);
    if (known === this.#drawn) return;
    this.#drawn = known;
    this.names = new Set(found.map(({ decision }) => decision));
    if (this.name && !this.name.dataset.own) this.name.value = this.#next();
    const standing = found.filter(({ stage }) => stage !== "quashed").reverse();
    this.life.replaceChildren(...(standing.length ? standing.map((each) => this.#line(each)) : [h("li", { className: "none" }, t("decision.none"))]));
  }

  focus() {
    (!this.car.value ? this.car : this.offence.disabled ? this.penalty : this.offence).focus();
  }

  choose(car) {
    if (this.car) this.car.value = car ?? "";
  }

  #build() {
    const input = (id, more = {}) => h("input", { id: `decision-${id}`, autocomplete: "off", ...more });
    this.car = input("car", { className: "short", required: true, maxLength: 8 });
    this.name = input("name", { className: "short", required: true, maxLength: 64, value: this.#next(), oninput: () => { this.name.dataset.own = "1"; } });
    this.offence = h("select", { id: "decision-offence", onchange: () => this.#fill() });
    this.offenceLabel = h("label", { htmlFor: "decision-offence" }, t("decision.offence"));
    this.penalty = h("select", { id: "decision-penalty", onchange: () => this.#amounts() }, this.#controls.penalties.map(({ penalty }) => new Option(t(`choice.${penalty}`), penalty)));
    this.amount = input("amount", { className: "short", inputMode: "decimal" });
    this.amountLabel = h("label", { htmlFor: "decision-amount" });
    this.quick = h("span", { className: "group" }, SECONDS.map((n) => h("button", { type: "button", onclick: () => { this.amount.value = String(n); } }, String(n))));
    this.reason = input("reason", { maxLength: 1000 });
    this.reason.setAttribute("list", "offences");
    this.article = input("article", { className: "short", maxLength: 200 });
    this.article.setAttribute("list", "articles");
    this.stage = h("select", { id: "decision-stage" }, STAGES.map((stage) => new Option(t(`stage.${stage}`), stage)));
    const label = (id, words) => h("label", { htmlFor: `decision-${id}` }, words);
    this.place.replaceChildren(h("form", { onsubmit: (event) => this.#propose(event) },
      h("p", { className: "line" }, label("car", t("field.find")), this.car, this.offenceLabel, this.offence),
      h("p", { className: "line" }, label("penalty", t("decision.penalty")), this.penalty, this.amountLabel, this.amount, this.quick),
      h("p", { className: "line" }, label("reason", t("decision.reason")), this.reason, label("article", t("decision.article")), this.article),
      h("p", { className: "line" }, label("stage", t("decision.stage")), this.stage, label("name", t("decision.name")), this.name,
        h("button", { className: "button send" }, t("decision.look"))),
      this.offences, this.articles));
    this.instead = h("p", { className: "line instead", role: "status", hidden: true });
    this.place.prepend(this.instead);
    this.learn([]);
    this.#amounts();
  }

  /** Begin a decision in the place of one that stands, filled in with what that one says: a penalty amended at the hearing. */
  #amend(decision) {
    this.amends = decision.decision;
    this.offence.value = "";
    this.car.value = decision.car;
    this.penalty.value = decision.penalty;
    this.#amounts();
    const { amount } = this.#chosen();
    this.amount.value = amount && decision[amount] !== undefined && decision[amount] !== null ? String(decision[amount]) : "";
    this.reason.value = decision.reason ?? "";
    this.article.value = this.said.get(decision.decision)?.article ?? this.#controls.articles[decision.decision] ?? "";
    this.stage.value = "issued";
    this.#showInstead();
    (amount ? this.amount : this.penalty).focus();
  }

  #showInstead() {
    this.instead.hidden = this.amends === null;
    this.instead.replaceChildren(...(this.amends === null ? [] : [t("decision.instead", { decision: this.amends }),
      h("button", { type: "button", className: "button small", onclick: () => this.#leave() }, t("decision.instead_not"))]));
  }

  #leave() {
    this.amends = null;
    this.reason.value = this.article.value = this.offence.value = "";
    this.#amounts();
    this.#showInstead();
  }

  /** The rulebook's offences; without any there is nothing to choose, and the choice is not shown. */
  #list(offences) {
    const drawn = JSON.stringify(offences);
    if (drawn === this.offence.dataset.drawn) return;
    this.offence.dataset.drawn = drawn;
    const words = ({ offence, article }) => (article ? `${offence} · ${article}` : offence);
    this.offence.replaceChildren(new Option(t("decision.other"), ""), ...offences.map((each, i) => new Option(words(each), i)));
    this.offence.disabled = offences.length === 0;
    for (const each of [this.offence, this.offenceLabel]) each.hidden = this.offence.disabled;
  }

  /** Fill in what the rulebook has for the offence chosen: the usual penalty and amount, its words, its article. All can be changed. */
  #fill() {
    const { offence = "", article, penalty, amount } = this.#controls.offences[this.offence.value] ?? {};
    if (penalty) this.penalty.value = penalty;
    this.#amounts();
    if (amount && this.#chosen().amount) this.amount.value = String(amount);
    this.reason.value = offence;
    this.article.value = article ?? "";
  }

  #chosen() {
    return this.#controls.penalties.find(({ penalty }) => penalty === this.penalty.value);
  }

  #amounts() {
    const { amount, optional } = this.#chosen();
    for (const each of [this.amount, this.amountLabel]) each.hidden = !amount;
    this.quick.hidden = amount !== "seconds";
    this.amount.required = Boolean(amount) && !optional;
    this.amount.pattern = amount === "seconds" ? "\\d+([.,]\\d+)?" : "\\d+";
    this.amountLabel.textContent = amount ? t(`amount.${amount}`) : "";
    this.amount.value = "";
  }

  #next() {
    const used = this.names ?? new Set(this.#controls?.decisions);
    for (const name of this.#controls?.decisions ?? []) used.add(name);
    let n = used.size + 1;
    while (used.has(`D${n}`)) n += 1;
    return `D${n}`;
  }

  #propose(submitted) {
    submitted.preventDefault();
    const { penalty, amount } = this.#chosen();
    const optional = {};
    if (amount && this.amount.value) optional[amount] = Number(this.amount.value.replace(",", "."));
    if (this.reason.value.trim()) optional.reason = this.reason.value.trim();
    if (this.article.value.trim()) optional.article = this.article.value.trim();
    const car = this.car.value.trim();
    const event = { type: "decision", decision: this.name.value.trim(), car, penalty, stage: this.stage.value, ...optional };
    const before = this.amends;
    const also = before === null ? undefined : {
      title: t("decision.update", { decision: before, car, stage: t("stage.quashed") }), channel: "stewards",
      event: { type: "decision_updated", decision: before, stage: "quashed", reason: t("decision.replaced", { decision: event.decision }) },
    };
    this.proposal.open({
      title: t("decision.title", { car, what: decisionText(event) }), channel: "stewards", event, also,
      sent: () => {
        this.amends = null;
        this.#showInstead();
        this.said.set(event.decision, event);
        delete this.name.dataset.own;
        this.#controls.decisions = [...this.#controls.decisions, event.decision];
        this.name.value = this.#next();
        this.reason.value = this.article.value = this.offence.value = "";
        this.#amounts();
      },
    });
  }

  #line(decision) {
    const steps = (this.#controls.stages[decision.stage] ?? []).map((stage) =>
      h("button", { type: "button", className: "button small", label: t("decision.step", { decision: decision.decision, stage: t(`stage.${stage}`) }), onclick: () => this.#step(decision, stage) }, t(`stage.${stage}`)));
    if (this.#controls.stages[decision.stage]?.includes("quashed")) {
      steps.unshift(h("button", { type: "button", className: "button small", label: t("decision.amend_which", { decision: decision.decision }), onclick: () => this.#amend(decision) }, t("decision.amend")));
    }
    return h("li", { data: { decision: decision.decision, stage: decision.stage } },
      h("p", {}, h("b", {}, decision.decision), " ", h("span", { className: "number" }, decision.car), penaltyText(decision), h("small", {}, [has(`stage.${decision.stage}`) ? t(`stage.${decision.stage}`) : decision.stage, decision.reason].filter(Boolean).join(" · "))),
      h("span", { className: "group", role: "group", label: t("decision.becomes") }, steps));
  }

  #step({ decision, car }, stage) {
    const event = { type: "decision_updated", decision, stage };
    this.proposal.open({ title: t("decision.update", { decision, car, stage: t(`stage.${stage}`) }), channel: "stewards", event, reason: stage === "quashed" || stage === "suspended",
      seconds: stage === "converted" ? t("decision.converted_help") : undefined });
  }
}
