import { useState } from "react";

import { ApiError } from "../api/request";
import { texts } from "../i18n/texts";

/** Something a form does: whether it is being done, and why it was refused, in plain words. */
export function useAttempt(problemOf: (error: ApiError) => string) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const attempt = async (act: () => Promise<void>) => {
    setBusy(true);
    setProblem(null);
    try {
      await act();
    } catch (error) {
      setProblem(error instanceof ApiError ? problemOf(error) : texts.problems.other);
    }
    setBusy(false);
  };
  return { busy, problem, attempt };
}
