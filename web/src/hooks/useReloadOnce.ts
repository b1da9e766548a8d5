import { useEffect } from "react";

import type { CallSnapshot } from "../call/call";
import { forgetReload, reloadOnce } from "../call/reload";

/** Loads the page anew, once, when the daemon does not understand it any more. */
export function useReloadOnce(call: CallSnapshot | null): void {
  const outOfDate = call?.end?.kind === "version_unsupported";
  const understood = call?.status === "waiting" || call?.status === "lobby" || call?.status === "connected";
  useEffect(() => {
    if (outOfDate) reloadOnce(sessionStorage, () => location.reload());
    else if (understood) forgetReload(sessionStorage);
  }, [outOfDate, understood]);
}
