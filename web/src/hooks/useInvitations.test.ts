import { expect, it } from "vitest";

import type { Invitation } from "../protocol/resources";
import { openOf } from "./useInvitations";

it("lists the links that still let somebody in, and no others", () => {
  const invitations = [
    link("open", {}),
    link("taken back", { revoked: true }),
    link("used up", { uses_left: 0 }),
    link("expired", { expires_at: "2026-03-01T12:00:00Z" }),
    link("older", { uses_left: 20 }),
  ];
  expect(openOf(invitations, Date.parse("2026-03-01T12:00:00Z")).map(({ id }) => id)).toEqual(["open", "older"]);
});

function link(id: string, change: Partial<Invitation>): Invitation {
  return { id, session_id: "s", expires_at: "2026-03-02T12:00:00Z", uses_left: 1, revoked: false, ...change };
}
