// What waits for race control: overtakes that nothing explains, entries into a closed pit lane, and what in the evidence cannot be as it was said.

import { anomalyText } from "./anomalies.js";
import { h } from "./elements.js";
import { timeOfDay } from "./format.js";
import { awaitingPhoto } from "./photofinish.js";
import { has, t } from "./texts.js";

const RULINGS = ["accepted", "give_back", "referred"];
const LOOK_MS = 5_000;

export class Waiting {
  #drawn = null;
  #notices = null;
  #asked = 0;

  constructor(root, { screen, desk, proposal, keys, work }) {
    Object.assign(this, { screen, desk, proposal, work });
    this.none = h("p", { className: "none" }, t("waiting.none"));
    this.candidates = h("ul", { className: "candidates", label: t("waiting.overtakes") });
    this.anomalies = h("ul", { className: "anomalies", label: t("waiting.anomalies") });
    this.photos = h("ul", { className: "photos", label: t("photo.waiting") });
    this.due = h("p", { className: "due", hidden: true }, t("session.result_due"));
    root.append(h("h2", {}, t("waiting.title")), this.due, this.none, this.photos,
      h("fieldset", { className: "commands", data: { channel: "control" } }, this.candidates),
      h("fieldset", { className: "commands", data: { channel: "any" } }, this.anomalies));
    keys.leads("o", t("waiting.title"), () => root.querySelector("li button:not(:disabled)")?.focus());
  }

  render(state) {
    const { session, messages } = state;
    this.#photos(awaitingPhoto(state));
    this.due.hidden = !session.result_due;
    if (session.candidates !== this.#drawn) {
      this.#drawn = session.candidates;
      this.candidates.replaceChildren(...(session.candidates ?? []).map((each) => this.#candidate(each)));
    }
    const noted = messages.filter(({ kind }) => kind === "anomaly").map(({ id, text }) => id + text).join();
    if (noted !== this.#notices) {
      this.#notices = noted;
      this.#look();
    }
    this.#count();
  }

  #count() {
    this.none.hidden = this.photos.children.length + this.candidates.children.length + this.anomalies.children.length > 0;
  }

  #photos(groups) {
    const now = JSON.stringify(groups);
    if (now === this.photos.dataset.drawn) return;
    this.photos.dataset.drawn = now;
    this.photos.replaceChildren(...groups.map((cars) => h("li", {}, h("b", {}, t("photo.between", { cars: cars.join(", ") })),
      h("button", { type: "button", className: "button small", onclick: () => this.work("photo") }, t("photo.rule")))));
  }

  #candidate(candidate) {
    const { id, at, kind, car, over, loop, under, stands, place } = candidate;
    const words = kind === "overtake" ? t(place ? "waiting.overtook" : "waiting.lapped", { car, over, loop }) : t("waiting.entered", { car });
    const where = [timeOfDay(at), under && has(`track.${under}`) ? t(`track.${under}`) : "", stands === "give_back" ? t("ruling.give_back") : ""].filter(Boolean).join(" · ");
    return h("li", { data: { candidate: id, stands } }, h("p", {}, h("b", {}, words), h("small", {}, where)),
      h("span", { className: "group", role: "group", label: t("waiting.rule") }, RULINGS.filter((ruling) => ruling !== stands).map((ruling) =>
        h("button", { type: "button", label: `${t(`ruling.${ruling}`)}: ${words}`, onclick: () => this.#rule(id, ruling, words) }, t(`ruling.${ruling}`)))));
  }

  #rule(overtake, ruling, words) {
    this.desk.send("control", { type: "overtake_ruled", overtake, ruling, by: this.desk.me.name }, `${t(`ruling.${ruling}`)}: ${words}`);
  }

  async #look() {
    const asked = ++this.#asked;
    try {
      const { anomalies } = await this.screen.document(`api/sessions/${encodeURIComponent(this.screen.session)}/anomalies`);
      if (asked === this.#asked) this.anomalies.replaceChildren(...anomalies.filter(({ notable }) => notable).reverse().map((each) => this.#anomaly(each)));
      this.#count();
    } catch {
      setTimeout(() => asked === this.#asked && this.#look(), LOOK_MS);
    }
  }

  #anomaly(anomaly) {
    const { id, kind, at, text, car, count, suggestion } = anomaly;
    const own = anomalyText(anomaly);
    const words = own ?? text;
    const channel = suggestion?.type === "transponder_assigned" ? "entries" : "corrections";
    const may = suggestion && this.desk.may(channel);
    return h("li", { data: { anomaly: id } },
      h("p", {}, h("b", {}, t(`anomaly.${kind}`), car ? ` ${car}` : ""), own ? ` ${own}` : h("span", { lang: "en" }, ` ${text}`), h("small", {}, [timeOfDay(at), count > 1 ? `× ${count}` : ""].filter(Boolean).join(" · "))),
      kind === "unknown_transponder" && !may && this.desk.may("entries")
        ? h("button", { type: "button", className: "button small", label: `${t("entry.assign_to")}: ${words}`, onclick: () => this.work("entries", id.split("/").slice(2).join("/")) }, t("entry.assign_to")) : null,
      may ? h("button", { type: "button", className: "button small", label: `${t("waiting.mend")}: ${words}`, onclick: () => this.#mend(suggestion, channel, words) }, t("waiting.mend")) : null);
  }

  #mend(suggestion, channel, words) {
    const { by: _by, reason: _reason, ...event } = suggestion; // the reason is whoever sends it to give
    const made = channel === "entries" ? suggestion : event;
    this.proposal.open({ title: `${t("waiting.mend")}: ${words}`, channel, event: made, reason: channel === "corrections" });
  }
}
