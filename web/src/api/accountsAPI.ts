import { type Identity, identity, warnings } from "../protocol/resources";
import { get, nothing, post } from "./request";

/** `/api/auth/`: sign in, sign out, who am I. */
export const accountsAPI = {
  signIn: (username: string, password: string): Promise<Identity> => post(`${BASE}/login/`, { username, password }, identity),
  signOut: (): Promise<void> => post(`${BASE}/logout/`, undefined, nothing),
  me: (): Promise<Identity> => get(`${BASE}/me/`, identity),
  /** One's own password, proved by the one that was. */
  choosePassword: (current: string, chosen: string): Promise<Identity> => post(`${BASE}/password/`, { current, chosen }, identity),
  /** Codes of what the box needs an admin to see to; empty for everybody else. */
  warnings: (signal?: AbortSignal): Promise<readonly string[]> => get(`${BASE}/me/`, warnings, signal),
};

const BASE = "/api/auth";
