import { expect, it } from "vitest";

import { callAddress, routeOf } from "./useRoute";

it.each([
  ["/", { page: "sessions" }],
  ["/?user=mentor", { page: "sessions" }],
  ["/video-call?session=ab", { page: "video-call", session: "ab" }],
  ["/video-call/?session=ab", { page: "video-call", session: "ab" }],
  ["/video-call", { page: "not-found" }],
  ["/video-call?session=", { page: "not-found" }],
  ["/join", { page: "join" }],
  ["/join/", { page: "join" }],
  ["/health", { page: "health" }],
  ["/people", { page: "people" }],
  ["/setup", { page: "setup" }],
  ["/start", { page: "start" }],
  ["/elsewhere", { page: "not-found" }],
])("%s leads to the page it names", (address, route) => {
  expect(routeOf(address)).toEqual(route);
});

it("makes addresses that lead back to their session", () => {
  expect(routeOf(callAddress("a&b c"))).toEqual({ page: "video-call", session: "a&b c" });
});
