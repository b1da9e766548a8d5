import { useSyncExternalStore } from "react";

import type { Readable } from "../call/store";

/** The value of a store, or `fallback` while there is none. */
export function useStore<T, F>(store: Readable<T> | null, fallback: F): T | F {
  return useSyncExternalStore<T | F>(store?.subscribe ?? subscribeToNothing, store?.snapshot ?? (() => fallback));
}

function subscribeToNothing(): () => void {
  return () => undefined;
}
