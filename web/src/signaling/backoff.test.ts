import { expect, it } from "vitest";

import { awayDelay, backoffDelay } from "./backoff";

it("spreads each delay by a quarter to either side", () => {
  expect(backoffDelay(2, 0)).toBe(900);
  expect(backoffDelay(2, 0.5)).toBe(1200);
  expect(backoffDelay(2, 1)).toBe(1500);
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
