// Decisions and what race control did, in the viewer's language: from what they say as data, never from the English text if that can be.

import { has, t } from "./texts.js";

const OPEN_STAGES = new Set(["noted", "investigated"]);
const PAST_STAGES = new Set(["served", "converted", "quashed"]);

/** A penalty in words, of its fields as the feed has them: `5 s`, `Drive-through`, `Lap 7 deleted`. */
export function penaltyText({ penalty, seconds, laps, positions, lap, text }) {
  const known = has(`penalty.${penalty}`) || has(`penalty.${penalty}.one`);
  if (!known) return text ?? penalty;
  const amount = laps ?? positions;
  const key = has(`penalty.${penalty}`) ? `penalty.${penalty}` : `penalty.${penalty}.${amount === 1 ? "one" : "other"}`;
  const values = { n: amount ?? "", seconds: seconds ?? "", lap: lap ?? "" };
  return t(key, values).trim();
}

/** How a decision stands: "open" while it is looked at, "past" once it is served or taken back, else "issued". */
export function standing(stage) {
  return OPEN_STAGES.has(stage) ? "open" : PAST_STAGES.has(stage) ? "past" : "issued";
}

/** A decision with its stage and reason, for titles and lists. */
export function decisionText(decision) {
  const stage = decision.stage === "issued" ? "" : ` (${t(`stage.${decision.stage}`)})`;
  return because(`${penaltyText(decision)}${stage}`, decision.reason);
}

/** A message of the feed: race control's own words as they are, what it did in the viewer's language. */
export function messageText({ text, facts }) {
  if (!facts) return text;
  const write = WRITERS[facts.type];
  return (write && write(facts)) || text;
}

const because = (said, reason) => (reason ? t("done.because", { said, reason }) : said);

const WRITERS = {
  session_started: () => t("done.started"),
  session_ended: () => t("done.ended"),
  race_stopped: () => t("done.stopped"),
  result_published: ({ stage }) => t(`done.published.${stage}`),
  segment_started: ({ segment, class: cls }) => t("done.segment_started", { segment: [segment, cls].filter(Boolean).join(" ") }),
  segment_ended: ({ segment, class: cls }) => t("done.segment_ended", { segment: [segment, cls].filter(Boolean).join(" ") }),
  track_status: ({ status, sectors = [], cause }) =>
    has(`track.${status}`) &&
    [t(`track.${status}`), sectors.length ? t("done.in_sector", { sectors: sectors.join(", ") }) : "", cause ? t("done.cause", { car: cause }) : ""]
      .filter(Boolean)
      .join(", "),
  wave_by: ({ cars = [] }) => (cars.length ? t("done.waved", { cars: cars.join(", ") }) : t("done.waved_all")),
  pit_lane: ({ open }) => t(open ? "pit_lane.open" : "pit_lane.closed"),
  car_retired: ({ reason }) => because(t("done.retired"), reason),
  car_withdrawn: ({ reason }) => because(t("done.withdrawn"), reason),
  decision: (facts) => because(penaltyText(facts) + (facts.stage === "issued" ? "" : ` (${t(`stage.${facts.stage}`)})`), facts.reason),
  decision_updated: ({ decision, stage, reason }) => because(t("done.updated", { decision, stage: t(`stage.${stage}`) }), reason),
  finish_order_ruled: ({ cars = [], dead_heat: level, reason }) =>
    because(t(level ? "done.dead_heat" : "done.finish_order", { cars: cars.join(level ? " = " : " < ") }), reason),
};
