/** How long to wait before the next attempt to reconnect; `attempt` counts from 0, `random` is in [0, 1). */
export function backoffDelay(attempt: number, random: number): number {
  const base = DELAYS_MS[Math.min(attempt, DELAYS_MS.length - 1)] ?? 0;
  return Math.round(base * (1 + JITTER * (random - 0.5)));
}

/** A daemon that restarts is not met by everybody at once: even the first attempt is spread. */
export function awayDelay(random: number): number {
  return Math.round(AWAY_MS * random);
}

const DELAYS_MS = [0, 300, 1200, 2700, 4800, 7000] as const;
/** The width of the band around each delay, as a part of it. */
const JITTER = 0.5;
const AWAY_MS = 1500;
