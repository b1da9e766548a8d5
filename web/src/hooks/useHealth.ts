import { useCallback, useEffect, useState } from "react";

import { adminAPI } from "../api/adminAPI";
import { ApiError } from "../api/request";
import type { HealthReport } from "../protocol/health";

export interface Health {
  /** What was found last; null before the first answer. */
  readonly report: HealthReport | null;
  readonly error: ApiError | null;
  readonly busy: boolean;
  readonly examine: () => void;
}

/** Has the box examined once, and again whenever somebody asks. */
export function useHealth(): Health {
  const [report, setReport] = useState<HealthReport | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [asked, setAsked] = useState(0);
  const [answered, setAnswered] = useState(-1);

  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    const ask = async () => {
      try {
        const found = await adminAPI.health(signal);
        if (signal.aborted) return;
        setReport(found);
        setError(null);
      } catch (cause) {
        if (signal.aborted) return;
        setError(cause instanceof ApiError ? cause : null);
      }
      setAnswered(asked);
    };
    void ask();
    return () => controller.abort();
  }, [asked]);

  const examine = useCallback(() => setAsked((before) => before + 1), []);
  return { report, error, busy: asked !== answered, examine };
}
