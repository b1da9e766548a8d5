import { useCallback, useSyncExternalStore } from "react";

export interface FullScreen {
  /** Phones by Apple allow it for videos alone. */
  readonly supported: boolean;
  readonly active: boolean;
  readonly toggle: () => void;
}

export function useFullScreen(): FullScreen {
  const active = useSyncExternalStore(subscribe, () => document.fullscreenElement !== null);
  const toggle = useCallback(() => {
    const change = document.fullscreenElement === null ? document.documentElement.requestFullscreen() : document.exitFullscreen();
    // Refused without a gesture: then nothing changes, and nothing is lost.
    change.catch(() => undefined);
  }, []);
  return { supported: document.fullscreenEnabled, active, toggle };
}

function subscribe(listener: () => void): () => void {
  document.addEventListener("fullscreenchange", listener);
  return () => document.removeEventListener("fullscreenchange", listener);
}
