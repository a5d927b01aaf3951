// What in the evidence cannot be as it was said, in the viewer's language: from what it names as data, with times of day where the viewer is.

import { duration, timeOfDay } from "./format.js";
import { has, places, t } from "./texts.js";

/** An anomaly in words; null where there are none for it, and the service's own text is to be shown. */
export function anomalyText({ kind, at, car, count, data = {} }) {
  const key = kind === "short_lap" && data.lap_us === undefined ? "anomaly.said.short_lap.none" : `anomaly.said.${kind}`;
  if (!has(key)) return null;
  const values = { time: timeOfDay(at), car, count };
  for (const [name, value] of Object.entries(data)) values[name] = name.endsWith("_us") ? duration(Math.abs(value)) : value;
  if (data.offset_us !== undefined) values.side = t(data.offset_us > 0 ? "anomaly.late" : "anomaly.early");
  return places(key).every((name) => (values[name] ?? null) !== null) ? t(key, values) : null;
}
