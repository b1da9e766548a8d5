import { useEffect, useState } from "react";

/** True when nobody touched pointer, screen or keyboard for `after` milliseconds; never while `held`. */
export function useIdle(after: number, held: boolean): boolean {
  const [idle, setIdle] = useState(false);

  useEffect(() => {
    if (held) return undefined;
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const wake = () => {
      clearTimeout(timer);
      setIdle(false);
      timer = setTimeout(() => setIdle(!isKeyboardInControls()), after);
    };
    for (const event of ["pointermove", "pointerdown", "keydown", "focusin"]) {
      addEventListener(event, wake, { signal: controller.signal, passive: true });
    }
    timer = setTimeout(() => setIdle(!isKeyboardInControls()), after);
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [after, held]);

  return idle && !held;
}

/** Somebody who reached a control by keyboard must not lose sight of it. */
function isKeyboardInControls(): boolean {
  return document.activeElement?.matches("button:focus-visible, a:focus-visible, select:focus-visible") ?? false;
}
