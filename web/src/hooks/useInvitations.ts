import { useCallback, useMemo, useState } from "react";

import { invitationsAPI } from "../api/invitationsAPI";
import { ApiError } from "../api/request";
import type { Invitation } from "../protocol/resources";
import { usePolling } from "./usePolling";

export interface Invitations {
  /** Links that still let somebody in, the newest first; null while they are not known yet. */
  readonly open: readonly Invitation[] | null;
  /** The link that was made last, shown this once. */
  readonly link: string | null;
  readonly busy: boolean;
  readonly refused: ApiError | null;
  readonly make: (usesMax: number, validForHours: number) => Promise<void>;
  readonly takeBack: (id: string) => Promise<void>;
}

/** The links of a session, for those who lead it. */
export function useInvitations(sessionId: string): Invitations {
  const { value, error, refresh } = usePolling(
    useMemo(() => async (signal: AbortSignal) => openOf(await invitationsAPI.list(sessionId, signal), Date.now()), [sessionId]),
    INTERVAL_MS,
  );
  const [made, setMade] = useState<{ readonly id: string; readonly link: string } | null>(null);
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<ApiError | null>(null);

  const attempt = useCallback(
    async (act: () => Promise<void>) => {
      setBusy(true);
      setRefused(null);
      try {
        await act();
      } catch (cause) {
        setRefused(cause instanceof ApiError ? cause : new ApiError("other", 0, String(cause)));
      }
      setBusy(false);
      refresh();
    },
    [refresh],
  );
  const make = useCallback(
    (usesMax: number, validForHours: number) => attempt(async () => setMade(await invitationsAPI.make(sessionId, usesMax, validForHours))),
    [attempt, sessionId],
  );
  const takeBack = useCallback(
    (id: string) =>
      attempt(async () => {
        await invitationsAPI.takeBack(sessionId, id);
        // Nobody is to hand on a link that leads nowhere.
        setMade((shown) => (shown?.id === id ? null : shown));
      }),
    [attempt, sessionId],
  );
  return { open: value, link: made?.link ?? null, busy, refused: refused ?? error, make, takeBack };
}

/** Those that still let somebody in. */
export function openOf(invitations: readonly Invitation[], now: number): readonly Invitation[] {
  return invitations.filter(({ revoked, uses_left, expires_at }) => !revoked && uses_left > 0 && Date.parse(expires_at) > now);
}

const INTERVAL_MS = 10_000;
