import { expect, it } from "vitest";

import { ApiError } from "../api/request";
import { texts } from "../i18n/texts";
import { guestProblemText, memberProblemText, problemText } from "./problemText";

it("tells how long to wait", () => {
  expect(guestProblemText(new ApiError("too_many_attempts", 429, "", 30))).toContain("Wait 30 seconds");
  expect(problemText(new ApiError("too_many_attempts", 429, "", 200))).toContain("Wait 4 minutes");
});

it("says of the same refusal what helps whoever reads it", () => {
  const invalid = new ApiError("invalid_field", 422, "");
  const { problems } = texts;
  expect([problemText, guestProblemText, memberProblemText].map((text) => text(invalid))).toEqual([
    problems.invalid_field,
    problems.guest_name,
    problems.no_such_account,
  ]);
  expect(guestProblemText(new ApiError("session_full", 409, ""))).toBe(problems.session_full_for_guests);
});

it("has words for a refusal of tomorrow", () => {
  expect(memberProblemText(new ApiError("of_tomorrow", 400, ""))).toBe(texts.problems.other);
});
