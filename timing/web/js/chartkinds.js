// What each chart of lines shows: from the laps, the shown state and the viewer's choice to a picture for LapPlot.

import { behind, firsts, median, neutralised, places, racingTimes, stretches, timeRange } from "./chartmath.js";
import { duration } from "./format.js";
import { t } from "./texts.js";

const SECOND = 1_000_000;
const CROWD = 30; // lines, of which only the chosen show their visits to the pits
const GAP_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600];

/** The places lap by lap, from the grid on. */
export function positions(field) {
  const { cars, shown, state } = field;
  const found = places(cars, shown);
  const laps = axis(0, field.most);
  const values = (car) => [state.rows[car]?.grid ?? null, ...found.get(car)];
  const field_size = Math.max(cars.size, ...Object.values(state.rows).map(({ grid }) => grid ?? 0));
  return picture(field, laps, values, {
    grid: t("chart.grid"),
    y: { label: t("chart.position"), down: true, range: () => [0.2, field_size + 0.8], incrs: [1, 2, 5, 10], text: (n) => (n >= 1 && Number.isInteger(n) ? String(n) : "") },
  });
}

/** How far behind the first, or a chosen car, each one is at the end of each lap; in seconds. */
export function gaps(field) {
  const { cars, shown, choice } = field;
  const other = choice.reference !== null && cars.has(choice.reference) ? choice.reference : null;
  const reference = other === null ? firsts(cars, shown) : cars.get(other).ends.slice(0, shown.get(other));
  const values = (car) => padded(behind(cars.get(car), shown.get(car), reference).map((us) => (us === null ? null : us / SECOND)), field.most);
  const range = gapRange(field, values);
  return picture(field, axis(1, field.most), values, {
    y: {
      label: other === null ? t("chart.gap_to_first") : t("chart.gap_to", { car: other }),
      down: true,
      range: () => range,
      incrs: GAP_STEPS,
      text: (n) => (Math.abs(n) >= 60 ? duration(n * SECOND, 0) : String(n)),
    },
  });
}

// Of the chosen cars all; else so far that the field fills the picture, and who was long in the pits leaves it.
function gapRange({ drawn, choice }, values) {
  const chosen = choice.cars.filter((car) => drawn.includes(car));
  const all = (chosen.length ? chosen : drawn).flatMap(values).filter((s) => s !== null).sort((a, b) => a - b);
  if (all.length === 0) return [-1, 1];
  return spread(all[0], chosen.length ? all[all.length - 1] : Math.min(all[all.length - 1], all[Math.floor(all.length * 0.94)] * 1.15));
}

/** The lap times: those of racing laps alone, or of all with what they were run under marked. */
export function times(field) {
  const { cars, shown, choice } = field;
  const racing = new Map([...cars].map(([car, laps]) => [car, racingTimes(laps, shown.get(car))]));
  const values = (car) => {
    const all = choice.all ? cars.get(car).times.slice(0, shown.get(car)) : racing.get(car);
    return padded(all.map((us) => (us === null ? null : us / SECOND)), field.most);
  };
  const lines = field.drawn.map((car) => racing.get(car));
  const range = choice.all ? null : timeRange(lines);
  const made = picture(field, axis(1, field.most), values, { y: timeAxis(range), points: true });
  for (const line of made.lines) {
    const { tags } = cars.get(line.car);
    if (choice.all) line.marks.push(...axis(1, shown.get(line.car)).filter((lap) => neutralised(tags[lap]) && !tags[lap].includes("in")).map((lap) => ({ at: lap - 1, kind: "neutral" })));
  }
  return made;
}

/** The median of each class's racing laps, lap by lap. */
export function classes(field) {
  const { cars, shown, state } = field;
  const racing = new Map([...cars].map(([car, laps]) => [car, racingTimes(laps, shown.get(car))]));
  const laps = axis(1, field.most);
  const lines = field.classes.map((cls, tint) => {
    const mates = [...cars.keys()].filter((car) => state.rows[car]?.class === cls);
    const values = laps.map((lap) => median(mates.map((car) => racing.get(car)[lap - 1]).filter((us) => us !== null && us !== undefined)));
    return { car: cls, name: cls, values: values.map((us) => (us === null ? null : us / SECOND)), tint: tint % 8, pick: null, marks: [], faint: false };
  });
  const range = timeRange(lines.map(({ values }) => values.map((s) => (s === null ? null : s * SECOND))));
  return { key: `classes ${field.classes.join()}`, laps, lines, stretches: field.stretches, spanGaps: true, points: false, y: { ...timeAxis(range), label: t("chart.class_median") } };
}

/** The colour of a car, 0 to 7: its class's; where there is one class only, cars have them in turn. */
export function tintOf(row, { rows, session }) {
  const classesHere = session.classes ?? [];
  if (classesHere.length > 1) return Math.max(classesHere.indexOf(row?.class), 0) % 8;
  return Math.max(Object.keys(rows).sort().indexOf(row?.car), 0) % 8;
}

/** What all pictures are made from: the laps, the state that is shown, what the viewer chose. */
export function fieldOf(data, shown, state, choice, seen) {
  const { cars } = data;
  const first = firsts(cars, shown);
  const classesHere = state.session.classes ?? [];
  const order = state.order.filter((car) => cars.has(car));
  return {
    cars,
    shown,
    state,
    choice,
    classes: classesHere,
    most: Math.max(1, ...shown.values()),
    stretches: stretches(data.flags, first, state.at - data.start),
    drawn: order.filter((car) => seen(car) && shown.get(car) > 0),
    tint: (car) => tintOf(state.rows[car], state),
  };
}

function picture(field, laps, values, rest) {
  const { cars, shown, state, choice, drawn } = field;
  const some = choice.cars.some((car) => drawn.includes(car));
  const ordered = [...drawn].sort((a, b) => choice.cars.indexOf(a) - choice.cars.indexOf(b) || (a < b ? -1 : 1)); // the chosen last: on top
  const lines = ordered.map((car) => {
    const pick = choice.cars.indexOf(car);
    const { tags } = cars.get(car);
    const done = shown.get(car);
    const marks = Object.entries(tags)
      .filter(([lap, each]) => each.includes("in") && Number(lap) <= done && (pick >= 0 || drawn.length <= CROWD))
      .map(([lap]) => ({ at: laps.indexOf(Number(lap)), kind: "pit" }));
    if (["retired", "stopped"].includes(state.rows[car]?.status)) marks.push({ at: laps.indexOf(done), kind: "out" });
    return { car, name: car, values: padded(values(car), laps.length), tint: field.tint(car), pick: pick < 0 ? null : pick, marks, faint: some && pick < 0 };
  });
  return { key: JSON.stringify([rest.y.label, laps[0], ordered, choice]), laps, lines, stretches: field.stretches, ...rest };
}

function timeAxis(range) {
  return {
    label: t("chart.time"),
    down: false,
    range: (min, max) => (range === null ? spread(min ?? 0, max ?? 1) : range.map((us) => us / SECOND)),
    incrs: [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600],
    text: (n) => duration(Math.round(n * SECOND), n % 1 ? 1 : 0),
  };
}

function axis(from, to) {
  return Array.from({ length: to - from + 1 }, (_, n) => from + n);
}

function padded(values, length) {
  return values.length >= length ? values : [...values, ...new Array(length - values.length).fill(null)];
}

function spread(min, max) {
  const by = Math.max((max - min) * 0.04, 0.5);
  return [min - by, max + by];
}
