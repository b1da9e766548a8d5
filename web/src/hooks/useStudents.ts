import { mentoringAPI } from "../api/mentoringAPI";
import type { Person } from "../protocol/resources";
import { type Polled, usePolling } from "./usePolling";

/** With whom staff can arrange a session. */
export function useStudents(): Polled<readonly Person[]> {
  return usePolling(mentoringAPI.students, INTERVAL_MS);
}

const INTERVAL_MS = 60_000;
