import { type Member, type MentoringSession, mentors, type Person, session, sessions, students } from "../protocol/resources";
import { get, post, remove } from "./request";

/** `/api/mentoring/`: mentors and mentoring sessions. */
export const mentoringAPI = {
  mentors: (signal?: AbortSignal): Promise<readonly Person[]> => get(`${BASE}/mentors/`, mentors, signal),
  students: (signal?: AbortSignal): Promise<readonly Person[]> => get(`${BASE}/students/`, students, signal),
  sessions: (signal?: AbortSignal): Promise<readonly MentoringSession[]> => get(`${BASE}/sessions/`, sessions, signal),
  request: (mentorId: string, topic: string): Promise<MentoringSession> =>
    post(`${BASE}/sessions/`, { mentor_id: mentorId, topic }, session),
  /** Mentors name no mentor: it is they. */
  arrange: (mentorId: string | null, studentId: string, topic: string): Promise<MentoringSession> =>
    post(`${BASE}/sessions/`, { ...(mentorId === null ? {} : { mentor_id: mentorId }), student_id: studentId, topic }, session),
  accept: (id: string): Promise<MentoringSession> => post(`${BASE}/sessions/${segment(id)}/accept/`, undefined, session),
  decline: (id: string): Promise<MentoringSession> => post(`${BASE}/sessions/${segment(id)}/decline/`, undefined, session),
  /** Adds somebody who has an account, or changes what they are in the session. */
  addMember: (id: string, username: string, role: Exclude<Member["role"], "guest">): Promise<MentoringSession> =>
    post(`${BASE}/sessions/${segment(id)}/members/`, { username, role }, session),
  removeMember: (id: string, userId: string): Promise<void> => remove(`${BASE}/sessions/${segment(id)}/members/${segment(userId)}/`),
};

const BASE = "/api/mentoring";
const segment = encodeURIComponent;
