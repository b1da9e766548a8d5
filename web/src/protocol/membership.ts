import type { MentoringSession, User } from "./resources";

/** Whether somebody belongs to a session; admins see those of others too. */
export function isMember({ mentor, student, members }: MentoringSession, { id }: User): boolean {
  return [mentor, student, ...members].some((person) => person.id === id);
}

/** Admins, the session's mentor and those who were added as mentors make links for guests. */
export function mayInvite(session: MentoringSession, user: User): boolean {
  if (session.status !== "accepted") return false;
  return mayManage(session, user) || session.members.some(({ id, role }) => id === user.id && role === "mentor");
}

/** Admins and the session's own mentor say who belongs to it. */
export function mayManage({ mentor }: MentoringSession, user: User): boolean {
  return user.role === "admin" || user.id === mentor.id;
}
