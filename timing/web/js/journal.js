// The log as it comes: what was said, when and by whom, the newest first; what was refused stands there too. From here a command is taken
// back or moved to another instant, and the last own one undone.

import { h } from "./elements.js";
import { timeOfDay } from "./format.js";
import { refusalWords } from "./refusals.js";
import { said, speaker } from "./said.js";
import { key } from "./shortcuts.js";
import { t } from "./texts.js";

const FIRST = 300; // records asked for at the beginning
const SHOWN = 120;
const EVERY_MS = 1_000; // asked again at most so often while the session goes on
const ANYWAY_MS = 10_000; // refusals make no frame
const STAYS = new Set(["message_rejected", "session_opened", "signing_key", "result_signed"]);

export class Journal {
  #records = new Map(); // seq -> record
  #byId = new Map();
  #drivers = new Map(); // "car id" -> name
  #seq = 0;
  #asked = 0;
  #heard = -1;
  #busy = false;
  #more = false;

  constructor(root, { desk, proposal, keys, onRecords }) {
    this.desk = desk;
    this.proposal = proposal;
    this.onRecords = onRecords;
    this.undoing = h("button", { type: "button", className: "button wide", disabled: true, onclick: () => this.undo() });
    this.fields = h("fieldset", { className: "commands", data: { channel: "any" } }, this.undoing);
    this.list = h("ol", { className: "records", tabIndex: 0, label: t("journal.title") });
    root.append(h("h2", {}, t("journal.title")), this.fields, this.list);
    keys.sends("U", t("journal.undo_last"), this.undoing);
    keys.leads("l", t("journal.title"), () => this.list.focus());
    this.#offer();
    setInterval(() => this.#due(), EVERY_MS);
  }

  /** Every record that is known, in order. */
  get records() {
    return [...this.#records.values()];
  }

  /** The event of this id, if it is known. */
  event(id) {
    return this.#byId.get(id);
  }

  /** A frame up to record `seq` has come. */
  hear(seq) {
    this.#heard = Math.max(this.#heard, seq);
  }

  /** Ask for what is new, now; one question at a time. */
  async read() {
    if (this.#busy) {
      this.#more = true;
      return;
    }
    this.#busy = true;
    this.#asked = Date.now();
    const answer = await this.desk.journal(this.#seq, FIRST);
    this.#busy = false;
    if (answer.records) {
      this.#seq = Math.max(this.#seq, answer.seq);
      for (const record of answer.records) {
        this.#records.set(record.seq, record);
        for (const { id, name } of record.event.drivers ?? []) this.#drivers.set(`${record.event.car} ${id}`, name);
        if (record.event.id && record.event.type !== "message_rejected") this.#byId.set(record.event.id, record.event);
      }
      if (answer.records.length) this.#draw();
    }
    if (this.#more) {
      this.#more = false;
      this.read();
    }
  }

  /** Take back the last own command that still holds, by a new event. */
  undo() {
    const last = this.#lastOwn();
    if (!last) return;
    const { event } = last;
    const reason = t("journal.undo_reason");
    this.desk.send("corrections", { type: "event_voided", event: event.id, reason, by: this.desk.me.name }, t("journal.undoing", { what: this.#named(event) }));
  }

  #due() {
    const since = Date.now() - this.#asked;
    if (this.desk.me?.channels.length && ((this.#heard > this.#seq && since >= EVERY_MS) || since >= ANYWAY_MS)) this.read();
  }

  #voided() {
    const gone = new Set();
    for (const { event } of [...this.#records.values()].reverse()) { // a voiding that was voided itself does not hold
      if (event.type === "event_voided" && !gone.has(event.id)) gone.add(event.event);
    }
    return gone;
  }

  #lastOwn() {
    const gone = this.#voided();
    const mine = ({ event }) => event.acted_by?.name === this.desk.me?.name && !STAYS.has(event.type) && event.type !== "event_voided" && !gone.has(event.id);
    return [...this.#records.values()].reverse().find(mine);
  }

  #draw() {
    this.#records = new Map([...this.#records].sort(([a], [b]) => a - b));
    const gone = this.#voided();
    const shown = [...this.#records.values()].slice(-SHOWN).reverse();
    this.list.replaceChildren(...shown.map((record) => this.#line(record, gone.has(record.event.id))));
    this.#offer();
    this.onRecords?.();
  }

  #offer() {
    const last = this.desk.me && this.#lastOwn();
    this.undoing.disabled = !last;
    this.undoing.replaceChildren(last ? t("journal.undo", { what: this.#named(last.event) }) : t("journal.nothing"), key("⇧U"));
  }

  // In words, with drivers by their names.
  #said(event) {
    const shown = (each) => (each?.type === "driver_changed" ? { ...each, driver: this.#drivers.get(`${each.car} ${each.driver}`) ?? each.driver } : each);
    return said(shown(event), (id) => shown(this.event(id)));
  }

  #named(event) {
    const words = this.#said(event);
    return event.car && !words.split(/[^\w-]+/).includes(event.car) ? `${event.car} ${words}` : words;
  }

  #line({ seq, recorded_at: at, event }, gone) {
    const refused = event.type === "message_rejected";
    const words = this.#said(event);
    const named = this.#named(event);
    const may = !refused && !gone && !STAYS.has(event.type) && this.desk.mayTakeBack(event.type);
    return h("li", { className: `record r-${event.type}${gone ? " struck" : ""}${refused ? " refused" : ""}`, data: { seq, event: event.id ?? "" } },
      h("time", { dateTime: new Date(at / 1000).toISOString() }, timeOfDay(at)),
      h("p", {}, event.car ? h("span", { className: "number" }, event.car) : null, ...(refused ? refusalWords("desk.refused", event) : [words]),
        h("small", {}, t("journal.who", { who: speaker(event), seq }))),
      may ? h("span", { className: "do" },
        h("button", { type: "button", className: "button small", label: t("journal.void_what", { what: named }), onclick: () => this.#take(event, named) }, t("journal.void")),
        event.type === "event_voided" || event.type === "event_retimed" ? null
          : h("button", { type: "button", className: "button small", label: t("journal.retime_what", { what: named }), onclick: () => this.#move(event, named) }, t("journal.retime")))
        : null);
  }

  #take(event, words) {
    this.proposal.open({ title: t("journal.void_what", { what: words }), channel: "corrections", event: { type: "event_voided", event: event.id }, reason: true });
  }

  #move(event, words) {
    this.proposal.open({ title: t("journal.retime_what", { what: words }), channel: "corrections", event: { type: "event_retimed", event: event.id }, reason: true, at: event.at });
  }
}
