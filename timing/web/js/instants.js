// Instants as people type them: a time of day, where the reader is, on the day of another instant; to the microsecond.

const DAY_US = 86_400_000_000;

/** The time of day of an instant, to the microsecond: `21:55:20.008000`. */
export function writtenInstant(at) {
  const date = new Date(Math.floor(at / 1000));
  const pad = (number, digits = 2) => String(number).padStart(digits, "0");
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(((at % 1_000_000) + 1_000_000) % 1_000_000, 6)}`;
}

/** The instant with this time of day that is next to `near`; NaN where the text is no time. */
export function instantOf(text, near) {
  const read = /^(\d{1,2}):(\d{2}):(\d{2})(?:[.,](\d{1,6}))?$/.exec(text.trim());
  if (!read) return Number.NaN;
  const [, hours, minutes, seconds, fraction = ""] = read;
  if (hours > 23 || minutes > 59 || seconds > 59) return Number.NaN;
  const date = new Date(near / 1000);
  date.setHours(Number(hours), Number(minutes), Number(seconds), 0);
  const at = date.getTime() * 1000 + Number(fraction.padEnd(6, "0"));
  if (at - near > DAY_US / 2) return at - DAY_US;
  return near - at > DAY_US / 2 ? at + DAY_US : at;
}
