import { accountsAPI } from "../api/accountsAPI";
import type { User } from "../protocol/resources";
import { usePolling } from "./usePolling";

/** What the box needs an admin to see to; nobody else asks. */
export function useWarnings({ role }: User): readonly string[] {
  return usePolling(accountsAPI.warnings, INTERVAL_MS, role !== "admin").value ?? NONE;
}

const NONE: readonly string[] = [];
const INTERVAL_MS = 60_000;
