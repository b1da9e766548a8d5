import { type AccountPage, accountPage, type AccountRole, type MadeAccount, madeAccount, oneTimePassword } from "../protocol/directory";
import { get, post, remove } from "./request";

/** `/api/accounts/`: people, as admins manage them. */
export const directoryAPI = {
  /** The accounts after the username `after`, of those whose names contain `search`. */
  page: (search: string, after: string, signal?: AbortSignal): Promise<AccountPage> =>
    get(`${BASE}/?${new URLSearchParams({ search, after }).toString()}`, accountPage, signal),
  make: (username: string, displayName: string, role: AccountRole): Promise<MadeAccount> =>
    post(`${BASE}/`, { username, display_name: displayName, role }, madeAccount),
  resetPassword: (id: string): Promise<string> => post(`${BASE}/${segment(id)}/password/`, undefined, oneTimePassword),
  remove: (id: string): Promise<void> => remove(`${BASE}/${segment(id)}/`),
};

const BASE = "/api/accounts";
const segment = encodeURIComponent;
