import { en, type Texts } from "./en";

/** The table in use. English alone for now; choosing one from `navigator.languages` happens here. */
export const texts: Texts = en;

/** "3 minutes ago", "yesterday" in the table's language. */
export function timeAgo(time: string, now: number): string {
  const seconds = (new Date(time).getTime() - now) / 1000;
  const [unit, size] = UNITS.find(([, unitSize]) => Math.abs(seconds) >= unitSize) ?? ["second", 1];
  if (unit === "second") return texts.justNow;
  return RELATIVE.format(Math.trunc(seconds / size), unit);
}

/** "Wed 4 Mar, 14:30". */
export function dayAndTime(time: string): string {
  return DAY_AND_TIME.format(new Date(time));
}

/** "a, b and c". */
export function listOf(names: readonly string[]): string {
  return LIST.format(names);
}

const LANGUAGE = "en-GB";
const RELATIVE = new Intl.RelativeTimeFormat(LANGUAGE, { numeric: "auto" });
const DAY_AND_TIME = new Intl.DateTimeFormat(LANGUAGE, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const LIST = new Intl.ListFormat(LANGUAGE, { type: "conjunction" });
const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["month", 30 * 86_400],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];
