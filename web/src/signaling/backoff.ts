/**
 * How long to wait before the next attempt to reconnect; `attempt` counts from 0, `random` is in [0, 1). Full jitter: anything up to
 * twice the delay of the table, so that a school that lost its box together does not come back together.
 */
export function backoffDelay(attempt: number, random: number): number {
  const base = DELAYS_MS[Math.min(attempt, DELAYS_MS.length - 1)] ?? 0;
  return Math.round(2 * base * random);
}

/** A daemon that restarts, or a network that is there again, is not met by everybody at once: even the first attempt is spread. */
export function awayDelay(random: number): number {
  return Math.round(AWAY_MS * random);
}

/** On average. */
const DELAYS_MS = [0, 300, 1200, 2700, 4800, 7000] as const;
const AWAY_MS = 1500;
