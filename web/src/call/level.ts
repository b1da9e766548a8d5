import { type Readable, Store } from "./store";

/** How loud a microphone is, 0 to 1. Only listens: nothing is played, so there is no echo. */
export class LevelMeter implements Readable<number> {
  readonly #store = new Store(0);
  readonly #context = new AudioContext();
  readonly #track: MediaStreamTrack;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #abort = new AbortController();

  readonly subscribe = this.#store.subscribe;
  readonly snapshot = this.#store.snapshot;

  constructor(microphone: MediaStreamTrack) {
    // A copy hears even while the original is muted.
    this.#track = microphone.clone();
    this.#track.enabled = true;
    const analyser = this.#context.createAnalyser();
    analyser.fftSize = 1024;
    this.#context.createMediaStreamSource(new MediaStream([this.#track])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    this.#timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      this.#store.set(loudness(samples));
    }, INTERVAL_MS);
    const resume = () => void this.#context.resume().catch(() => undefined);
    resume();
    // Some browsers keep it silent until the first gesture.
    globalThis.addEventListener("pointerdown", resume, { signal: this.#abort.signal });
  }

  dispose(): void {
    this.#abort.abort();
    clearInterval(this.#timer);
    this.#track.stop();
    void this.#context.close();
  }
}

/** Root mean square on a scale of decibels, from a quiet room to a loud voice, in twenty steps. */
function loudness(samples: Float32Array): number {
  const square = samples.reduce((total, sample) => total + sample * sample, 0) / samples.length;
  const decibels = 10 * Math.log10(square + 1e-10);
  const level = (decibels - QUIET_DB) / (LOUD_DB - QUIET_DB);
  return Math.round(Math.min(1, Math.max(0, level)) * 20) / 20;
}

const INTERVAL_MS = 80;
const QUIET_DB = -60;
const LOUD_DB = -15;
