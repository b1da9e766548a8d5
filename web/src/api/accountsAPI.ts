import { type User, user, warnings } from "../protocol/resources";
import { get, nothing, post } from "./request";

/** `/api/auth/`: sign in, sign out, who am I. */
export const accountsAPI = {
  signIn: (username: string, password: string): Promise<User> => post(`${BASE}/login/`, { username, password }, user),
  signOut: (): Promise<void> => post(`${BASE}/logout/`, undefined, nothing),
  me: (): Promise<User> => get(`${BASE}/me/`, user),
  /** Codes of what the box needs an admin to see to; empty for everybody else. */
  warnings: (signal?: AbortSignal): Promise<readonly string[]> => get(`${BASE}/me/`, warnings, signal),
};

const BASE = "/api/auth";
