// The charts that are rows of bars: sectors compared, and the stints of each car. Elements, so they read and print as they are.

import { median, raced, stints } from "./chartmath.js";
import { h } from "./elements.js";
import { duration } from "./format.js";
import { t } from "./texts.js";

const LATEST = 10; // racing laps that a comparison of sectors rests on

/** The median of the latest racing laps in each sector, car by car, fastest together first; null where no sectors are timed. */
export function sectorTable({ cars, shown, drawn, tint }, sectors) {
  if (!sectors) return null;
  const rows = drawn.map((car) => ({ car, times: sectorTimes(cars.get(car), shown.get(car), sectors) })).filter(({ times }) => times.some((us) => us !== null));
  for (const row of rows) row.times.push(row.times.includes(null) ? null : row.times.reduce((a, b) => a + b, 0));
  rows.sort((a, b) => (a.times.at(-1) ?? Infinity) - (b.times.at(-1) ?? Infinity));
  const bests = Array.from({ length: sectors + 1 }, (_, n) => least(rows.map(({ times }) => times[n])));
  const widest = Math.max(1, ...rows.flatMap(({ times }) => times.slice(0, sectors).map((us, n) => (us === null ? 0 : us - bests[n]))));
  const heads = [...Array.from({ length: sectors }, (_, n) => t("chart.sector", { n: n + 1 })), t("chart.sum")];
  return h("div", { className: "sectors" }, h("table", {},
    h("caption", {}, t("chart.sector_caption", { n: LATEST })),
    h("thead", {}, h("tr", {}, h("th", { className: "car", scope: "col" }, t("chart.cars")), heads.map((head) => h("th", { scope: "col" }, head)))),
    h("tbody", {}, rows.map(({ car, times }) => h("tr", { className: `class-${tint(car)}` },
      h("th", { className: "car", scope: "row" }, car),
      times.map((us, n) => h("td", {}, bar(us, bests[n], n === sectors ? widest * sectors : widest))))))));
}

function bar(us, best, widest) {
  if (us === null) return "–";
  const over = us - best;
  const line = h("i");
  line.style.width = `${Math.round((over / widest) * 1000) / 10}%`;
  return h("span", { className: over === 0 ? "bar-cell first" : "bar-cell" }, h("b", {}, duration(us)), h("small", {}, over === 0 ? "◆" : `+${duration(over)}`), line);
}

function sectorTimes({ sectors, times, tags }, laps, count) {
  const latest = [];
  for (let n = laps - 1; n >= 0 && latest.length < LATEST; n -= 1) if (times[n] !== null && raced(n + 1, tags[n + 1])) latest.push(sectors[n]);
  return Array.from({ length: count }, (_, s) => median(latest.map((lap) => lap[s]).filter((us) => us !== null && us !== undefined)));
}

function least(values) {
  const there = values.filter((us) => us !== null);
  return there.length ? Math.min(...there) : null;
}

/** A line for each car, in the order that is shown: its stints by laps, with their drivers, and the flags. */
export function stintLines({ cars, shown, drawn, tint, most, stretches: flags }) {
  return h("div", { className: "stints", role: "list" }, drawn.flatMap((car) => {
    const laps = shown.get(car);
    const drivers = [...new Set(cars.get(car).drivers.map(([, name]) => name))];
    const parts = stints(cars.get(car), laps).map(({ from, to, driver, stop }) => {
      const part = h("span", { className: `stint${drivers.indexOf(driver) % 2 ? " other" : ""}`, textContent: `${to - from + 1}${driver ? ` ${driver}` : ""}` });
      part.title = `${t("chart.stint", { driver: driver || car, from, to })}${stop ? ` · ${t("chart.pit")}` : ""}`;
      part.style.left = share(from - 1, most);
      part.style.width = share(to - from + 1, most);
      return part;
    });
    const shades = flags.map(({ kind, from, to }) => {
      const shade = h("span", { className: kind === "red" ? "flag red" : "flag" });
      shade.title = t(`track.${kind}`);
      shade.style.left = share(from, most);
      shade.style.width = share(to - from, most);
      return shade;
    });
    return [h("span", { className: "car", textContent: car }), h("div", { className: `line class-${tint(car)}`, role: "listitem" }, parts, shades)];
  }));
}

function share(laps, most) {
  return `${Math.round((laps / most) * 10_000) / 100}%`;
}
