import { useCallback, useEffect, useState } from "react";

import { accountsAPI } from "../api/accountsAPI";
import { invitationsAPI } from "../api/invitationsAPI";
import { ApiError } from "../api/request";
import { type FirstAdmin, setupAPI } from "../api/setupAPI";
import type { Identity, User } from "../protocol/resources";

export type Login =
  | { readonly kind: "loading" }
  | { readonly kind: "unreachable"; readonly error: ApiError }
  | { readonly kind: "signed-out" }
  /** With a one-time password they choose their own before anything else. */
  | { readonly kind: "one-time-password"; readonly user: User }
  | { readonly kind: "signed-in"; readonly user: User };

export interface LoginControl {
  readonly login: Login;
  readonly signIn: (username: string, password: string) => Promise<void>;
  /** Becomes the first admin, by the box's set-up link. */
  readonly setUp: (token: string, first: FirstAdmin) => Promise<void>;
  readonly choosePassword: (current: string, chosen: string) => Promise<void>;
  /** Follows an invitation, as a guest or as who one is; answers the session it leads to. */
  readonly join: (token: string, displayName: string) => Promise<string>;
  readonly signOut: () => Promise<void>;
  /** The daemon said that the login is over. */
  readonly expired: () => void;
  readonly retry: () => void;
}

/** What whoever is signed in may do about their own account. */
export type OwnAccount = Pick<LoginControl, "choosePassword" | "signOut">;

export function useLogin(): LoginControl {
  const [login, setLogin] = useState<Login>({ kind: "loading" });
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    let current = true;
    const show = (next: Login) => {
      if (current) setLogin(next);
    };
    accountsAPI.me().then(
      (identity) => show(loginOf(identity)),
      (error: unknown) => show(error instanceof ApiError && error.status !== 401 ? { kind: "unreachable", error } : { kind: "signed-out" }),
    );
    return () => {
      current = false;
    };
  }, [attempt]);

  const signIn = useCallback(async (username: string, password: string) => {
    setLogin(loginOf(await accountsAPI.signIn(username, password)));
  }, []);
  const choosePassword = useCallback(async (current: string, chosen: string) => {
    setLogin(loginOf(await accountsAPI.choosePassword(current, chosen)));
  }, []);
  const setUp = useCallback(async (token: string, first: FirstAdmin) => {
    setLogin({ kind: "signed-in", user: await setupAPI.setUp(token, first) });
  }, []);
  const join = useCallback(async (token: string, displayName: string) => {
    const { user, session_id } = await invitationsAPI.follow(token, displayName);
    setLogin({ kind: "signed-in", user });
    return session_id;
  }, []);
  const signOut = useCallback(async () => {
    await accountsAPI.signOut();
    setLogin({ kind: "signed-out" });
  }, []);
  const expired = useCallback(() => setLogin({ kind: "signed-out" }), []);
  const retry = useCallback(() => {
    setLogin({ kind: "loading" });
    setAttempt((before) => before + 1);
  }, []);
  return { login, signIn, setUp, choosePassword, join, signOut, expired, retry };
}

function loginOf({ user, one_time_password }: Identity): Login {
  return { kind: one_time_password ? "one-time-password" : "signed-in", user };
}
