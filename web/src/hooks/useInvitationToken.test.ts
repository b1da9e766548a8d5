import { expect, it } from "vitest";

import { tokenOf } from "./useInvitationToken";

it.each([
  ["/join", "#AbC-_1", "AbC-_1"],
  ["/join/", "#AbC", "AbC"],
  ["/join", "", ""],
  ["/", "#AbC", ""],
  ["/joined", "#AbC", ""],
])("%s%s carries the token %j", (pathname, hash, token) => {
  expect(tokenOf({ pathname, hash })).toBe(token);
});
