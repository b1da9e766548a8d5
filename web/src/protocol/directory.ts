import { type Decoder, array, boolean, oneOf, record, string } from "./decode";
import { type User, user } from "./resources";

export type AccountRole = "admin" | "mentor" | "student";

/** An account as admins see it. */
export interface Account {
  readonly id: string;
  readonly username: string;
  readonly display_name: string;
  readonly role: AccountRole;
  /** They have not chosen a password of their own yet. */
  readonly one_time_password: boolean;
}

export interface AccountPage {
  readonly accounts: readonly Account[];
  /** There are more after the last of these. */
  readonly more: boolean;
}

/** As it is shown once: with the one-time password. */
export interface MadeAccount {
  readonly user: User;
  readonly password: string;
}

const account = record<Account>({
  id: string,
  username: string,
  display_name: string,
  role: oneOf("admin", "mentor", "student"),
  one_time_password: boolean,
});

export const accountPage: Decoder<AccountPage> = record<AccountPage>({ accounts: array(account), more: boolean });

export const oneTimePassword: Decoder<string> = (value) => record<{ password: string }>({ password: string })(value).password;

export const madeAccount: Decoder<MadeAccount> = (value) => ({ user: user(value), password: oneTimePassword(value) });
