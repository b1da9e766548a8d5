import { useEffect, useState } from "react";

import { TRUST_PAGE, isItsOwnAuthority } from "../api/trustAPI";

/** Where it is explained how a device comes to trust the box; `null` if every device does by itself. */
export function useTrustPage(): string | null {
  const [exists, setExists] = useState(known ?? false);
  useEffect(() => {
    if (known !== null) return;
    const leaving = new AbortController();
    isItsOwnAuthority(leaving.signal).then(
      (answer) => {
        known = answer;
        setExists(answer);
      },
      // Without an answer there is no link, which is all that is lost.
      () => undefined,
    );
    return () => leaving.abort();
  }, []);
  return exists ? TRUST_PAGE : null;
}

/** Does not change while the page is loaded: the next page shows its link at once. */
let known: boolean | null = null;
