// The session itself: the start signal in one touch, the grid, qualifying's segments, the end. A start is one touch because it is given at the
// lights; it can be moved to its instant or voided from the log.

import { h } from "./elements.js";
import { timeOfDay } from "./format.js";
import { OVER } from "./screen.js";
import { t } from "./texts.js";

export class Running {
  #controls = null;
  #grid = null;

  constructor(root, { desk, proposal, offer }) {
    Object.assign(this, { root, desk, proposal, ask: offer });
    this.stands = h("p", { className: "stands" });
    this.start = h("button", { type: "button", className: "button send wide", id: "start", onclick: () => this.#start() }, t("running.start"));
    this.finish = h("button", { type: "button", className: "button", id: "end", onclick: () => this.#end() }, t("running.end"));
    this.order = h("textarea", { id: "grid-order", rows: 3, spellcheck: false, autocomplete: "off" });
    this.segment = h("select", { id: "segment" });
    this.class = h("select", { id: "segment-class" });
    const segment = (type) => h("button", { type: "button", className: "button", data: { type }, onclick: () => this.#segment(type) }, t(`running.${type}`));
    this.segments = h("p", { className: "line", hidden: true }, h("label", { htmlFor: "segment" }, t("running.segment")), this.segment,
      h("label", { htmlFor: "segment-class" }, t("changed.class")), this.class, segment("segment_started"), segment("segment_ended"));
    root.append(h("h2", { tabIndex: -1 }, t("work.session")), h("p", { className: "denied", data: { for: "session" }, hidden: true }), this.stands,
      h("fieldset", { className: "commands", data: { channel: "session" } },
        h("p", { className: "line" }, this.start, this.finish), this.segments,
        h("form", { onsubmit: (event) => this.#place(event) }, h("h3", {}, h("label", { htmlFor: "grid-order" }, t("running.grid"))),
          h("p", { className: "help" }, t("running.grid_help")), this.order, h("p", { className: "line" }, h("button", { className: "button" }, t("decision.look"))))));
  }

  /** Take in segments, classes and grid as they stand; a grid that is being written stays. */
  offer(controls) {
    const written = this.#grid === null || this.order.value.trim() === this.#grid;
    this.#controls = controls;
    this.#grid = controls.grid.map((car) => car ?? "-").join(" ");
    if (written) this.order.value = this.#grid;
    this.segments.hidden = !controls.segments.length;
    const keep = (select, options) => {
      const { value } = select;
      select.replaceChildren(...options);
      if (value) select.value = value;
    };
    keep(this.segment, controls.segments.map((name) => new Option(name, name)));
    keep(this.class, [new Option(t("running.all"), ""), ...[...new Set(controls.entries.map((each) => each.class))].sort().map((name) => new Option(name, name))]);
  }

  render({ session }) {
    this.session = session;
    this.start.disabled = session.status !== "scheduled";
    this.finish.disabled = session.status === "scheduled";
    const state = t(`session.${session.status}`);
    this.stands.textContent = session.started_at ? t("running.since", { state, time: timeOfDay(session.started_at) }) : state;
  }

  focus() {
    this.ask();
    (this.start.disabled || this.start.matches(":disabled") ? this.root.querySelector("h2") : this.start).focus();
  }

  choose() {}

  #start() {
    this.start.disabled = true; // a second touch is not a second start; the next frame says how it stands
    this.desk.send("session", { type: "session_started" }, t("done.started")).then(({ state }) => {
      if (state !== "accepted") this.render({ session: this.session });
    });
  }

  #end() {
    this.proposal.open({ title: t("done.ended"), channel: "session", event: { type: "session_ended" }, sure: OVER.has(this.session.status) ? undefined : t("running.sure") });
  }

  #segment(type) {
    const event = { type, segment: this.segment.value, ...(this.class.value ? { class: this.class.value } : {}) };
    const title = t(`done.${type}`, { segment: [this.segment.value, this.class.value].filter(Boolean).join(" ") });
    if (type === "segment_started") this.desk.send("session", event, title);
    else this.proposal.open({ title, channel: "session", event });
  }

  #place(submitted) {
    submitted.preventDefault();
    const cars = this.order.value.split(/[\s,]+/).filter(Boolean).map((car) => (/^[-–—]$/.test(car) ? null : car));
    this.proposal.open({
      title: t("said.grid"), channel: "session", event: { type: "grid_set", cars },
      sent: (seq) => {
        this.#grid = this.order.value.trim(); // it is not being written any more
        this.ask(seq);
      },
    });
  }
}
