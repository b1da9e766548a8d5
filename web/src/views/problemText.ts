import type { ApiError } from "../api/request";
import { texts } from "../i18n/texts";

/** What a person reads when the daemon refused. */
export function problemText(error: ApiError): string {
  const { problems } = texts;
  if (error.code === "too_many_attempts") return problems.too_many_attempts(wait(error.retryAfter ?? 60));
  const text = (problems as Readonly<Record<string, unknown>>)[error.code];
  return typeof text === "string" ? text : problems.other;
}

function wait(seconds: number): string {
  const { problems } = texts;
  return seconds < 90 ? problems.seconds(seconds) : problems.minutes(Math.ceil(seconds / 60));
}
