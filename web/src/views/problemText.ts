import type { ApiError } from "../api/request";
import { texts } from "../i18n/texts";

/** What a person reads when the daemon refused. */
export function problemText(error: ApiError): string {
  const { problems } = texts;
  if (error.code === "too_many_attempts") return problems.too_many_attempts(wait(error.retryAfter ?? 60));
  const text = (problems as Readonly<Record<string, unknown>>)[error.code];
  return typeof text === "string" ? text : problems.other;
}

/** The same for whoever makes an account or chooses a password: the daemon's text begins with the field's name. */
export function accountProblemText(error: ApiError): string {
  const { accounts } = texts.problems;
  if (error.code === "invalid_credentials") return accounts.current;
  if (error.code !== "invalid_field") return problemText(error);
  const field = error.message.split(":")[0];
  return field === "username" || field === "password" ? accounts[field] : accounts.name;
}

/** The same for whoever follows an invitation. */
export function guestProblemText(error: ApiError): string {
  const { problems } = texts;
  if (error.code === "invalid_field") return problems.guest_name;
  return error.code === "session_full" ? problems.session_full_for_guests : problemText(error);
}

/** The same for whoever adds somebody to a session. */
export function memberProblemText(error: ApiError): string {
  return error.code === "invalid_field" ? texts.problems.no_such_account : problemText(error);
}

function wait(seconds: number): string {
  const { problems } = texts;
  return seconds < 90 ? problems.seconds(seconds) : problems.minutes(Math.ceil(seconds / 60));
}
