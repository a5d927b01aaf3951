// One car, opened from its row: where it is and why, its laps and sectors, stops, stints and drivers, and what was said of it.

import { classColour } from "./cells.js";
import { lapChart, lapTable, stintTable, stopTable, wheelTable } from "./carsheet.js";
import { decisionText, messageText } from "./decisions.js";
import { h } from "./elements.js";
import { explained } from "./explained.js";
import { duration, gap, points, timeOfDay } from "./format.js";
import { t } from "./texts.js";

const AGAIN_AFTER_MS = 2_000; // between two questions for the same car

export class CarPanel {
  #car = null;
  #key = "";
  #asked = 0;
  #timer = null;
  #sheet = null;
  #explanation = null;
  #waiting = null; // an explanation of a later moment than the one that is shown
  #drawn = "";

  /** `closed(car)` is called when the panel is closed, so that the focus can go back to the row. */
  constructor(root, screen, closed) {
    this.root = root;
    this.screen = screen;
    this.closed = closed;
    this.root.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
    this.facts = h("dl", { className: "facts" });
    this.body = h("div", { className: "car-body" });
  }

  get car() {
    return this.#car;
  }

  open(car) {
    if (car === this.#car) return;
    this.#car = car;
    [this.#key, this.#sheet, this.#explanation, this.#waiting, this.#drawn] = ["", null, null, null, ""];
    this.screen.choices.set("car", car, { here: true });
    this.root.hidden = false;
    this.root.parentElement.classList.add("opened");
    this.body.replaceChildren(h("p", { className: "dim", textContent: t("car.loading") }));
    this.root.replaceChildren(this.#head(), this.facts, this.body);
    this.screen.again();
    this.root.querySelector("h2").focus({ preventScroll: true });
  }

  close() {
    if (this.#car === null) return;
    const car = this.#car;
    this.#car = null;
    clearTimeout(this.#timer);
    this.screen.choices.set("car", null, { here: true });
    this.root.hidden = true;
    this.root.parentElement.classList.remove("opened");
    this.closed(car);
  }

  /** Show what `state` says of the car. */
  render(state) {
    const row = this.#car === null ? null : state.rows[this.#car];
    if (!row) {
      if (this.#car !== null && state.order.length > 0) this.close();
      return;
    }
    if (this.state && state.epoch !== this.state.epoch) this.#forget(); // another moment, or another service
    this.state = state;
    this.#showFacts(row, state);
    const key = JSON.stringify([row.laps, row.position, row.pit_stops, row.status, row.penalties, row.result?.position, state.session.status, around(row, state)]);
    if (key !== this.#key) {
      this.#key = key;
      this.#askSoon();
    }
    if (this.#waiting && this.#waiting.seq <= state.seq) [this.#explanation, this.#waiting] = [this.#waiting, null];
    this.#showBody(row, state);
  }

  #head() {
    const close = h("button", { type: "button", className: "button", textContent: t("settings.close"), onclick: () => this.close() });
    return h("header", { className: "car-head" }, h("span", { className: "plate", ariaHidden: "true", textContent: this.#car }),
      h("div", {}, h("h2", { id: "car-title", tabIndex: -1 }), h("p", { className: "dim" })), close);
  }

  #showFacts(row, { session }) {
    const plate = this.root.querySelector(".plate");
    plate.className = `plate class-${classColour(row.class, session.classes ?? [])}`;
    const title = t("car.title", { car: row.car, driver: row.driver?.name ?? row.team ?? "" });
    const under = [row.class, row.team].filter(Boolean).join(" · ");
    const grid = row.grid ? t("result.place", { n: row.grid }) : "–";
    const facts = [
      ["column.position", `${t("result.place", { n: row.position })} · ${row.class} ${row.class_position}`],
      ["car.result", row.result?.position ? t("result.place", { n: row.result.position }) : "–"],
      ["column.grid", grid],
      ["column.laps", String(row.laps)],
      ["column.gap", row.position === 1 ? t("leader") : text(row.gap)],
      ["column.interval", row.position === 1 ? "–" : text(row.interval)],
      ["column.last", time(row.last_lap_us)],
      ["column.best", time(row.best_lap_us)],
      ["column.stops", String(row.pit_stops)],
      ["column.stint_laps", String(row.stint_laps ?? 0)],
    ];
    const championships = session.championships ?? [];
    championships.forEach((name, i) => {
      if (typeof row.points_milli?.[i] === "number") facts.push(["column.points_milli", points(row.points_milli[i]), championships.length > 1 ? ` · ${name}` : ""]);
    });
    if (row.gap_before) facts.push(["column.gap_before", text(row.gap_before)]);
    const drawn = JSON.stringify([title, under, facts]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.root.querySelector("h2").textContent = title;
    this.root.querySelector(".car-head p").textContent = under;
    this.facts.replaceChildren(...facts.map(([key, value, of = ""]) => h("div", {}, h("dt", { textContent: `${t(key)}${of}` }), h("dd", { textContent: value }))));
  }

  #askSoon() {
    clearTimeout(this.#timer);
    const wait = Math.max(this.#asked + AGAIN_AFTER_MS - performance.now(), 0);
    this.#timer = setTimeout(() => this.#ask(this.#car), wait);
  }

  #forget() {
    [this.#key, this.#sheet, this.#explanation, this.#waiting, this.body.key] = ["", null, null, null, ""];
    this.body.replaceChildren(h("p", { className: "dim", textContent: t("car.loading") }));
  }

  async #ask(car) {
    this.#asked = performance.now();
    const { epoch } = this.state;
    const path = `api/sessions/${encodeURIComponent(this.screen.session)}/cars/${encodeURIComponent(car)}`;
    try {
      const [sheet, explanation] = await Promise.all([this.screen.document(path), this.screen.document(`${path}/explain?last=40`)]);
      if (car !== this.#car || epoch !== this.state.epoch) return;
      this.#sheet = sheet;
      this.#waiting = explanation;
    } catch {
      if (car !== this.#car) return;
      this.#key = ""; // asked again with the next frame
      if (!this.#sheet) this.body.replaceChildren(h("p", { className: "dim", textContent: t("car.away") }));
      return;
    }
    this.body.key = "";
    this.render(this.state);
  }

  #showBody(row, state) {
    if (!this.#sheet) return;
    const about = state.messages.filter((each) => each.car === row.car && each.kind !== "anomaly" && each.kind !== "candidate").reverse();
    const sheet = until(this.#sheet, state.at);
    const key = JSON.stringify([sheet.laps.length, sheet.stops.length, this.#explanation?.seq, this.#waiting?.seq, about.map(({ id, struck }) => [id, struck]), row.penalties]);
    if (key === this.body.key) return;
    this.body.key = key;
    this.body.replaceChildren(
      ...section("car.why", this.#explanation ? explained(this.#explanation, row) : h("p", { className: "dim", textContent: t(this.#waiting ? "car.later" : "car.loading") })),
      ...section("car.decisions", row.penalties?.length ? h("ul", { className: "plain" }, row.penalties.map((each) => h("li", { textContent: decisionText(each) }))) : null),
      ...section("car.laps", sheet.laps.length ? [lapChart(sheet), lapTable(sheet, state)] : null),
      ...section("car.stints", sheet.stints.length ? stintTable(sheet) : null),
      ...section("car.stops", sheet.stops.length ? stopTable(sheet) : null),
      ...section("car.wheel", sheet.drive_times.length ? wheelTable(sheet) : null),
      ...section("messages.title", about.length ? h("ul", { className: "plain" }, about.map((each) => h("li", { className: each.struck ? "struck" : "" }, h("time", { className: "dim", textContent: timeOfDay(each.at) }), ` ${messageText(each)}`))) : null),
    );
  }
}

// Whom an explanation compares the car with, on the road and in the result, and what can part them: it is asked for again when that changes.
function around(row, { rows }) {
  const next = (one, other) => Math.abs((one ?? NaN) - other) === 1;
  const near = Object.values(rows).filter(({ position, result }) => next(position, row.position) || next(result?.position, row.result?.position));
  return near.map(({ car, laps, best_lap_us: best, status, penalties, result }) => [car, laps, best, status, penalties, result?.position]);
}

// What of a sheet had happened at an instant: with a delay, the service knows more than is shown.
function until(sheet, at) {
  return {
    ...sheet,
    laps: sheet.laps.filter((lap) => lap.ended_at <= at),
    stops: sheet.stops.filter((stop) => stop.entered_at <= at),
    stints: sheet.stints.filter((stint) => stint.began_at <= at),
    drive_times: sheet.laps.some((lap) => lap.ended_at > at) ? [] : sheet.drive_times,
  };
}

function section(key, content) {
  return content === null ? [] : [h("section", {}, h("h3", { textContent: t(key) }), content)];
}

function time(us) {
  return us === null || us === undefined ? "–" : duration(us);
}

function text(value) {
  if (!value) return "–";
  const parts = gap(value);
  return [parts.laps, parts.time].filter(Boolean).join(" ");
}
