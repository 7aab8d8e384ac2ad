const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const TIME = /^([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.\d+)?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;
const MINUTES_OF_DAY = 24 * 60;

/** `full-date` of RFC 3339 section 5.6, a day that the calendar has. */
export function isDate(text: string): boolean {
  const match = DATE.exec(text);
  if (match === null) return false;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day >= 1 && day <= (month === 2 && !leap ? 28 : (DAYS[month - 1] ?? 0));
}

/**
 * `full-time` of RFC 3339 section 5.6, the offset included: a time without one means something else to every reader. A leap
 * second is the last of a day in UTC, whatever the offset makes of it (section 5.7).
 */
export function isTime(text: string): boolean {
  const match = TIME.exec(text);
  if (match === null) return false;
  if (match[3] !== "60") return true;
  const offset = Number(match[5] ?? 0) * 60 + Number(match[6] ?? 0);
  const local = Number(match[1]) * 60 + Number(match[2]);
  const utc = local + (match[4] === "-" ? offset : -offset);
  return (utc + MINUTES_OF_DAY) % MINUTES_OF_DAY === MINUTES_OF_DAY - 1;
}

/** `date-time` of RFC 3339 section 5.6. Its note lets a space stand for the T, and much software writes one. */
export function isDateTime(text: string): boolean {
  return /^[Tt ]$/.test(text.charAt(10)) && isDate(text.slice(0, 10)) && isTime(text.slice(11));
}

const CLOCK = String.raw`T(?:\d+H(?:\d+M(?:\d+S)?)?|\d+M(?:\d+S)?|\d+S)`;
const CALENDAR = String.raw`(?:\d+Y(?:\d+M(?:\d+D)?)?|\d+M(?:\d+D)?|\d+D)`;
const DURATION = new RegExp(String.raw`^P(?:\d+W|${CLOCK}|${CALENDAR}(?:${CLOCK})?)$`);

/** `duration` of RFC 3339 appendix A: whole numbers, no unit left out between two others, weeks alone. */
export function isDuration(text: string): boolean {
  return DURATION.test(text);
}
