import { useEffect } from "react";

import { ScreenWakeLock } from "../call/wakeLock";

export function useWakeLock(): void {
  useEffect(() => {
    const lock = new ScreenWakeLock();
    return () => lock.dispose();
  }, []);
}
