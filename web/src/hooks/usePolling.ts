import { useCallback, useEffect, useState } from "react";

import { ApiError } from "../api/request";

export interface Polled<T> {
  readonly value: T | null;
  /** Why the last attempt failed; `value` is then what was known before. */
  readonly error: ApiError | null;
  readonly refresh: () => void;
}

/** Asks again every `interval` milliseconds while the page is visible, and at once when it becomes so; never while `paused`. */
export function usePolling<T>(ask: (signal: AbortSignal) => Promise<T>, interval: number, paused = false): Polled<T> {
  const [value, setValue] = useState<T | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    if (paused) return undefined;
    const controller = new AbortController();
    const { signal } = controller;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const poll = async () => {
      clearTimeout(timer);
      if (document.visibilityState === "hidden") return;
      try {
        const answer = await ask(signal);
        if (signal.aborted) return;
        setValue(answer);
        setError(null);
      } catch (cause) {
        if (signal.aborted) return;
        setError(cause instanceof ApiError ? cause : null);
      }
      timer = setTimeout(() => void poll(), interval);
    };
    document.addEventListener("visibilitychange", () => void poll(), { signal });
    void poll();
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [ask, interval, paused, attempt]);

  const refresh = useCallback(() => setAttempt((before) => before + 1), []);
  return { value, error, refresh };
}
