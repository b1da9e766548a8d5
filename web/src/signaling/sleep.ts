/** Notices that the computer slept: a timer that should fire every few seconds did not fire for long. */
export class SleepWatch {
  readonly #timer: ReturnType<typeof setInterval>;
  #last = Date.now();

  constructor(onWake: () => void) {
    this.#timer = setInterval(() => {
      const now = Date.now();
      const slept = now - this.#last > SLEPT_MS;
      this.#last = now;
      if (slept) onWake();
    }, TICK_MS);
  }

  dispose(): void {
    clearInterval(this.#timer);
  }
}

const TICK_MS = 5_000;
/** Longer than a daemon keeps a silent socket, and than browsers hold back the timers of hidden tabs. */
const SLEPT_MS = 75_000;
