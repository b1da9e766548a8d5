import { useCallback, useEffect, useState } from "react";

import { directoryAPI } from "../api/directoryAPI";
import { ApiError } from "../api/request";
import type { Account, AccountRole, MadeAccount } from "../protocol/directory";

export interface Directory {
  /** What is shown so far; null while nothing is known. */
  readonly accounts: readonly Account[] | null;
  readonly more: boolean;
  readonly error: ApiError | null;
  readonly search: (text: string) => void;
  readonly showMore: () => void;
  readonly make: (username: string, displayName: string, role: AccountRole) => Promise<MadeAccount>;
  readonly resetPassword: (id: string) => Promise<string>;
  readonly remove: (id: string) => Promise<void>;
}

interface Shown {
  readonly accounts: readonly Account[];
  readonly more: boolean;
}

/** Accounts by the page, for admins. */
export function useDirectory(): Directory {
  const [wanted, setWanted] = useState({ search: "", attempt: 0 });
  const [shown, setShown] = useState<Shown | null>(null);
  const [error, setError] = useState<ApiError | null>(null);

  const ask = useCallback(async (search: string, before: readonly Account[], signal?: AbortSignal) => {
    try {
      const { accounts, more } = await directoryAPI.page(search, before.at(-1)?.username ?? "", signal);
      if (signal?.aborted === true) return;
      setShown({ accounts: [...before, ...accounts], more });
      setError(null);
    } catch (cause) {
      if (signal?.aborted !== true) setError(cause instanceof ApiError ? cause : null);
    }
  }, []);
  useEffect(() => {
    const controller = new AbortController();
    // Whoever types is not asked about every letter.
    const timer = setTimeout(() => void ask(wanted.search, [], controller.signal), wanted.search === "" ? 0 : TYPING_MS);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [ask, wanted]);

  const refresh = useCallback(() => setWanted(({ search, attempt }) => ({ search, attempt: attempt + 1 })), []);
  const search = useCallback((text: string) => setWanted(({ attempt }) => ({ search: text, attempt })), []);
  const showMore = useCallback(() => {
    if (shown !== null) void ask(wanted.search, shown.accounts);
  }, [ask, shown, wanted.search]);
  const make = useCallback<Directory["make"]>(
    async (username, displayName, role) => {
      const made = await directoryAPI.make(username, displayName, role);
      refresh();
      return made;
    },
    [refresh],
  );
  const resetPassword = useCallback<Directory["resetPassword"]>(
    async (id) => {
      const password = await directoryAPI.resetPassword(id);
      refresh();
      return password;
    },
    [refresh],
  );
  const remove = useCallback<Directory["remove"]>(
    async (id) => {
      await directoryAPI.remove(id);
      refresh();
    },
    [refresh],
  );
  return { accounts: shown?.accounts ?? null, more: shown?.more ?? false, error, search, showMore, make, resetPassword, remove };
}

const TYPING_MS = 200;
