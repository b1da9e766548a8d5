import type { Sample } from "./stats";

export type Quality = "good" | "fair" | "poor";

/** Rates a connection from one sample to the next: falls at once, rises only after it has been better for a while. */
export class QualityMeter {
  #before: Sample | null = null;
  #quality: Quality | null = null;
  #better = 0;

  rate(sample: Sample): Quality {
    const now = rateInterval(this.#before ?? sample, sample);
    this.#before = sample;
    if (this.#quality === null || RANK[now] <= RANK[this.#quality]) {
      this.#quality = now;
      this.#better = 0;
    } else if (++this.#better >= RISE_AFTER) {
      this.#quality = now;
      this.#better = 0;
    }
    return this.#quality;
  }
}

function rateInterval(before: Sample, now: Sample): Quality {
  const lost = Math.max(0, now.packetsLost - before.packetsLost);
  const received = Math.max(0, now.packetsReceived - before.packetsReceived);
  const loss = Math.max(now.lossThere, lost / Math.max(1, lost + received));
  const narrow = now.bandwidthLimited ? (now.outgoingBitrate ?? Infinity) : Infinity;
  const within = (limit: Limit) =>
    loss <= limit.loss && (now.roundTrip ?? 0) <= limit.roundTrip && now.jitter <= limit.jitter && narrow >= limit.bitrate;
  if (within(GOOD)) return "good";
  return within(FAIR) ? "fair" : "poor";
}

interface Limit {
  readonly loss: number;
  /** Seconds. */
  readonly roundTrip: number;
  /** Seconds. */
  readonly jitter: number;
  /** Bits a second. */
  readonly bitrate: number;
}

const GOOD: Limit = { loss: 0.03, roundTrip: 0.3, jitter: 0.03, bitrate: 400_000 };
const FAIR: Limit = { loss: 0.08, roundTrip: 0.6, jitter: 0.08, bitrate: 120_000 };
const RANK = { poor: 0, fair: 1, good: 2 } as const;
/** Samples. */
const RISE_AFTER = 4;
