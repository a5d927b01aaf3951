// The charts page: which chart, of which cars; drawn anew when laps came in, or when the viewer chose otherwise.

import { classes, fieldOf, gaps, positions, times, tintOf } from "./chartkinds.js";
import { shownLaps } from "./chartmath.js";
import { sectorTable, stintLines } from "./chartrows.js";
import { classColour } from "./cells.js";
import { h } from "./elements.js";
import { duration } from "./format.js";
import { LapData } from "./lapdata.js";
import { LapPlot } from "./lapplot.js";
import { Screen } from "./screen.js";
import { listOf, textOf } from "./toolbar.js";
import { t } from "./texts.js";

const LINES = { positions, gaps, times, classes };
const KINDS = ["positions", "gaps", "times", "classes", "sectors", "stints"];
const FOLLOWED = 32; // cars that can be chosen: eight colours, four kinds of dashes
const FEW = 6; // of the front, where lap times of all would be a thicket and none is chosen

const screen = new Screen();
const root = document.querySelector("#plot");
const [readout, empty, chooser, tableHolder] = ["#readout", "#empty", "#chooser", "#as-table"].map((name) => document.querySelector(name));
const data = new LapData(screen, () => draw());
const plot = new LapPlot(root, (lap, car) => tell(lap, car));
let drawn = { tools: "", cars: "", field: null, picture: null };

screen.draws((state) => {
  tools(state);
  cars(state);
  data.follow(state);
  if (data.start !== null && state !== drawn.field?.state) draw();
});

function choice(state) {
  const there = state ? listOf(screen.choices.get("cars")).filter((car) => car in state.rows) : [];
  const kind = screen.choices.get("chart");
  const reference = screen.choices.get("reference");
  return {
    kind: KINDS.includes(kind) ? kind : state?.session.kind === "race" ? "positions" : "times",
    cars: there.slice(0, FOLLOWED),
    classes: listOf(screen.choices.get("class")).filter((each) => state?.session.classes?.includes(each)),
    all: screen.choices.is("all"),
    reference: reference && state && reference in state.rows ? reference : null,
  };
}

function choose(name, value) {
  screen.choices.set(name, value, { here: name === "cars" || name === "reference" });
  drawn.tools = drawn.cars = "";
  screen.again();
  draw();
}

function draw() {
  const { state } = screen;
  if (!state || data.start === null) {
    empty.hidden = false;
    return;
  }
  const chosen = choice(state);
  const shown = shownLaps(data.cars, data.start, state);
  const none = ![...shown.values()].some((laps) => laps > 0);
  empty.hidden = !none;
  root.dataset.kind = chosen.kind;
  if (none) {
    plot.clear();
    root.replaceChildren(empty);
    return;
  }
  const followed = chosen.cars.length > 0;
  const thicket = chosen.kind === "times" || chosen.kind === "sectors";
  const leaders = state.order.filter((car) => inClasses(state.rows[car], chosen)).slice(0, FEW);
  const seen = (car) => (thicket ? (followed ? chosen.cars.includes(car) : leaders.includes(car)) : inClasses(state.rows[car], chosen) || chosen.cars.includes(car));
  const coloured = chosen.kind === "times" && !followed ? { ...chosen, cars: leaders } : chosen;
  const field = fieldOf(data, shown, state, coloured, seen);
  drawn.field = field;
  empty.hidden = true;
  root.setAttribute("aria-label", t("chart.keys", { chart: t(`chart.${chosen.kind}`) }));
  if (chosen.kind in LINES) lines(LINES[chosen.kind](field));
  else rows(chosen.kind === "stints" ? stintLines(field) : sectorTable(field, data.sectors) ?? nothing("chart.none_timed"));
  document.documentElement.dataset.charted = `${state.epoch}/${field.most}`;
}

function lines(picture) {
  if (!picture.lines.some(({ values }) => values.some((value) => typeof value === "number"))) {
    rows(nothing("chart.none_raced")); // lines without a point would stand on an axis without a meaning
    return;
  }
  if (!root.querySelector(".uplot")) {
    plot.clear();
    root.replaceChildren();
  }
  document.querySelector("#zoom").hidden = tableHolder.hidden = false;
  drawn.picture = picture;
  plot.draw(picture);
  if (tableHolder.open) fillTable();
}

function rows(element) {
  plot.clear();
  drawn.picture = null;
  document.querySelector("#zoom").hidden = tableHolder.hidden = true;
  readout.textContent = "";
  root.replaceChildren(element);
}

function nothing(why) {
  return h("p", { className: "empty", textContent: t(why) });
}

function inClasses(row, { classes: some }) {
  return some.length === 0 || some.includes(row?.class);
}

// ---- what is pointed at, in words ---------------------------------------------------------------------------------------

function tell(lap, car) {
  const { picture, field } = drawn;
  if (lap === null || picture === null) {
    readout.replaceChildren();
    return;
  }
  const at = picture.laps.indexOf(lap);
  const flags = [...new Set(picture.stretches.filter(({ from, to }) => from < lap && to > lap - 1).map(({ kind }) => kind))];
  const told = picture.lines.filter((line) => line.values[at] !== null && line.values[at] !== undefined && (line.pick !== null || line.car === car));
  told.sort((a, b) => a.values[at] - b.values[at]);
  const parts = [
    h("span", { className: "at" }, h("b", {}, lap === 0 ? t("chart.grid") : t("chart.lap_n", { n: lap }))),
    ...flags.map((kind) => h("span", { className: "at flag" }, t("chart.flag", { flag: t(`track.${kind}`) }))),
    ...told.map((line) => h("span", { className: "at" }, h("b", {}, line.name), ` ${valueText(line, at)}${tagText(field, line, lap)}`)),
  ];
  readout.replaceChildren(...parts.flatMap((part) => [part, " "]));
}

function valueText(line, at) {
  const value = line.values[at];
  const { kind } = choice(screen.state);
  if (kind === "positions") return `P${value}`;
  const us = Math.round(value * 1_000_000);
  return kind === "gaps" ? `${us < 0 ? "" : "+"}${duration(us)}` : duration(us);
}

function tagText(field, line, lap) {
  return field.cars.get(line.car)?.tags[lap]?.includes("in") ? ` (${t("chart.pit")})` : "";
}

tableHolder.addEventListener("toggle", () => tableHolder.open && fillTable());

function fillTable() {
  const { picture } = drawn;
  if (picture === null) return;
  const columns = [...picture.lines].sort((a, b) => (b.pick !== null) - (a.pick !== null));
  const caption = t("chart.table_caption", { chart: t(`chart.${choice(screen.state).kind}`) });
  tableHolder.lastElementChild.replaceChildren(h("table", {},
    h("caption", { className: "hidden-caption", textContent: caption }),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("chart.lap")), columns.map(({ name }) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, picture.laps.map((lap, at) => h("tr", {}, h("th", { scope: "row" }, lap === 0 ? t("chart.grid") : String(lap)), columns.map((line) => h("td", {}, line.values[at] === null || line.values[at] === undefined ? "" : valueText(line, at))))))));
}

// ---- tools ----------------------------------------------------------------------------------------------------------------

function tools(state) {
  const chosen = choice(state);
  const key = JSON.stringify([chosen.kind, chosen.all, chosen.reference, chosen.cars, chosen.classes, state.session.classes, state.session.kind]);
  if (key === drawn.tools) return;
  drawn.tools = key;
  const place = document.querySelector("#tools");
  const focused = place.contains(document.activeElement) ? document.activeElement.dataset.value : null;
  const kinds = state.session.kind === "race" ? KINDS : KINDS.filter((kind) => kind !== "positions" && kind !== "gaps");
  const groups = [
    group(t("chart.kind"), kinds, [chosen.kind], (kind) => t(`chart.${kind}`), (kind) => choose("chart", kind)),
    chosen.kind === "times" ? group(t("chart.laps_shown"), ["racing", "all"], [chosen.all ? "all" : "racing"], (each) => t(`chart.${each}_laps`), (each) => choose("all", each === "all" ? "1" : null)) : null,
    chosen.kind === "gaps" && chosen.cars.length > 0
      ? group(t("chart.reference"), ["", ...chosen.cars], [chosen.reference ?? ""], (car) => (car === "" ? t("chart.reference_first") : car), (car) => choose("reference", car === "" ? null : car))
      : null,
    (state.session.classes ?? []).length > 1 && chosen.kind !== "classes" ? classGroup(state, chosen) : null,
  ];
  place.replaceChildren(...groups.filter(Boolean));
  if (focused !== null) [...place.querySelectorAll("button")].find((button) => button.dataset.value === focused)?.focus();
}

function classGroup(state, chosen) {
  const all = state.session.classes;
  const made = group(t("filter.label"), ["", ...all], chosen.classes.length ? chosen.classes : [""], (cls) => (cls === "" ? t("filter.all") : cls), (cls) => {
    const next = cls === "" ? [] : chosen.classes.includes(cls) ? chosen.classes.filter((each) => each !== cls) : [...chosen.classes, cls];
    choose("class", next.length && next.length < all.length ? textOf(next) : null);
  });
  for (const button of made.children) if (button.dataset.value) button.classList.add(`class-${classColour(button.dataset.value, all)}`);
  return made;
}

function group(label, values, pressed, text, chosen) {
  return h("div", { className: "group", role: "group", label }, values.map((value) => {
    const button = h("button", { type: "button", textContent: text(value), data: { value } });
    button.setAttribute("aria-pressed", String(pressed.includes(value)));
    button.onclick = () => chosen(value);
    return button;
  }));
}

function cars(state) {
  const chosen = choice(state);
  const list = Object.values(state.rows).filter((row) => inClasses(row, chosen)).sort((a, b) => Number.parseInt(a.car, 10) - Number.parseInt(b.car, 10) || (a.car < b.car ? -1 : 1));
  const key = JSON.stringify([chosen.cars, list.map(({ car, class: cls, status }) => [car, cls, status === "retired"])]);
  if (key === drawn.cars) return;
  drawn.cars = key;
  const focused = chooser.contains(document.activeElement) ? document.activeElement.dataset.car : null;
  const clear = h("button", { type: "button", className: "button", textContent: t("chart.no_choice"), disabled: chosen.cars.length === 0 });
  clear.onclick = () => choose("cars", null);
  const picks = list.map((row) => {
    const pick = chosen.cars.indexOf(row.car);
    const out = row.status === "retired" ? " out" : "";
    const button = h("button", { type: "button", className: `pick class-${tintOf(row, state)}${out}`, textContent: row.car, data: { car: row.car } });
    button.title = [row.driver?.name, row.team, row.class, out ? t("chart.retired") : null].filter(Boolean).join(" · ");
    button.setAttribute("aria-pressed", String(pick >= 0));
    if (pick >= 0) button.style.setProperty("--mark", `var(--pick-${pick % 8})`);
    button.onclick = () => {
      const next = pick >= 0 ? chosen.cars.filter((each) => each !== row.car) : [...chosen.cars, row.car].slice(-FOLLOWED);
      choose("cars", next.length ? textOf(next) : null);
    };
    return button;
  });
  chooser.replaceChildren(h("h2", {}, t("chart.cars")), h("p", { className: "hint", textContent: t("chart.cars_hint") }), clear, h("div", { className: "cars", role: "group", label: t("chart.cars") }, picks));
  if (focused) [...chooser.querySelectorAll(".pick")].find((button) => button.dataset.car === focused)?.focus();
}

const ZOOMS = [["chart.left", "◀", () => plot.pan(-0.5)], ["chart.closer", "+", () => plot.zoom(0.6)], ["chart.wider", "−", () => plot.zoom(1 / 0.6)], ["chart.whole", "⤢", () => plot.whole()], ["chart.right", "▶", () => plot.pan(0.5)]];
document.querySelector("#zoom").append(...ZOOMS.map(([name, sign, act]) => {
  const button = h("button", { type: "button", textContent: sign, label: t(name), title: t(name) });
  button.onclick = act;
  return button;
}));

globalThis.parcfermeCharts = { data, get picture() { return drawn.picture; } }; // for looking at from outside: tests
await screen.open();
