import { useEffect, useState } from "react";

import { TRUST_PAGE, isItsOwnAuthority } from "../api/trustAPI";

/** Where it is explained how a device comes to trust the box; `null` if every device does by itself. */
export function useTrustPage(): string | null {
  const [exists, setExists] = useState(false);
  useEffect(() => {
    const leaving = new AbortController();
    // Without an answer there is no link, which is all that is lost.
    isItsOwnAuthority(leaving.signal).then(setExists, () => undefined);
    return () => leaving.abort();
  }, []);
  return exists ? TRUST_PAGE : null;
}
