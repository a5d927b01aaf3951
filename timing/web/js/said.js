// A record of the log in words: what was said, in the viewer's language where it is not somebody's own words.

import { messageText } from "./decisions.js";
import { duration, timeOfDay } from "./format.js";
import { refusalText } from "./refusals.js";
import { has, t } from "./texts.js";

const passing = ({ decoder, boot, number }) => `${decoder}/${boot}/${number}`;

const OWN = {
  message: ({ text }) => text,
  overtake_ruled: ({ ruling, overtake }) => t("said.ruled", { ruling: t(`ruling.${ruling}`), overtake }),
  passing_voided: (event) => t("said.voided", { passing: passing(event.passing) }),
  passing_added: ({ car, loop, at }) => t("said.added", { car, loop, time: timeOfDay(at) }),
  passing_reassigned: (event) => t("said.reassigned", { passing: passing(event.passing), car: event.car }),
  decoder_clock_corrected: ({ decoder, offset_us: us }) => t("said.clock", { decoder, offset: duration(us) }),
  event_voided: ({ event }) => t("said.event_voided", { event }),
  event_retimed: ({ event, at }) => t("said.event_retimed", { event, time: timeOfDay(at) }),
  entry_registered: ({ car, class: cls }) => t("said.entered", { car, class: cls }),
  transponder_assigned: ({ transponder, car }) => t("said.transponder", { transponder, car }),
  driver_changed: ({ car, driver }) => t("said.driver", { car, driver }),
  grid_set: () => t("said.grid"),
  session_opened: ({ name }) => t("said.opened", { name }),
  message_rejected: (event) => t("desk.refused", { code: event.code, reason: refusalText(event) }),
  signing_key: () => t("said.key"),
  result_signed: ({ statement }) => t("said.signed", { version: statement?.version ?? "" }),
};

/** What an event says. `known` gives an event of the log by its id, so that what is taken back is named by its words. */
export function said(event, known = () => undefined) {
  if (event.type === "event_voided" || event.type === "event_retimed") {
    const target = known(event.event);
    const words = target ? said(target) : event.event;
    const written = OWN[event.type]({ ...event, event: words });
    return event.reason ? t("done.because", { said: written, reason: event.reason }) : written;
  }
  const write = OWN[event.type];
  if (!write) return messageText({ text: event.type, facts: event.type === "decision" ? { stage: "issued", ...event } : event });
  const written = write(event);
  return event.reason && event.type !== "message_rejected" ? t("done.because", { said: written, reason: event.reason }) : written;
}

/** Who said it: the person and the role, or that it came over MQTT. */
export function speaker({ acted_by: who, by }) {
  if (!who) return by ?? t("said.mqtt");
  return has(`role.${who.role}`) ? `${who.name}, ${t(`role.${who.role}`)}` : who.name;
}
