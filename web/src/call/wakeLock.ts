/** Keeps the screen on while a call runs; browsers drop the lock whenever the page is hidden, so it is taken again. */
export class ScreenWakeLock {
  readonly #abort = new AbortController();
  #lock: WakeLockSentinel | null = null;

  constructor() {
    document.addEventListener("visibilitychange", () => void this.#acquire(), { signal: this.#abort.signal });
    void this.#acquire();
  }

  dispose(): void {
    this.#abort.abort();
    void this.#lock?.release();
  }

  async #acquire(): Promise<void> {
    const wakeLock = (navigator as { wakeLock?: WakeLock }).wakeLock;
    if (wakeLock === undefined || document.visibilityState !== "visible") return;
    // Refused on low battery, which is the person's choice.
    const lock = await wakeLock.request("screen").catch(() => null);
    if (this.#abort.signal.aborted) void lock?.release();
    else this.#lock = lock;
  }
}
