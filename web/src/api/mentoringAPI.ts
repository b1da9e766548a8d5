import { type MentoringSession, mentors, type Person, session, sessions } from "../protocol/resources";
import { get, post } from "./request";

/** `/api/mentoring/`: mentors and mentoring sessions. */
export const mentoringAPI = {
  mentors: (signal?: AbortSignal): Promise<readonly Person[]> => get(`${BASE}/mentors/`, mentors, signal),
  sessions: (signal?: AbortSignal): Promise<readonly MentoringSession[]> => get(`${BASE}/sessions/`, sessions, signal),
  request: (mentorId: string, topic: string): Promise<MentoringSession> =>
    post(`${BASE}/sessions/`, { mentor_id: mentorId, topic }, session),
  accept: (id: string): Promise<MentoringSession> => post(`${BASE}/sessions/${segment(id)}/accept/`, undefined, session),
  decline: (id: string): Promise<MentoringSession> => post(`${BASE}/sessions/${segment(id)}/decline/`, undefined, session),
};

const BASE = "/api/mentoring";
const segment = encodeURIComponent;
