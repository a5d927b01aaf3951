// From laps to what charts show: places and gaps lap by lap, flags on an axis of laps, what counts as a racing lap. Pure; times in µs.

const NEUTRAL = new Set(["safety_car", "vsc", "fcy", "code60", "red"]);

/** How many laps of each car are to be shown: those of the shown state, ended by its instant. `Map car -> laps`. */
export function shownLaps(cars, start, { rows, at, session }) {
  const shown = new Map();
  for (const [car, { ends }] of cars) {
    let laps = session.kind === "race" ? Math.min(rows[car]?.laps ?? 0, ends.length) : ends.length;
    while (laps > 0 && start + ends[laps - 1] > at) laps -= 1;
    shown.set(car, laps);
  }
  return shown;
}

/** When the first car ended each lap: `[lap 1, lap 2, …]`. */
export function firsts(cars, shown) {
  const found = [];
  for (const [car, { ends }] of cars) {
    for (let n = 0; n < (shown.get(car) ?? 0); n += 1) if (found[n] === undefined || ends[n] < found[n]) found[n] = ends[n];
  }
  return found;
}

/** Each car's place at the end of each lap, of those that ended as many: `Map car -> [place after lap 1, …]`. */
export function places(cars, shown) {
  const found = new Map([...cars.keys()].map((car) => [car, []]));
  const most = Math.max(0, ...shown.values());
  let field = [...cars.keys()];
  for (let n = 0; n < most; n += 1) {
    field = field.filter((car) => shown.get(car) > n);
    const ordered = [...field].sort((a, b) => cars.get(a).ends[n] - cars.get(b).ends[n]);
    ordered.forEach((car, place) => found.get(car).push(place + 1));
  }
  return found;
}

/** How long after `reference` (instants of ends of laps) a car ended each lap; null where there is none to compare with. */
export function behind({ ends }, laps, reference) {
  return ends.slice(0, laps).map((end, n) => (reference[n] === undefined ? null : end - reference[n]));
}

/** Where an instant lies on an axis of laps, by when the first car ended each: 2.5 is half way through the third. */
function lapAt(us, first) {
  let [low, high] = [0, first.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (first[middle] <= us) low = middle + 1;
    else high = middle;
  }
  const began = low > 0 ? first[low - 1] : 0;
  const lasted = low < first.length ? first[low] - began : low > 1 ? began - first[low - 2] : 0;
  return low + (lasted > 0 ? Math.min(Math.max(us - began, 0) / lasted, 1) : 0);
}

/** The flags of the whole track as stretches of the axis: `[{kind, from, to}]`; one that lasts ends with the last lap. */
export function stretches(flags, first, nowUs) {
  return flags
    .filter(({ kind, sectors, began_us }) => NEUTRAL.has(kind) && sectors.length === 0 && began_us <= nowUs)
    .map(({ kind, began_us, ended_us }) => ({
      kind,
      from: lapAt(began_us, first),
      to: lapAt(ended_us === null || ended_us > nowUs ? nowUs : ended_us, first),
    }));
}

/** Whether a lap was raced: no neutralisation, no pit lane, not the first, and its time counts. */
export function raced(lap, tags) {
  return lap > 1 && !(tags ?? []).some((tag) => tag === "in" || tag === "out" || tag === "deleted" || NEUTRAL.has(tag));
}

/** Whether a lap was run under a neutralisation of the whole track. */
export function neutralised(tags) {
  return (tags ?? []).some((tag) => NEUTRAL.has(tag));
}

export function median(values) {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The times of a car's racing laps, others null. */
export function racingTimes({ times, tags }, laps) {
  return times.slice(0, laps).map((us, n) => (us !== null && raced(n + 1, tags[n + 1]) ? us : null));
}

/** From fastest to slowest so that racing laps fill the picture: `[low, high]` in µs, or null without any. */
export function timeRange(lists) {
  const all = lists.flat().filter((us) => us !== null);
  if (all.length === 0) return null;
  const sorted = all.sort((a, b) => a - b);
  const [least, middle, most] = [sorted[0], median(sorted), sorted[sorted.length - 1]];
  const spread = Math.max(middle - least, middle * 0.01);
  return [least - spread * 0.25, Math.min(most, middle + spread * 3) + spread * 0.25];
}

/**
 * The stints of a car: stretches by one driver without a visit to the pits: `[{from, to, driver, stop}]`, laps from 1. `stop`: it ended in
 * the pits. Who takes over in the lap that ends in the pits drives from the next on.
 */
export function stints({ tags, drivers }, laps) {
  const wheel = drivers.map(([lap, name]) => [lap > 1 && tags[lap]?.includes("in") ? lap + 1 : lap, name]);
  const driverAt = (lap) => wheel.filter(([since]) => since <= lap).pop()?.[1] ?? "";
  const begins = new Set([1, ...wheel.map(([lap]) => lap)]);
  for (const [lap, each] of Object.entries(tags)) if (each.includes("in")) begins.add(Number(lap) + 1);
  const sorted = [...begins].filter((lap) => lap <= laps).sort((a, b) => a - b);
  return sorted.map((from, n) => {
    const to = n + 1 < sorted.length ? sorted[n + 1] - 1 : laps;
    return { from, to, driver: driverAt(from), stop: Boolean(tags[to]?.includes("in")) };
  });
}
