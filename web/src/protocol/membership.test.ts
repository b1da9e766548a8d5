import { describe, expect, it } from "vitest";

import { isMember, mayInvite, mayManage } from "./membership";
import type { MentoringSession, User } from "./resources";
import type { Role } from "./signal";

const SESSION: MentoringSession = {
  id: "s",
  topic: "Fractions",
  status: "accepted",
  mentor: { id: "mara", display_name: "Mara" },
  student: { id: "stu", display_name: "Stu" },
  members: [
    { id: "milo", display_name: "Milo", role: "mentor" },
    { id: "sam", display_name: "Sam", role: "student" },
    { id: "gil", display_name: "Gil", role: "guest" },
  ],
  requested_at: "2026-01-01T00:00:00Z",
  answered_at: "2026-01-01T00:00:00Z",
  room: null,
};

describe("in a session", () => {
  it.each<[string, Role, { member: boolean; invites: boolean; manages: boolean }]>([
    ["mara", "mentor", { member: true, invites: true, manages: true }],
    ["stu", "student", { member: true, invites: false, manages: false }],
    ["milo", "mentor", { member: true, invites: true, manages: false }],
    ["sam", "student", { member: true, invites: false, manages: false }],
    ["gil", "guest", { member: true, invites: false, manages: false }],
    ["ada", "admin", { member: false, invites: true, manages: true }],
    ["otto", "mentor", { member: false, invites: false, manages: false }],
  ])("%s, a %s, may what the daemon allows", (id, role, may) => {
    const user = person(id, role);
    expect({ member: isMember(SESSION, user), invites: mayInvite(SESSION, user), manages: mayManage(SESSION, user) }).toEqual(may);
  });

  it("nobody invites before it is accepted", () => {
    expect(mayInvite({ ...SESSION, status: "requested" }, person("mara", "mentor"))).toBe(false);
  });
});

function person(id: string, role: Role): User {
  return { id, username: id, display_name: id, role };
}
