import { expect, it } from "vitest";

import { tokenOf } from "./useLinkToken";

it.each([
  ["/join", "#AbC-_1", "AbC-_1"],
  ["/join/", "#AbC", "AbC"],
  ["/join", "", ""],
  ["/setup", "#AbC", "AbC"],
  ["/", "#AbC", ""],
  ["/joined", "#AbC", ""],
])("%s%s carries the token %j", (pathname, hash, token) => {
  expect(tokenOf({ pathname, hash })).toBe(token);
});
