// The columns of the leaderboard: which there are is data from the feed, which are shown is the viewer's choice, else what fits.

import { IN_OTHER_CELLS, KNOWN, pointsColumn } from "./cells.js";
import { has, t } from "./texts.js";

const GAP_BETWEEN_EM = 0.55;
const ON_REQUEST = 5; // the priority of what is shown to those alone who ask for it
const POINTS = "points_milli"; // one column, or `points_milli:NAME` for each championship
const OWN = ["gained", "gap_before"]; // made by the page, beside those of the feed

const LABELS = {
  last_lap_us: "column.last",
  best_lap_us: "column.best",
  sectors_us: "column.sectors",
  best_sectors_us: "column.best_sectors",
  pit_stops: "column.stops",
};

/** Every column that can be chosen, as `{id, label, shown}`, in the order of the feed; points by championship where there are several. */
export function choosable(fromFeed, championships) {
  const all = [];
  for (const column of fromFeed) {
    if (column.id === POINTS) {
      all.push(...pointsOf(POINTS, championships).map((id) => ({ id, label: [t("column.points_milli"), nameIn(id)].filter(Boolean).join(" · "), shown: false })));
      continue;
    }
    all.push({ id: column.id, label: labelOf(column), shown: (column.priority ?? 4) < ON_REQUEST });
    if (column.id === "position") all.push({ id: "gained", label: t("column.gained.long"), shown: true });
    if (column.id === "interval") all.push({ id: "gap_before", label: t("column.gap_before"), shown: false });
  }
  return all;
}

/**
 * What is to be shown, in order, for `view {order, differs, restart, compact, sectors, classes, chosen}`: the columns chosen, or those of the
 * feed with the page's own among them. What a moment of the race asks for (the result, the restart) is always there.
 */
export function planColumns(fromFeed, view) {
  const known = new Map(fromFeed.map((column) => [column.id, column]));
  const plan = [];
  const ids = view.chosen ?? fromFeed.filter(({ priority }) => (priority ?? 4) < ON_REQUEST).map(({ id }) => id);
  for (const id of new Set(ids.flatMap((each) => pointsOf(each, view.championships) ?? [each]))) {
    if (id.startsWith(POINTS)) {
      if (known.has(POINTS)) plan.push(resolve({ ...known.get(POINTS), id }, view));
      continue;
    }
    if (!known.has(id) && !OWN.includes(id)) continue;
    if (left(id, view)) continue;
    plan.push(resolve(known.get(id) ?? { id }, view));
    if (id !== "position") continue;
    if (!view.chosen && !view.compact) plan.push(resolve({ id: "gained" }, view));
    if (view.differs) plan.push(resolve({ id: "result" }, view));
    if (view.restart && view.order !== "restart") plan.push(resolve({ id: "restart" }, view));
  }
  if (view.order === "result") {
    const after = plan.findIndex(({ id }) => id === "laps" || id === "driver");
    plan.splice(after + 1, 0, resolve({ id: "total" }, view));
  }
  if (view.chosen) plan.forEach((column, i) => Object.assign(column, { priority: i + 1 })); // what does not fit goes from the end
  return plan;
}

/** Those of `plan` that fit into `width` em, the important first; the order stays. */
export function fitColumns(plan, width) {
  const chosen = new Set();
  let used = 1;
  for (const column of [...plan].sort((a, b) => a.priority - b.priority)) {
    const needs = column.width + GAP_BETWEEN_EM;
    if (used + needs > width && column.priority > 1) break; // the first that does not fit ends it: no lesser one slips in
    used += needs;
    chosen.add(column);
  }
  return plan.filter((column) => chosen.has(column));
}

const LEAST_EM = 3.4; // of a name, where even the columns that cannot be left out hardly fit

/** The track list of a CSS grid for these columns. `tight`: names give way, so that no figure is ever cut. */
export function gridTemplate(columns, tight) {
  return columns.map(({ width, grow }) => (grow ? `minmax(${tight ? Math.min(width, LEAST_EM) : width}em, ${grow}fr)` : `${width}em`)).join(" ");
}

/** The columns that a column of points stands for: of the championship it names if it is scored here, or of each; null for other columns. */
export function pointsOf(id, championships) {
  if (!id.startsWith(POINTS)) return null;
  const each = championships.length === 1 ? [POINTS] : championships.map((name) => `${POINTS}:${name}`);
  return id === POINTS ? each : each.filter((_, i) => championships[i] === nameIn(id));
}

// The championship that a column of points names; empty where it names none.
function nameIn(id) {
  return id.slice(POINTS.length + 1);
}

// What is left out although it is among the feed's: it stands in another cell, or has nothing to say here.
function left(id, view) {
  if ((view.order === "result" || (view.order === "live" && view.filtered)) && (id === "gap" || id === "interval")) return true;
  if (view.compact && !view.chosen && IN_OTHER_CELLS.has(id)) return true;
  if (view.classes.length < 2 && (id === "class" || id === "class_position")) return true;
  return !view.chosen && Boolean(KNOWN[id]?.idle?.(view.rows ?? [], view));
}

function labelOf(column) {
  if (column.id.startsWith(`${POINTS}:`)) return nameIn(column.id);
  const key = LABELS[column.id] ?? `column.${column.id}`;
  return has(key) ? t(key) : (column.label ?? column.id);
}

function resolve(column, view) {
  const known = column.id.startsWith(POINTS) ? pointsColumn(Math.max(view.championships.indexOf(nameIn(column.id)), 0), labelOf(column)) : KNOWN[column.id];
  const bySector = known?.perSector ? view.sectors : 0;
  const lapped = view.lapped && !view.brief ? known?.lapped : undefined;
  const width = bySector ? (view.longSectors ? known.perLongSector : known.perSector) * bySector : ((view.brief && known?.narrow) || lapped || known?.width || 6);
  const prefix = column.id === "best_sectors_us" ? "◈" : "S";
  return {
    id: column.id,
    labels: bySector ? Array.from({ length: bySector }, (_, i) => `${prefix}${i + 1}`) : null,
    label: labelOf(column),
    cut: known?.cut,
    align: known?.align ?? column.align ?? "left",
    priority: column.priority ?? known?.priority ?? 4,
    width,
    grow: known?.grow,
    other: !known, // as wide as it comes
    cell: known?.cell ?? ((row) => [plain(row[column.id])]),
  };
}

// A column this page does not know yet: shown as it comes.
function plain(value) {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
