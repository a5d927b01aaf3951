// The best laps and sectors of a session, for the signs: purple, blue, green, yellow, each with a sign that does without the colour.

/** What signs are given for: `{lap: {overall, byClass}, sectors: [{overall, byClass}, …]}`. */
export function bestsOf(rows, sectors) {
  const lap = best(rows, (row) => row.best_lap_us);
  return { lap, sectors: Array.from({ length: sectors }, (_, i) => best(rows, (row) => row.best_sectors_us?.[i])) };
}

/** A text that changes when any of the bests does. */
export function bestsKey({ lap, sectors }) {
  return [lap, ...sectors].map(({ overall, byClass }) => `${overall}/${[...byClass.values()].join()}`).join(";");
}

/** How good `us` is, for a car whose own best is `own`: "overall", "in-class", "own", or null. */
export function rank(us, own, cls, bests, classes) {
  if (us === null || us === undefined) return null;
  if (us <= bests.overall) return "overall";
  if (classes.length > 1 && us <= bests.byClass.get(cls)) return "in-class";
  return us <= own ? "own" : null;
}

/** A text that changes when a sign of the row does: a best of another car may take one from it. */
export function signsOf(row, { bests, classes }) {
  const sectors = bests.sectors.flatMap((best, i) => {
    const own = row.best_sectors_us?.[i];
    return [rank(row.sectors_us?.[i], own ?? -1, row.class, best, classes), rank(own, -1, row.class, best, classes)];
  });
  return [rank(row.best_lap_us, -1, row.class, bests.lap, classes), ...sectors].join();
}

export const SIGNS = { overall: "◆", "in-class": "◇", own: "●" };

function best(rows, of) {
  let overall = Infinity;
  const byClass = new Map();
  for (const row of rows) {
    const us = of(row);
    if (us === null || us === undefined) continue;
    overall = Math.min(overall, us);
    byClass.set(row.class, Math.min(byClass.get(row.class) ?? Infinity, us));
  }
  return { overall, byClass };
}
