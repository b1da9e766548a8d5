import { useCallback, useState } from "react";

import { mentoringAPI } from "../api/mentoringAPI";
import { ApiError } from "../api/request";
import type { Member, MentoringSession } from "../protocol/resources";
import { type Polled, usePolling } from "./usePolling";

export interface Sessions extends Polled<readonly MentoringSession[]> {
  readonly request: (mentorId: string, topic: string) => Promise<void>;
  readonly arrange: (mentorId: string | null, studentId: string, topic: string) => Promise<void>;
  readonly answer: (id: string, answer: "accept" | "decline") => Promise<void>;
  readonly addMember: (id: string, username: string, role: Exclude<Member["role"], "guest">) => Promise<void>;
  readonly removeMember: (id: string, userId: string) => Promise<void>;
  /** Why an answer was refused, by session. */
  readonly refused: { readonly id: string; readonly error: ApiError } | null;
}

/** The person's sessions, kept fresh. */
export function useSessions(): Sessions {
  const polled = usePolling(mentoringAPI.sessions, INTERVAL_MS);
  const [refused, setRefused] = useState<Sessions["refused"]>(null);
  const { refresh } = polled;

  const request = useCallback(
    async (mentorId: string, topic: string) => {
      await mentoringAPI.request(mentorId, topic);
      refresh();
    },
    [refresh],
  );
  const arrange = useCallback<Sessions["arrange"]>(
    async (mentorId, studentId, topic) => {
      await mentoringAPI.arrange(mentorId, studentId, topic);
      refresh();
    },
    [refresh],
  );
  const answer = useCallback(
    async (id: string, given: "accept" | "decline") => {
      setRefused(null);
      try {
        await mentoringAPI[given](id);
      } catch (error) {
        if (error instanceof ApiError) setRefused({ id, error });
      }
      refresh();
    },
    [refresh],
  );
  const addMember = useCallback<Sessions["addMember"]>(
    async (id, username, role) => {
      await mentoringAPI.addMember(id, username, role);
      refresh();
    },
    [refresh],
  );
  const removeMember = useCallback<Sessions["removeMember"]>(
    async (id, userId) => {
      await mentoringAPI.removeMember(id, userId);
      refresh();
    },
    [refresh],
  );
  return { ...polled, request, arrange, addMember, removeMember, answer, refused };
}

const INTERVAL_MS = 5_000;
