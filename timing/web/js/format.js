// Times and gaps as timing sheets write them. Durations are integers of microseconds; the last digit is truncated, never rounded.

import { t, plural } from "./texts.js";

const SECOND = 1_000_000;

/** `1:23.456`, `2:01:02.003`; the same as `format_duration` of timing/domain/units.py. */
export function duration(us, decimals = 3) {
  const sign = us < 0 ? "-" : "";
  const whole = Math.abs(us);
  const fraction = whole % SECOND;
  const total = (whole - fraction) / SECOND;
  const seconds = total % 60;
  const minutes = Math.floor(total / 60) % 60;
  const hours = Math.floor(total / 3600);
  const tail = decimals ? `.${pad(fraction, 6).slice(0, decimals)}` : "";
  if (hours) return `${sign}${hours}:${pad(minutes)}:${pad(seconds)}${tail}`;
  if (minutes) return `${sign}${minutes}:${pad(seconds)}${tail}`;
  return `${sign}${seconds}${tail}`;
}

/** The session's clock, always with minutes: `00:05`, `12:34`, `23:59:59`. Time remaining is rounded up, so that 00:00 is the end. */
export function clock(us, { up = false } = {}) {
  const total = up ? Math.ceil(us / SECOND) : Math.floor(us / SECOND);
  const hours = Math.floor(total / 3600);
  const rest = `${pad(Math.floor(total / 60) % 60)}:${pad(total % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
}

/** The parts of a gap: laps down first, the time always: `{laps: "+1 lap", time: "23.456"}`. */
export function gap({ laps, time_us: us }) {
  return laps > 0 ? { laps: `+${plural("lap", laps)}`, time: duration(us) } : { laps: "", time: `+${duration(us)}` };
}

/** Thousandths of a point as points: `25`, `12.5`; nothing for none to be had. */
export function points(milli) {
  return milli === null || milli === undefined ? "" : String(milli / 1000);
}

/** `Élodie Garnier` → `É. Garnier`, for narrow screens. */
export function shortName(name) {
  const [first, ...rest] = name.split(" ");
  return rest.length && first.length > 2 ? `${[...first][0]}. ${rest.join(" ")}` : name;
}

const DAY_TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** The time of day where the reader is. */
export function timeOfDay(at) {
  return DAY_TIME.format(new Date(at / 1000));
}

/** How long a session is: `20 laps`, `6 h`, `20 min + 1 lap`. */
export function distance({ laps, minutes, plus_laps: plus }) {
  const parts = [];
  if (minutes) parts.push(minutes % 60 === 0 && minutes >= 120 ? t("hours", { n: minutes / 60 }) : t("minutes", { n: minutes }));
  if (laps) parts.push(plural("lap", laps));
  const whole = parts.join(" / ");
  return plus ? `${whole} + ${plural("lap", plus)}` : whole;
}

function pad(number, digits = 2) {
  return String(number).padStart(digits, "0");
}
