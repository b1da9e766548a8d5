import { expect, it } from "vitest";

import { awayDelay, backoffDelay } from "./backoff";

it("spreads each delay over all of twice its time", () => {
  expect(backoffDelay(2, 0)).toBe(0);
  expect(backoffDelay(2, 0.5)).toBe(1200);
  expect(backoffDelay(2, 1)).toBe(2400);
});

it("brings a school back evenly after a power cut (full jitter)", () => {
  const pages = Array.from({ length: 400 }, (_, page) => backoffDelay(5, page / 400));
  const inSecond = (second: number) => pages.filter((delay) => Math.floor(delay / 1000) === second).length;
  expect(Math.max(...pages)).toBeGreaterThan(13_000);
  expect(Math.max(...Array.from({ length: 14 }, (_, second) => inSecond(second)))).toBeLessThan(35);
});

it("never waits for the first attempt", () => {
  expect(backoffDelay(0, 0.99)).toBe(0);
});

it("stays at the last delay", () => {
  expect(backoffDelay(99, 0.5)).toBe(7000);
});

it("spreads everybody over a second and a half when the daemon goes away", () => {
  expect([awayDelay(0), awayDelay(1)]).toEqual([0, 1500]);
});
