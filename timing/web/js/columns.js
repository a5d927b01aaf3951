// The columns of the leaderboard: which there are is data from the feed; how a known one is written stands here.
//
// A cell is a list of parts, each a text or `[class, text or parts, title?]`; cells are compared by their parts and painted only when they
// differ.

import { duration, gap, shortName } from "./format.js";
import { has, plural, t } from "./texts.js";

const STATUS_SIGN = { pit: "pit", stopped: "stopped", retired: "out", finished: "flag", disqualified: "out", not_started: "out" };
const NO_GAP = new Set(["retired", "disqualified", "not_started"]);
const CLASS_COLOURS = 8;

// Widths in em of the table's type. `grow`: takes a share of what is left. `narrow`: the width on a phone.
const KNOWN = {
  position: { width: 2.1, cell: (row, view) => [placeOf(row, view)] },
  gained: { width: 2.3, align: "left", priority: 3, cell: gainedCell },
  result: { width: 3.4, align: "right", priority: 1, narrow: 2.6, cell: resultCell },
  car: { width: 3.1, narrow: 2.9, align: "centre", cell: (row, view) => [[`plate class-${classColour(row, view)}`, row.car]] },
  class: { width: 5.6, cell: classCell },
  class_position: { width: 2, cell: (row) => [String(row.class_position)] },
  driver: { width: 9.5, narrow: 7, grow: 3, cell: driverCell },
  team: { width: 8, grow: 2, cell: (row) => [["dim", row.team ?? ""]] },
  laps: { width: 2.8, cell: (row) => [String(row.laps)] },
  gap: { width: 6.6, narrow: 4.8, cell: gapToLeaderCell },
  interval: { width: 6.6, cell: intervalCell },
  total: { width: 7, narrow: 5.4, align: "right", priority: 1, cell: (row) => [time(row.result?.total_us)] },
  last_lap_us: { width: 4.9, narrow: 4.9, cell: lastCell },
  best_lap_us: { width: 5.1, cell: bestCell },
  sectors_us: { width: 0, cell: (row, view) => sectorParts(row, view) },
  pit_stops: { width: 2.6, cell: (row) => [row.pit_stops ? String(row.pit_stops) : ["faint", "·"]] },
  status: { width: 4.6, align: "left", cell: (row, view) => statusParts(row, view) },
  penalties: { width: 6.4, grow: 1, cell: (row) => penaltyParts(row) },
};

// On a phone a row has two lines, and these stand beside or below others.
const IN_OTHER_CELLS = new Set(["class", "team", "interval", "best_lap_us", "status", "penalties"]);

const LABELS = {
  last_lap_us: "column.last",
  best_lap_us: "column.best",
  sectors_us: "column.sectors",
  pit_stops: "column.stops",
};

/** What the feed's columns and the page's own make, in order, for `view {order, over, differs, compact, sectors}`. */
export function planColumns(fromFeed, view) {
  const plan = [];
  for (const column of fromFeed) {
    if (view.order === "result" && (column.id === "gap" || column.id === "interval")) continue;
    if (view.compact && IN_OTHER_CELLS.has(column.id)) continue;
    if (view.classes.length < 2 && (column.id === "class" || column.id === "class_position")) continue;
    plan.push(resolve(column, view));
    if (column.id === "position") {
      plan.push(resolve({ id: "gained" }, view));
      if (view.differs) plan.push(resolve({ id: "result" }, view));
    }
    if (column.id === "laps" && view.order === "result") plan.push(resolve({ id: "total" }, view));
  }
  return plan;
}

/** Those of `plan` that fit into `width` em, the important first; the order stays. */
export function fitColumns(plan, width) {
  const gapBetween = 0.55;
  const chosen = new Set();
  let used = 1;
  for (const column of [...plan].sort((a, b) => a.priority - b.priority)) {
    const needs = column.width + gapBetween;
    if (used + needs > width && column.priority > 1) break; // the first that does not fit ends it: no lesser one slips in
    used += needs;
    chosen.add(column);
  }
  return plan.filter((column) => chosen.has(column));
}

/** The track list of a CSS grid for these columns. */
export function gridTemplate(columns) {
  return columns.map(({ width, grow }) => (grow ? `minmax(${width}em, ${grow}fr)` : `${width}em`)).join(" ");
}

/** The bests that signs are given for: `{overall, byClass}`. */
export function bestLaps(rows) {
  let overall = Infinity;
  const byClass = new Map();
  for (const { best_lap_us: best, class: cls } of rows) {
    if (best === null || best === undefined) continue;
    overall = Math.min(overall, best);
    byClass.set(cls, Math.min(byClass.get(cls) ?? Infinity, best));
  }
  return { overall, byClass };
}

function resolve(column, view) {
  const known = KNOWN[column.id];
  const key = LABELS[column.id] ?? `column.${column.id}`;
  const width = column.id === "sectors_us" ? 3.5 * Math.max(view.sectors, 1) : (view.compact && known?.narrow) || known?.width || 6;
  return {
    id: column.id,
    labels: column.id === "sectors_us" ? Array.from({ length: view.sectors }, (_, i) => `S${i + 1}`) : null,
    label: has(key) ? t(key) : (column.label ?? column.id),
    align: known?.align ?? column.align ?? "left",
    priority: column.priority ?? known?.priority ?? 4,
    width,
    grow: known?.grow,
    cell: known?.cell ?? ((row) => [plain(row[column.id])]),
  };
}

// A column this page does not know yet: shown as it comes.
function plain(value) {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function time(us) {
  return us === null || us === undefined ? "" : duration(us);
}

function placeOf(row, view) {
  if (view.order !== "result") return String(view.cls ? row.class_position : row.position);
  return String((view.cls ? row.result?.class_position : row.result?.position) ?? "–");
}

function gainedCell(row, view) {
  const place = view.order === "result" ? row.result?.position : row.position;
  if (!row.grid || !place || NO_GAP.has(row.status)) return [];
  const gained = row.grid - place;
  if (gained === 0) return [["faint", "–"]];
  return [[gained > 0 ? "gain" : "loss", `${gained > 0 ? "▲" : "▼"}${Math.abs(gained)}`]];
}

function resultCell(row, view) {
  if (!row.result) return [];
  const { status } = row.result;
  const place = view.cls ? row.result.class_position : row.result.position;
  if (place === null || place === undefined) return [["dim", has(`result.${status}`) ? t(`result.${status}`) : ""]];
  const road = view.cls ? row.class_position : row.position;
  return [[place === road ? "dim" : "differs", t("result.place", { n: place })]];
}

function classColour(row, view) {
  return Math.max(view.classes.indexOf(row.class), 0) % CLASS_COLOURS;
}

function classCell(row, view) {
  return [[`chip class-${classColour(row, view)}`, row.class, row.class]];
}

function driverCell(row, view) {
  const name = row.driver?.name ?? row.team ?? "";
  if (!view.compact) return [["name", name, name], ...(view.badges ? penaltyParts(row, true) : [])];
  const below = [];
  if (view.classes.length > 1) below.push([`chip class-${classColour(row, view)}`, row.class]);
  if (row.driver && row.team) below.push(["dim", row.team]);
  return [["name", shortName(name), name], ...statusParts(row, view), ...penaltyParts(row, true), ["second", below]];
}

function gapToLeaderCell(row, view) {
  const parts = gapParts(row, view, view.cls ? row.class_gap : row.gap, t("leader"));
  if (!view.compact || parts.length === 0) return parts;
  const below = intervalCell(row, view);
  return [...parts, ["second dim", below.length ? below : plural("lap", row.laps)]];
}

function intervalCell(row, view) {
  return gapParts(row, view, view.cls ? row.class_interval : row.interval, "");
}

function gapParts(row, view, value, first) {
  if (!value || NO_GAP.has(row.status) || (row.laps === 0 && value.laps === 0 && value.time_us === 0)) return []; // nothing measured yet
  if ((view.cls ? row.class_position : row.position) === 1) return first ? [["dim", first]] : [];
  const { laps, time } = gap(value);
  if (!laps) return [time];
  return view.compact ? [["lapped", laps, `${laps} ${time}`]] : [["lapped", laps], ["faint", time]];
}

function lastCell(row, view) {
  const us = row.last_lap_us;
  if (us === null || us === undefined) return [];
  const best = bestSign(row, view);
  const mark = us !== row.best_lap_us ? null : (best ?? (row.laps > 1 ? ["own", "●", t("legend.own")] : null));
  const parts = mark ? [mark, [mark[0], duration(us)]] : [duration(us)];
  if (!view.compact) return parts;
  if (us === row.best_lap_us) return [...parts, [`second ${mark?.[0] ?? ""}`, mark ? t(`short.${mark[0]}`) : ""]];
  return [...parts, [`second ${best?.[0] ?? "dim"}`, `${best ? `${best[1]} ` : ""}${time(row.best_lap_us)}`]];
}

function bestCell(row, view) {
  const us = row.best_lap_us;
  if (us === null || us === undefined) return [];
  const best = bestSign(row, view);
  return best ? [best, [best[0], duration(us)]] : [["soft", duration(us)]];
}

function bestSign(row, view) {
  if (row.best_lap_us === view.bests.overall) return ["overall", "◆", t("legend.overall")];
  if (view.classes.length > 1 && row.best_lap_us === view.bests.byClass.get(row.class)) return ["in-class", "◇", t("legend.class")];
  return null;
}

function sectorParts(row, view) {
  return Array.from({ length: Math.max(view.sectors, row.sectors_us?.length ?? 0) }, (_, i) => ["sector", time(row.sectors_us?.[i])]);
}

function statusParts(row, { compact, started }) {
  const sign = STATUS_SIGN[row.status];
  if (!sign || (compact && sign === "flag") || (!started && row.status === "not_started")) return [];
  return [[`badge ${sign}`, t(`row.${row.status}`)]];
}

const OPEN_STAGES = new Set(["noted", "investigated"]);
const PAST_STAGES = new Set(["served", "converted", "quashed"]);

function penaltyParts(row, compact = false) {
  const shown = (row.penalties ?? []).filter(({ stage }) => stage !== "quashed" && !(compact && PAST_STAGES.has(stage)));
  return shown.map(({ stage, text }) => {
    if (OPEN_STAGES.has(stage)) return ["badge inquiry", compact ? "?" : text || t("penalty.open"), `${text} (${t("penalty.open")})`];
    return [`badge penalty${PAST_STAGES.has(stage) ? " past" : ""}`, compact ? "!" : text, text];
  });
}

