import { type MouseEvent, useSyncExternalStore } from "react";

export type Route =
  | { readonly page: "sessions" }
  | { readonly page: "video-call"; readonly session: string }
  /** Where links for guests lead; their token is no part of the route. */
  | { readonly page: "join" }
  /** What the box needs, for admins. */
  | { readonly page: "health" }
  /** Who has an account, for admins. */
  | { readonly page: "people" }
  /** Where the box's set-up link leads; its token is no part of the route. */
  | { readonly page: "setup" }
  /** What comes after the set-up. */
  | { readonly page: "start" }
  | { readonly page: "not-found" };

export function useRoute(): Route {
  const address = useSyncExternalStore(subscribe, () => location.pathname + location.search);
  return routeOf(address);
}

export function routeOf(address: string): Route {
  const { pathname, searchParams } = new URL(address, "https://box");
  switch (pathname.replace(/\/+$/, "")) {
    case "":
      return { page: "sessions" };
    case "/video-call": {
      const session = searchParams.get("session");
      return session === null || session === "" ? { page: "not-found" } : { page: "video-call", session };
    }
    case "/health":
      return { page: "health" };
    case "/join":
      return { page: "join" };
    case "/people":
      return { page: "people" };
    case "/setup":
      return { page: "setup" };
    case "/start":
      return { page: "start" };
    default:
      return { page: "not-found" };
  }
}

/** `replacing` leaves no way back to the page that was shown. */
export function navigate(address: string, { replacing = false } = {}): void {
  if (replacing) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  for (const listener of listeners) listener();
}

export function callAddress(sessionId: string): string {
  return `/video-call?session=${encodeURIComponent(sessionId)}`;
}

/** For links that stay links: a click with a modifier still opens a tab. */
export function follow(event: MouseEvent<HTMLAnchorElement>): void {
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  navigate(event.currentTarget.pathname + event.currentTarget.search);
}

const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  addEventListener("popstate", listener);
  return () => {
    listeners.delete(listener);
    removeEventListener("popstate", listener);
  };
}
