export interface IceRestartOptions {
  /** The impolite side restarts; the polite one only if that did not help. */
  readonly polite: boolean;
  /** Bytes received so far, over whatever path. */
  readonly bytesReceived: () => Promise<number>;
  readonly restart: () => void;
  /** How many restarts in a row have not helped so far. */
  readonly onFruitless: (restarts: number) => void;
}

/**
 * Decides when ICE is restarted: `failed` at once, `disconnected` if no byte came for a while, and again until it helps.
 * Never touches the connection itself.
 */
export class IceRestart {
  readonly #options: IceRestartOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #restarts = 0;
  #state: RTCIceConnectionState = "new";
  #disposed = false;

  constructor(options: IceRestartOptions) {
    this.#options = options;
  }

  handleState(state: RTCIceConnectionState): void {
    const before = this.#state;
    if (state === before) return;
    this.#state = state;
    switch (state) {
      case "connected":
      case "completed":
        this.#restarts = 0;
        this.#wait(null);
        break;
      case "disconnected":
        void this.#watch();
        break;
      case "failed":
        if (this.#restarts > 0) this.#wait(AGAIN_MS);
        else this.#wait(this.#options.polite ? POLITE_EXTRA_MS : 0);
        break;
      case "checking":
        // The other side restarted: that deserves its time.
        if (before === "failed" || before === "disconnected") this.#wait(AGAIN_MS);
        break;
      case "new":
      case "closed":
        break;
    }
  }

  /** Something happened that may have cost the path: restarts soon unless bytes come. */
  suspect(): void {
    if (this.#state === "connected" || this.#state === "completed" || this.#state === "disconnected") void this.#watch(SUSPECT_MS);
  }

  dispose(): void {
    this.#disposed = true;
    clearTimeout(this.#timer);
  }

  /** Restarts unless bytes still come: then only the checks were lost, and media goes on. */
  async #watch(silence = DISCONNECTED_MS): Promise<void> {
    const state = this.#state;
    const before = await this.#options.bytesReceived();
    if (this.#disposed || this.#state !== state) return;
    const patience = silence + (this.#options.polite ? POLITE_EXTRA_MS : 0);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      void this.#options.bytesReceived().then((now) => {
        if (this.#disposed || this.#state !== state) return;
        if (now > before) {
          if (state === "disconnected") void this.#watch();
        } else if (state === "disconnected") this.#restart();
        // ICE has not noticed yet; should this not help, it will, and that restarts again.
        else this.#options.restart();
      });
    }, patience);
  }

  #wait(delay: number | null): void {
    clearTimeout(this.#timer);
    if (delay !== null) this.#timer = setTimeout(() => this.#restart(), delay);
  }

  #restart(): void {
    this.#options.onFruitless(this.#restarts);
    this.#options.restart();
    this.#restarts += 1;
    this.#wait(AGAIN_MS);
  }
}

const DISCONNECTED_MS = 2_500;
const SUSPECT_MS = 1_500;
const POLITE_EXTRA_MS = 4_000;
const AGAIN_MS = 10_000;
