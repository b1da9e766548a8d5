import { useCallback, useEffect, useState } from "react";

import { accountsAPI } from "../api/accountsAPI";
import { invitationsAPI } from "../api/invitationsAPI";
import { ApiError } from "../api/request";
import type { User } from "../protocol/resources";

export type Login =
  | { readonly kind: "loading" }
  | { readonly kind: "unreachable"; readonly error: ApiError }
  | { readonly kind: "signed-out" }
  | { readonly kind: "signed-in"; readonly user: User };

export interface LoginControl {
  readonly login: Login;
  readonly signIn: (username: string, password: string) => Promise<void>;
  /** Follows an invitation, as a guest or as who one is; answers the session it leads to. */
  readonly join: (token: string, displayName: string) => Promise<string>;
  readonly signOut: () => Promise<void>;
  /** The daemon said that the login is over. */
  readonly expired: () => void;
  readonly retry: () => void;
}

export function useLogin(): LoginControl {
  const [login, setLogin] = useState<Login>({ kind: "loading" });
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    let current = true;
    const show = (next: Login) => {
      if (current) setLogin(next);
    };
    accountsAPI.me().then(
      (user) => show({ kind: "signed-in", user }),
      (error: unknown) => show(error instanceof ApiError && error.status !== 401 ? { kind: "unreachable", error } : { kind: "signed-out" }),
    );
    return () => {
      current = false;
    };
  }, [attempt]);

  const signIn = useCallback(async (username: string, password: string) => {
    setLogin({ kind: "signed-in", user: await accountsAPI.signIn(username, password) });
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
  return { login, signIn, join, signOut, expired, retry };
}
