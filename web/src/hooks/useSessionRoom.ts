import { useMemo } from "react";

import { mentoringAPI } from "../api/mentoringAPI";
import { videoCallAPI } from "../api/videoCallAPI";
import type { MentoringSession, Room } from "../protocol/resources";
import { type Polled, usePolling } from "./usePolling";

export interface SessionRoom {
  readonly session: MentoringSession | null;
  readonly room: Room;
}

/** A session with its room, made if there is none; kept fresh, so that the preview shows who is there. */
export function useSessionRoom(sessionId: string, paused: boolean): Polled<SessionRoom> {
  return usePolling(
    useMemo(() => asking(sessionId), [sessionId]),
    INTERVAL_MS,
    paused,
  );
}

/** Makes the room once: one that ended meanwhile is only made anew by who joins. */
function asking(sessionId: string): (signal: AbortSignal) => Promise<SessionRoom> {
  let roomId: string | null = null;
  return async (signal) => {
    const asked = roomId === null ? videoCallAPI.create(sessionId) : videoCallAPI.room(roomId);
    const [room, sessions] = await Promise.all([asked, mentoringAPI.sessions(signal)]);
    roomId = room.id;
    return { session: sessions.find(({ id }) => id === sessionId) ?? null, room };
  };
}

const INTERVAL_MS = 4_000;
