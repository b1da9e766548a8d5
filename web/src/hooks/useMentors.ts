import { mentoringAPI } from "../api/mentoringAPI";
import type { Person } from "../protocol/resources";
import { type Polled, usePolling } from "./usePolling";

/** Who can be asked for a session. */
export function useMentors(): Polled<readonly Person[]> {
  return usePolling(mentoringAPI.mentors, INTERVAL_MS);
}

const INTERVAL_MS = 60_000;
