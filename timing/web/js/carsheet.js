// A car's sheet as tables, and its laps as a picture.

import { h, table } from "./elements.js";
import { clock, duration, timeOfDay } from "./format.js";
import { t } from "./texts.js";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 60;

/** The laps, the latest first, with sectors, who drove, and where it came through the pit lane. */
export function lapTable(sheet, { session }) {
  const sectors = session.sectors ?? 0;
  const best = bestOf(sheet);
  const bests = Array.from({ length: sectors }, (_, i) => Math.min(...sheet.laps.map((lap) => lap.sectors_us[i] ?? Infinity)));
  const heads = [t("column.lap"), t("column.time"), ...bests.map((_, i) => `S${i + 1}`), t("column.driver")];
  const rows = sheet.laps.toReversed().map((lap) => [
    lap.pit ? h("span", {}, String(lap.lap), " ", h("span", { className: "badge pit", textContent: t("row.pit") })) : String(lap.lap),
    own(lap.time_us, counts(lap) ? best : null),
    ...bests.map((us, i) => own(lap.sectors_us[i], us)),
    nameOf(sheet, lap.driver),
  ]);
  return h("div", { className: "scroll", tabIndex: 0, role: "region", label: t("car.laps") }, table(t("car.laps"), heads, rows, heads.slice(0, -1).map((_, i) => i)));
}

/** Stretches without a stop. */
export function stintTable(sheet) {
  const heads = [t("column.driver"), t("car.from_lap"), t("column.laps"), t("car.mean")];
  const rows = sheet.stints.map((stint) => [nameOf(sheet, stint.driver), String(stint.from_lap), String(stint.laps), mean(sheet, stint)]);
  return table(t("car.stints"), heads, rows, [1, 2, 3]);
}

/** Visits to the pit lane. */
export function stopTable(sheet) {
  const heads = [t("column.lap"), t("car.in_at"), t("car.in_lane")];
  const rows = sheet.stops.map((stop) => [String(stop.lap), timeOfDay(stop.entered_at), stop.time_us === null ? "…" : duration(stop.time_us)]);
  return table(t("car.stops"), heads, rows, [0, 1, 2]);
}

/** How long each driver was at the wheel. */
export function wheelTable(sheet) {
  const rows = sheet.drive_times.map((each) => [nameOf(sheet, each.driver), String(each.laps), clock(each.time_us)]);
  return table(t("car.wheel"), [t("column.driver"), t("column.laps"), t("column.time")], rows, [1, 2]);
}

/** The lap times as bars, the quickest highest; laps through the pit lane are hollow. */
export function lapChart(sheet) {
  const timed = sheet.laps.filter(({ time_us: us }) => us !== null);
  const times = timed.map(({ time_us: us }) => us).sort((a, b) => a - b);
  const best = timed.some(counts) ? bestOf(sheet) : times[0];
  const slow = Math.max(times[Math.floor(times.length * 0.85)] ?? best, best * 1.03);
  const chart = document.createElementNS(SVG, "svg");
  chart.setAttribute("class", "lap-chart");
  chart.setAttribute("viewBox", `0 0 ${Math.max(timed.length, 12) * 4} ${HEIGHT}`);
  chart.setAttribute("preserveAspectRatio", "none");
  chart.setAttribute("aria-hidden", "true");
  timed.forEach((lap, i) => {
    const bar = document.createElementNS(SVG, "rect");
    const height = Math.max(HEIGHT * (1 - 0.8 * Math.min(Math.max((lap.time_us - best) / (slow - best || 1), 0), 1)), 6);
    const place = { x: i * 4 + 0.5, y: HEIGHT - height, width: 3, height };
    for (const [name, value] of Object.entries(place)) bar.setAttribute(name, value);
    bar.setAttribute("class", counts(lap) && lap.time_us === best ? "best" : lap.pit ? "pit" : "");
    chart.append(bar);
  });
  return chart;
}

function own(us, best) {
  if (us === null || us === undefined) return "";
  return us === best ? h("span", { className: "own", title: t("legend.own") }, "● ", duration(us)) : duration(us);
}

// Whether a lap's time counts: not deleted, not across a suspension, nor under a flag that the rulebook leaves out.
function counts({ timed = true, time_us: us }) {
  return timed && us !== null;
}

function bestOf(sheet) {
  return Math.min(...sheet.laps.filter(counts).map(({ time_us: us }) => us));
}

// The mean of a stint's laps whose time counts, but for those through the pit lane.
function mean(sheet, stint) {
  const laps = sheet.laps.filter((each) => each.lap >= stint.from_lap && each.lap < stint.from_lap + stint.laps && !each.pit && counts(each));
  return laps.length ? duration(Math.floor(laps.reduce((sum, { time_us: us }) => sum + us, 0) / laps.length)) : "–";
}

function nameOf(sheet, driver) {
  return sheet.drivers.find(({ id }) => id === driver)?.name ?? driver ?? "";
}
