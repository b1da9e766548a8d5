import { useCallback, useEffect, useMemo, useState } from "react";

import { ApiError } from "../api/request";
import { videoCallAPI } from "../api/videoCallAPI";
import { Call, type CallGateway, type CallSnapshot } from "../call/call";
import { type DeviceKind, LocalMedia, type LocalMediaSnapshot } from "../call/media";
import { useStore } from "./useStore";

export interface WebRTC {
  readonly local: LocalMediaSnapshot;
  /** Null before the first join. */
  readonly call: CallSnapshot | null;
  readonly joining: boolean;
  /** Why the API refused the join or the end. */
  readonly refused: ApiError | null;
  readonly actions: CallActions;
}

export interface CallActions {
  readonly join: (takeover: boolean) => Promise<void>;
  readonly leave: () => void;
  readonly endForEveryone: () => Promise<void>;
  readonly toggle: (kind: DeviceKind) => void;
  readonly choose: (kind: DeviceKind, deviceId: string) => void;
  readonly toggleScreen: () => void;
  readonly retryMedia: () => void;
  readonly moderation: Moderation;
}

/** What those may do who moderate. */
export interface Moderation {
  readonly admit: (ids: readonly string[]) => void;
  readonly deny: (id: string) => void;
  readonly kick: (id: string) => void;
  readonly lock: (locked: boolean) => void;
  readonly moderate: (id: string, moderator: boolean) => void;
}

/** The call of a session, as React sees it: own media from the start, the call itself from `join` on. */
export function useWebRTC(sessionId: string): WebRTC {
  const [media] = useState(() => new LocalMedia());
  const [call, setCall] = useState<Call | null>(null);
  const [roomId, setRoomId] = useState("");
  const [joining, setJoining] = useState(false);
  const [refused, setRefused] = useState<ApiError | null>(null);
  const local = useStore(media, media.snapshot());
  const snapshot = useStore(call, null);

  useEffect(() => {
    void media.open();
    return () => media.dispose();
  }, [media]);
  useEffect(() => () => call?.dispose(), [call]);

  const join = useCallback(
    async (takeover: boolean) => {
      setJoining(true);
      setRefused(null);
      try {
        const grant = await videoCallAPI.joinBySession(sessionId);
        // The page was left meanwhile.
        if (media.disposed) return;
        setRoomId(grant.room.id);
        setCall(new Call({ grant, takeover, media, gateway: gatewayOf(grant.room.id) }));
      } catch (error) {
        setRefused(asApiError(error));
      }
      setJoining(false);
    },
    [sessionId, media],
  );
  const endForEveryone = useCallback(async () => {
    setRefused(null);
    if (call?.endForEveryone() === true) return;
    // The socket is down; staff can end the meeting without one.
    await videoCallAPI.end(roomId).catch((error: unknown) => setRefused(asApiError(error)));
  }, [call, roomId]);
  const moderation = useMemo<Moderation>(
    () => ({
      admit: (ids) => ids.forEach((id) => call?.admit(id)),
      deny: (id) => call?.deny(id),
      kick: (id) => call?.kick(id),
      lock: (locked) => call?.lock(locked),
      moderate: (id, moderator) => call?.moderate(id, moderator),
    }),
    [call],
  );

  const actions = useMemo(
    () => ({
      join,
      leave: () => call?.leave(),
      endForEveryone,
      toggle: (kind: DeviceKind) => void media.toggle(kind),
      choose: (kind: DeviceKind, deviceId: string) => void media.choose(kind, deviceId),
      toggleScreen: () => (media.snapshot().screen === null ? void media.shareScreen() : media.stopScreen()),
      retryMedia: () => void media.retry(),
      moderation,
    }),
    [join, call, endForEveryone, media, moderation],
  );
  return { local, call: snapshot, joining, refused, actions };
}

function gatewayOf(roomId: string): CallGateway {
  return {
    rejoin: () => videoCallAPI.join(roomId),
    probe: async () => {
      try {
        const { status } = await videoCallAPI.room(roomId);
        return status === "ended" ? "room_ended" : "standing";
      } catch (error) {
        switch (asApiError(error).code) {
          case "unauthenticated":
            return "signed_out";
          case "not_found":
            return "not_found";
          default:
            return "unreachable";
        }
      }
    },
  };
}

function asApiError(error: unknown): ApiError {
  return error instanceof ApiError ? error : new ApiError("other", 0, String(error));
}
