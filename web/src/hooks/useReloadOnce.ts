import { useEffect } from "react";

/** Loads a page that is out of date anew; only once, lest a box that stays out of step makes it loop. */
export function useReloadOnce(outOfDate: boolean): void {
  useEffect(() => {
    if (!outOfDate || sessionStorage.getItem(KEY) !== null) return;
    sessionStorage.setItem(KEY, "done");
    location.reload();
  }, [outOfDate]);
}

const KEY = "visavis.reloaded";
