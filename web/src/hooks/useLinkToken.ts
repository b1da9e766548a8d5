import { useEffect, useState } from "react";

/** The token of the link that was followed to `/join` or `/setup`; empty without one. It is read once, and the address keeps it no longer. */
export function useLinkToken(): string {
  const [token, setToken] = useState(() => tokenOf(location));
  useEffect(() => {
    const take = () => {
      const found = tokenOf(location);
      if (found === "") return;
      setToken(found);
      history.replaceState(null, "", location.pathname + location.search);
    };
    take();
    // Another link, opened in the tab that shows the page already, loads nothing anew.
    addEventListener("hashchange", take);
    return () => removeEventListener("hashchange", take);
  }, []);
  return token;
}

export function tokenOf({ pathname, hash }: Pick<Location, "pathname" | "hash">): string {
  return /^\/(join|setup)\/*$/.test(pathname) ? hash.slice(1) : "";
}
