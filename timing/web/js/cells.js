// How each known column is written. A cell is a list of parts, each a text or `[class, text or parts, title?]`; cells are compared by their
// parts and painted only when they differ.

import { rank, SIGNS } from "./bests.js";
import { decisionText, penaltyText, standing } from "./decisions.js";
import { duration, gap, points, shortName } from "./format.js";
import { has, plural, t } from "./texts.js";

const STATUS_SIGN = { pit: "pit", stopped: "stopped", retired: "out", finished: "flag", disqualified: "out", not_started: "out" };
const NO_GAP = new Set(["retired", "disqualified", "not_started"]);
const CLASS_COLOURS = 8;
const BATTLE_US = 1_000_000; // nose to tail
const NEAR_US = 4_000_000; // where it is worth saying whether a gap closes
const STEADY_US = 100_000;

/** The colour of a class: the same number wherever it is shown. */
export function classColour(cls, classes) {
  return Math.max(classes.indexOf(cls), 0) % CLASS_COLOURS;
}

/** The place of a car as the viewer's order and classes count it; null where it has none. */
export function placeOf(row, view) {
  if (view.order === "result") return (view.cls ? row.result?.class_position : row.result?.position) ?? null;
  if (view.order === "live" && row.live) return view.places.get(row.car) ?? row.live.position;
  if (view.order === "restart") return view.places.get(row.car) ?? null;
  return view.cls ? row.class_position : row.position;
}

/** Whether a car is in a fight with the one ahead of it. */
export function inBattle(row, view) {
  const value = gapOf(row, view, "interval");
  return row.status === "running" && view.racing && !view.neutralised && view.race && view.order === "road" && placeOf(row, view) > 1 && row.laps > 0
    && value?.laps === 0 && value.time_us > 0 && value.time_us <= BATTLE_US;
}

// Widths in em of the table's type. `grow`: takes a share of what is left. `narrow`: the width on a phone. `idle`: without anything to say.
export const KNOWN = {
  position: { width: 2.1, cell: (row, view) => [String(placeOf(row, view) ?? "–")] },
  gained: { width: 2.3, align: "left", priority: 3, cell: gainedCell },
  result: { width: 3.4, align: "right", priority: 1, narrow: 2.6, cell: resultCell },
  restart: { width: 3, align: "right", priority: 1, narrow: 2.6, cell: restartCell },
  car: { width: 3.1, narrow: 2.9, align: "centre", cell: (row, view) => [[`plate class-${classColour(row.class, view.classes)}`, row.car]] },
  class: { width: 4.9, cell: (row, view) => [[`chip class-${classColour(row.class, view.classes)}`, row.class, row.class]] },
  class_position: { width: 2, cell: (row) => [[row.class_position === 1 ? "first" : "dim", String(row.class_position)]] },
  driver: { width: 8.6, narrow: 6.5, grow: 3, cell: driverCell },
  team: { width: 6.4, grow: 2, cell: (row) => [["dim", row.team ?? ""]] },
  laps: { width: 2.8, cell: (row) => [String(row.laps)] },
  gap: { width: 5.4, lapped: 8, narrow: 4.8, cell: gapToLeaderCell },
  interval: { width: 6.8, lapped: 7.6, narrow: 4.8, cell: intervalCell },
  total: { width: 7, narrow: 5.4, align: "right", priority: 1, cell: (row) => [time(row.result?.total_us)] },
  last_lap_us: { width: 6.6, narrow: 4.9, cell: lastCell },
  best_lap_us: { width: 5.1, cell: bestCell },
  sectors_us: { width: 0, perSector: 3.7, perLongSector: 4.3, cell: sectorCell },
  best_sectors_us: { width: 0, perSector: 3.7, perLongSector: 4.3, cell: bestSectorsCell },
  pit_stops: { width: 2.6, cell: (row) => [row.pit_stops ? String(row.pit_stops) : ["faint", "·"]] },
  stint_laps: { width: 2.8, cell: (row) => [row.laps ? String(row.stint_laps) : ""] },
  grid: { width: 2.4, cell: (row) => [["dim", row.grid ? String(row.grid) : ""]] },
  gap_before: { width: 5.4, align: "right", priority: 5, cell: (row) => (row.gap_before ? gapTexts(row.gap_before, { brief: false }) : []) },
  live: { width: 5.6, cell: liveCell },
  segment: { width: 4.6, cell: (row) => [["dim", row.segment ?? ""]] },
  status: { width: 4.6, align: "left", cell: (row, view) => statusParts(row, view) },
  penalties: { width: 6, grow: 1, idle: hasNoPenalties, cell: (row) => penaltyParts(row) },
};

/** The points in the `at`-th championship of the session; nothing where the car does not score there. A long name is cut, in the head. */
export function pointsColumn(at, label) {
  const cell = (row) => [points(row.points_milli?.[at])];
  return { width: Math.min(Math.max(3.6, label.length * 0.5), 7.5), align: "right", cut: true, cell };
}

// On a phone a row has two lines, and these stand beside or below others.
export const IN_OTHER_CELLS = new Set(["class", "class_position", "team", "interval", "best_lap_us", "status", "penalties", "gained"]);

function time(us) {
  return us === null || us === undefined ? "" : duration(us);
}

function gainedCell(row, view) {
  const place = placeOf(row, view);
  const from = view.cls ? view.gridInClass.get(row.car) : row.grid;
  if (!from || !place || NO_GAP.has(row.status)) return [];
  const gained = from - place;
  if (gained === 0) return [["faint", "–"]];
  return [[gained > 0 ? "gain" : "loss", `${gained > 0 ? "▲" : "▼"}${Math.abs(gained)}`]];
}

function resultCell(row, view) {
  if (!row.result) return [];
  const { status, photo } = row.result;
  const place = view.cls ? row.result.class_position : row.result.position;
  if (place === null || place === undefined) return [["dim", has(`result.${status}`) ? t(`result.${status}`) : ""]];
  const road = view.cls ? row.class_position : row.position;
  const said = [[place === road ? "dim" : "differs", t("result.place", { n: place })]];
  return photo ? [...said, ["badge photo", "◫", t("photo.title")]] : said;
}

function restartCell(row, view) {
  const place = view.restart?.get(row.car);
  return place === undefined ? [["faint", "–"]] : [[place === row.position ? "dim" : "differs", String(place)]];
}

function driverCell(row, view) {
  const name = row.driver?.name ?? row.team ?? "";
  if (!view.compact) return [["name", view.brief ? shortName(name) : name, name], ...(view.brief ? statusParts(row, view) : []), ...photoPart(row), ...(view.badges ? penaltyParts(row, true) : [])];
  const below = [];
  if (view.classes.length > 1) below.push([`chip class-${classColour(row.class, view.classes)}`, `${row.class} ${row.class_position}`]);
  const gained = gainedCell(row, view);
  if (gained.length && gained[0][0] !== "faint") below.push(...gained);
  if (row.driver && row.team && view.classes.length < 2) below.push(["dim", row.team]);
  const signs = [...statusParts(row, view), ...photoPart(row), ...penaltyParts(row, true)];
  const wide = signs.some(([sign]) => sign === "badge stopped" || sign === "badge out");
  const room = ["", " beside", " beside-wide", " beside-many"][Math.min(signs.length + Number(wide), 3)];
  return [[`name${room}`, shortName(name), name], ...signs, ["second", below]];
}

function photoPart(row) {
  return row.result?.photo ? [["badge photo", "◫", t("photo.title")]] : [];
}

function gapOf(row, view, which) {
  if (view.order === "live") return row.live?.[which];
  return view.cls ? row[`class_${which}`] : row[which];
}

function gapToLeaderCell(row, view) {
  const parts = gapParts(row, view, gapOf(row, view, "gap"), t("leader"));
  if (!view.compact || parts.length === 0) return parts;
  const below = intervalCell(row, view);
  return [...parts, ["second dim", below.length ? below : plural("lap", row.laps)]];
}

function intervalCell(row, view) {
  const parts = gapParts(row, view, gapOf(row, view, "interval"), "");
  if (parts.length === 0) return parts;
  const trend = trendParts(row, view);
  if (!inBattle(row, view)) return [...trend, ...parts];
  return [...trend, [trend.some(([name]) => name === "trend closing") ? "fight closing" : "fight", parts, t("battle.title")]];
}

// Whether the gap closes: said only where it is near enough to matter, and not under a neutralisation.
function trendParts(row, view) {
  const change = view.cls ? row.class_interval_change_us : row.interval_change_us;
  const value = gapOf(row, view, "interval");
  if (view.brief || !view.racing || view.neutralised || view.order !== "road" || typeof change !== "number" || row.status !== "running") return [];
  if (!value || value.laps || value.time_us > NEAR_US || Math.abs(change) < STEADY_US) return [];
  const amount = duration(Math.abs(change), 1);
  return change < 0
    ? [["trend closing", `▾${amount}`, t("battle.closing", { n: duration(-change) })]]
    : [["trend", `▴${amount}`, t("battle.opening", { n: duration(change) })]];
}

function gapParts(row, view, value, first) {
  if (!value || NO_GAP.has(row.status) || (row.laps === 0 && value.laps === 0 && value.time_us === 0)) return []; // nothing measured yet
  if (placeOf(row, view) === 1) return first ? [["dim", first]] : [];
  return gapTexts(value, view);
}

function gapTexts(value, { brief }) {
  const { laps, time: text } = gap(value);
  if (!laps) return [text];
  return brief ? [["lapped", laps, `${laps} ${text}`]] : [["lapped", laps], ["faint", text]];
}

function liveCell(row) {
  if (!row.live) return [];
  const { position, gap: behind } = row.live;
  const moved = position === row.position ? "dim" : "differs";
  return behind && position > 1 ? [[moved, t("result.place", { n: position })], ["faint", gap(behind).laps || gap(behind).time]] : [[moved, t("result.place", { n: position })]];
}

function marked(us, rankOf, { faint = false } = {}) {
  return rankOf ? [[rankOf, SIGNS[rankOf], t(`legend.${rankOf}`)], [rankOf, duration(us)]] : [faint ? ["soft", duration(us)] : duration(us)];
}

function lastCell(row, view) {
  const us = row.last_lap_us;
  const deleted = (row.penalties ?? []).find(({ penalty, lap, stage }) => penalty === "lap_time_deleted" && lap === row.laps && stage !== "quashed");
  if (us === null || us === undefined) return deleted ? [["deleted", t("lap.deleted"), decisionText(deleted)]] : [];
  const rankOf = us !== row.best_lap_us || (row.laps < 2 && !bestRank(row, view)) ? null : (bestRank(row, view) ?? "own");
  const tag = tagParts(row, view);
  const parts = marked(us, rankOf);
  if (!view.compact) return [...tag, ...parts];
  if (us === row.best_lap_us) return [...parts, [`second ${rankOf ?? ""}`, rankOf ? t(`short.${rankOf}`) : ""]];
  const best = bestRank(row, view);
  return [...parts, [`second ${best ?? "dim"}`, `${best ? `${SIGNS[best]} ` : ""}${time(row.best_lap_us)}`]];
}

const TAGS = ["red", "safety_car", "vsc", "fcy", "code60", "slow_zone", "yellow", "in", "out"];

// Why a lap is slow: it was run under a flag, or through the pit lane.
function tagParts(row, view) {
  if (view.brief || view.order === "result") return [];
  const tag = TAGS.find((each) => row.last_lap_tags?.includes(each));
  return tag ? [["tag", t(`tag.${tag}`), t(`tag.${tag}.title`)]] : [];
}

function bestCell(row, view) {
  const us = row.best_lap_us;
  return us === null || us === undefined ? [] : marked(us, bestRank(row, view), { faint: true });
}

function bestRank(row, view) {
  const found = rank(row.best_lap_us, -1, row.class, view.bests.lap, view.classes);
  return found === "own" ? null : found;
}

function sectorCell(row, view) {
  return sectorParts(row, view, row.sectors_us ?? []);
}

function bestSectorsCell(row, view) {
  return sectorParts(row, view, row.best_sectors_us ?? [], true);
}

function sectorParts(row, view, times, bests = false) {
  return Array.from({ length: view.sectors }, (_, i) => {
    const us = times[i];
    if (us === null || us === undefined) return ["sector", ""];
    const own = bests ? -1 : (row.best_sectors_us?.[i] ?? -1);
    const found = view.bests.sectors[i] ? rank(us, own, row.class, view.bests.sectors[i], view.classes) : null;
    if (!found) return [`sector ${bests ? "plain" : "slower"}`, duration(us)];
    return [`sector ${found}`, [["sign", SIGNS[found]], duration(us)], t(`legend.${found}`)];
  });
}

function hasNoPenalties(rows) {
  return rows.every((row) => penaltyParts(row).length === 0);
}

function statusParts(row, { compact, started }) {
  const sign = STATUS_SIGN[row.status];
  if (!sign || (compact && sign === "flag") || (!started && row.status === "not_started")) return [];
  return [[`badge ${sign}`, t(`row.${row.status}`)]];
}

function penaltyParts(row, compact = false) {
  const shown = (row.penalties ?? []).filter(({ stage }) => stage !== "quashed" && !(compact && standing(stage) === "past"));
  return shown.map((decision) => {
    const stands = standing(decision.stage);
    const title = decisionText(decision);
    if (stands === "open") return ["badge inquiry", compact ? "?" : penaltyText(decision), title];
    return [`badge penalty${stands === "past" ? " past" : ""}`, compact ? "!" : penaltyText(decision), title];
  });
}
