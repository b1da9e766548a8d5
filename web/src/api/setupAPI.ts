import { boolean, record } from "../protocol/decode";
import { type User, user } from "../protocol/resources";
import { get, nothing, post } from "./request";

/** `/api/setup/`: the first admin, by the box's set-up link. */
export const setupAPI = {
  /** Whether there is no admin yet. */
  isNeeded: async (): Promise<boolean> => (await get(`${BASE}/`, record<{ needed: boolean }>({ needed: boolean }))).needed,
  /** Refused unless the token is the one of this box; it stays unused. */
  prove: (token: string): Promise<void> => post(`${BASE}/link/`, { token }, nothing),
  /** Makes the first admin; the login's cookie comes with the answer. */
  setUp: (token: string, first: FirstAdmin): Promise<User> =>
    post(`${BASE}/`, { token, username: first.username, display_name: first.displayName, password: first.password }, user),
};

export interface FirstAdmin {
  readonly username: string;
  readonly displayName: string;
  readonly password: string;
}

const BASE = "/api/setup";
