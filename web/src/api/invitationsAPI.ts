import { type Invitation, invitations, type MadeInvitation, madeInvitation, type Welcome, welcome } from "../protocol/resources";
import { get, post, remove } from "./request";

/** Links for guests: made, listed and taken back by those who lead a session, followed by whoever has one. */
export const invitationsAPI = {
  list: (sessionId: string, signal?: AbortSignal): Promise<readonly Invitation[]> => get(base(sessionId), invitations, signal),
  make: (sessionId: string, usesMax: number, validForHours: number): Promise<MadeInvitation> =>
    post(base(sessionId), { uses_max: usesMax, valid_for_hours: validForHours }, madeInvitation),
  takeBack: (sessionId: string, id: string): Promise<void> => remove(`${base(sessionId)}${segment(id)}/`),
  /** Whoever is not signed in becomes a guest of that name; the login's cookie comes with the answer. */
  follow: (token: string, displayName: string): Promise<Welcome> =>
    post("/api/guests/", { invitation: token, display_name: displayName }, welcome),
};

const base = (sessionId: string) => `/api/mentoring/sessions/${segment(sessionId)}/invitations/`;
const segment = encodeURIComponent;
