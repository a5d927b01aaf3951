// What was known then and what is known now of the moment that is shown, side by side: the rows that differ are marked, and say in what.

import { decisionText } from "./decisions.js";
import { h, table } from "./elements.js";
import { duration, gap, points } from "./format.js";
import { dialog } from "./replaykeys.js";
import { has, plural, t } from "./texts.js";

const PAUSED_MS = 300; // a pause has lasted so long: what differs is asked for
const PLAYING_MS = 3_000; // while it plays
const COLUMNS = { last_lap_us: "last", best_lap_us: "best", sectors_us: "sectors", best_sectors_us: "best_sectors", pit_stops: "stops" };
// What rows are marked for. What the cars' order between the lines, or a change of a gap, says beside these is gone with the next passing.
const WORDED = new Set(["position", "result", "class", "class_position", "team", "driver", "laps", "last_lap_us", "best_lap_us", "sectors_us",
  "best_sectors_us", "gap", "interval", "status", "pit_stops", "stint_laps", "penalties", "grid", "segment", "gap_before", "points_milli"]);
const HEAD = { track_status: "track.label", status: "column.status", laps: "column.laps" };

export class Differing {
  #timer = null;
  #compared = "";
  #state = null;
  #rows = new Map(); // car -> the fields that differ, of what is shown

  /** `button` opens the list of all that differs and says how much it is. */
  constructor(replay, button) {
    this.replay = replay;
    this.button = button;
    this.list = h("div", { className: "differing" });
    this.dialog = dialog("replay-differing", t("replay.differs.title"), this.list);
    this.tip = h("div", { className: "tip", id: "replay-tip", role: "tooltip", hidden: true });
    button.onclick = () => this.open();
    for (const come of ["pointerover", "focusin"]) document.addEventListener(come, ({ target }) => this.#tell(target));
    document.addEventListener("keydown", ({ key }) => key === "Escape" && this.#hide());
  }

  open() {
    this.#list();
    if (!this.dialog.open) this.dialog.showModal();
  }

  /** Something was told of the replay: ask for what differs when it stands, and now and then while it plays. */
  heard(message) {
    const { replay } = this;
    if (message.kind === "replay_refused" && message.do === "compare") this.#compared = "";
    if (message.kind === "replay") {
      this.#count();
      const { known, at, seq } = message;
      const here = replay.playing ? `${known} playing` : [known, at, seq].join();
      if (here !== this.#compared) this.#askIn(replay.playing ? 0 : PAUSED_MS, here);
    } else if (message.kind === "replay_difference") {
      this.mark(this.#state);
      if (this.dialog.open) this.#list();
      if (replay.playing) this.#askIn(PLAYING_MS, `${replay.told.known} playing`);
    }
  }

  /** Mark the rows of `state` that differ, where what is shown still is what was compared. */
  mark(state) {
    if (!state) return;
    this.#state = state;
    const { difference, told } = this.replay;
    const shown = told?.known === "now" ? 1 : 0;
    this.#rows.clear();
    for (const [car, fields] of Object.entries(difference?.rows ?? {})) {
      const row = state.rows[car];
      const differ = worded(fields).filter((field) => same(fields[field][shown], row?.[field]));
      if (row && differ.length) this.#rows.set(car, differ);
    }
    for (const row of document.querySelectorAll(".row[data-car]")) {
      const differ = this.#rows.get(row.dataset.car);
      row.toggleAttribute("data-differs", Boolean(differ));
      for (const cell of row.querySelectorAll("[data-column]")) cell.toggleAttribute("data-differs", Boolean(differ?.includes(cell.dataset.column.split(":", 1)[0])));
    }
    this.#count();
  }

  #askIn(ms, here) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (document.visibilityState !== "visible") return;
      this.#compared = here;
      this.replay.compare();
    }, ms);
  }

  #count() {
    const { size } = this.#rows;
    const { difference, told, playing } = this.replay;
    const asked = difference && (playing || difference.at === told?.at); // else nothing is known of it yet
    const head = Object.keys(difference?.head ?? {}).some((name) => name in HEAD);
    const text = !asked ? "" : size ? plural("replay.differs", size) : head ? t("replay.differs.head") : t("replay.differs.none");
    if (this.button.dataset.text !== text) {
      this.button.dataset.text = text;
      this.button.querySelector("span").textContent = text;
    }
    this.button.disabled = text === "";
    this.button.classList.toggle("differs", text !== "" && (size > 0 || head));
  }

  // Beside the row that is pointed at or has the focus.
  #tell(target) {
    const row = target.closest?.(".row[data-differs]");
    if (!row || !this.replay.difference?.rows[row.dataset.car]) { // marked, but of a moment that is left
      this.#hide();
      return;
    }
    const { car } = row.dataset;
    this.tip.replaceChildren(...this.#words(car));
    this.tip.hidden = false;
    const box = row.getBoundingClientRect();
    const below = box.bottom + this.tip.offsetHeight + 8 < innerHeight;
    this.tip.style.top = `${below ? box.bottom + 4 : box.top - this.tip.offsetHeight - 4}px`;
    this.tip.style.left = `${Math.max(8, Math.min(box.left + 90, innerWidth - this.tip.offsetWidth - 8))}px`;
    row.querySelector(".plate")?.setAttribute("aria-describedby", this.tip.id);
  }

  #hide() {
    this.tip.hidden = true;
    document.querySelector(`[aria-describedby="${this.tip.id}"]`)?.removeAttribute("aria-describedby");
  }

  #words(car) {
    const fields = this.replay.difference.rows[car];
    const shown = worded(fields).map((field) => [label(field), ...fields[field].map((value) => written(field, value))]);
    return [table(t("replay.differs.car", { car }), ["", t("replay.then.brief"), t("replay.now.brief")], shown)];
  }

  #list() {
    const { difference } = this.replay;
    const head = Object.entries(difference?.head ?? {}).filter(([name]) => name in HEAD);
    const rows = [
      ...head.map(([name, [then, now]]) => ["", t(HEAD[name]), headWords(name, then), headWords(name, now)]),
      ...Object.entries(difference?.rows ?? {}).flatMap(([car, fields]) =>
        worded(fields).map((field, i) => [i ? "" : car, label(field), ...fields[field].map((value) => written(field, value))])),
    ];
    const none = h("p", { className: "dim", textContent: t("replay.differs.none.long") });
    this.list.replaceChildren(rows.length ? table(t("replay.differs.title"), [t("column.car"), "", t("replay.then"), t("replay.now")], rows) : none);
  }
}

// The fields that a reader sees differ.
function worded(fields) {
  return Object.keys(fields).filter((field) => WORDED.has(field) && written(field, fields[field][0]) !== written(field, fields[field][1]));
}

function label(field) {
  return t(`column.${COLUMNS[field] ?? field}`);
}

function headWords(name, value) {
  const key = name === "track_status" ? `track.${value}` : name === "status" ? `session.${value}` : "";
  return key && has(key) ? t(key) : String(value ?? "–");
}

/** A value of a row's field in words. */
export function written(field, value) {
  if (value === null || value === undefined || value.length === 0) return "–";
  if (Array.isArray(value)) return value.map((each) => (field === "penalties" ? decisionText(each) : written(field, each))).join(", ");
  if (field === "points_milli") return value === null ? "–" : points(value);
  if (field.endsWith("_us")) return duration(value);
  if (field.startsWith("gap") || field === "interval") return Object.values(gap(value)).filter(Boolean).join(" ");
  if (field === "driver") return value.name;
  if (field === "result") return value.position === null ? (has(`result.${value.status}`) ? t(`result.${value.status}`) : "–") : t("result.place", { n: value.position });
  if (field === "position" || field === "grid") return t("result.place", { n: value });
  if (field === "status") return has(`row.${value}`) ? t(`row.${value}`) : t("replay.running");
  return String(value);
}

function same(one, other) {
  return JSON.stringify(sorted(one ?? null)) === JSON.stringify(sorted(other ?? null));
}

// The two come from different writers: the order of the names in an object says nothing.
function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.keys(value).sort().map((name) => [name, sorted(value[name])]));
}
