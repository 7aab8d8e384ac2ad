import { CONTINUE, Denial, type Place } from "../../decision/verdict.ts";
import type { CidrTable } from "../../matching/cidr-table.ts";
import { isAddressless } from "../../message/address.ts";
import type { Clock } from "../../support/clock.ts";
import { excerpt } from "../../support/excerpt.ts";
import { LocalTime } from "../../support/local-time.ts";
import { FAILED, type Rule, UNDECIDED, Undecided } from "./evaluate.ts";
import { type TimeWindow, WEEKDAYS } from "./schema.ts";

/** The client's address is in `table`. One that is not known is in no network, and in none of those that `not` names. */
export function requireNetwork(table: CidrTable, prefixes: readonly string[], label: string, place: Place): Rule {
  const wanted = `an address in ${excerpt(prefixes.join(", "), 200)}`;
  return {
    label,
    wanted,
    phase: "authorize",
    parts: [],
    judge: ({ clientAddress }, quiet) => {
      if (table.has(clientAddress)) return CONTINUE;
      if (quiet === true) return isAddressless(clientAddress) ? UNDECIDED : FAILED;
      const Kind = isAddressless(clientAddress) ? Undecided : Denial;
      return new Kind("address_denied", place, `address ${clientAddress.text}`, wanted);
    },
  };
}

export function requireMethod(methods: readonly string[], label: string, place: Place): Rule {
  const known = new Set(methods);
  const wanted = `method ${methods.join(" or ")}`;
  return {
    label,
    wanted,
    phase: "authorize",
    parts: [],
    judge: ({ method }, quiet) => {
      if (known.has(method)) return CONTINUE;
      return quiet === true ? FAILED : new Denial("method_not_authorized", place, `method ${excerpt(method)}`, wanted);
    },
  };
}

/** It is now in one of `windows`, each by the clocks of its time zone. */
export function requireTime(
  windows: readonly TimeWindow[],
  clock: Pick<Clock, "wallMs">,
  label: string,
  place: Place,
): Rule {
  const compiled = windows.map((window) => ({ window, local: new LocalTime(window.timeZone) }));
  const wanted = windows.map(windowText).join(" or ");
  return {
    label,
    wanted,
    phase: "authorize",
    parts: [],
    judge: (_, quiet) => {
      const nowMs = clock.wallMs();
      for (const { window, local } of compiled) if (isWithin(window, local, nowMs)) return CONTINUE;
      return quiet === true ? FAILED : new Denial("time_denied", place, new Date(nowMs).toISOString(), wanted);
    },
  };
}

const DAY_MINUTES = 24 * 60;

/** A window over midnight belongs to the day on which it begins. */
function isWithin({ days, fromMinute, toMinute }: TimeWindow, local: LocalTime, nowMs: number): boolean {
  const { weekday, minute } = local.at(nowMs);
  if (fromMinute < toMinute) return minute >= fromMinute && minute < toMinute && days.has(weekday);
  if (minute >= fromMinute) return days.has(weekday);
  return minute < toMinute && days.has((weekday + 6) % 7);
}

function windowText({ days, fromMinute, toMinute, timeZone }: TimeWindow): string {
  const names = WEEKDAYS.filter((_, at) => days.has(at));
  return `${names.length === 7 ? "every day" : names.join(", ")} ${hourText(fromMinute)}-${hourText(toMinute)} ${timeZone}`;
}

function hourText(minute: number): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  return minute === DAY_MINUTES ? "24:00" : `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}
