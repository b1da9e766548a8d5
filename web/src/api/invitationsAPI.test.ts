import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { invitationsAPI } from "./invitationsAPI";
import { mentoringAPI } from "./mentoringAPI";

const INVITATION = { id: "1".repeat(32), session_id: "2".repeat(32), expires_at: "2026-01-02T00:00:00Z", uses_left: 3, revoked: false };
const USER = { id: "3".repeat(32), username: "guest-3", display_name: "Gil", role: "guest" };

const fetched = vi.fn<typeof fetch>();

beforeEach(() => vi.stubGlobal("fetch", fetched));
afterEach(() => {
  vi.unstubAllGlobals();
  fetched.mockReset();
});

it("makes a link for so many people and so long, which is told with its token once", async () => {
  const made = { ...INVITATION, link: "https://box/join#token" };
  answer(201, made);
  await expect(invitationsAPI.make("s/1", 3, 168)).resolves.toEqual(made);
  expect(asked()).toEqual(["/api/mentoring/sessions/s%2F1/invitations/", "POST", '{"uses_max":3,"valid_for_hours":168}']);
});

it("lists links and takes one back", async () => {
  answer(200, { invitations: [INVITATION] });
  await expect(invitationsAPI.list("s")).resolves.toEqual([INVITATION]);
  fetched.mockResolvedValueOnce(new Response(null, { status: 204 }));
  await expect(invitationsAPI.takeBack("s", "../x")).resolves.toBeUndefined();
  expect(asked()).toEqual(["/api/mentoring/sessions/s/invitations/..%2Fx/", "DELETE", null]);
});

it("follows a link, by a token that is in no address", async () => {
  answer(201, { user: USER, session_id: "s" });
  await expect(invitationsAPI.follow("token", "Gil")).resolves.toEqual({ user: USER, session_id: "s" });
  expect(asked()).toEqual(["/api/guests/", "POST", '{"invitation":"token","display_name":"Gil"}']);
});

it("removes a member inside their session", async () => {
  fetched.mockResolvedValueOnce(new Response(null, { status: 204 }));
  await mentoringAPI.removeMember("s", "u/1");
  expect(asked()).toEqual(["/api/mentoring/sessions/s/members/u%2F1/", "DELETE", null]);
});

function answer(status: number, body: unknown): void {
  fetched.mockResolvedValueOnce(new Response(JSON.stringify(body), { status }));
}

function asked(): unknown[] {
  const [path, init] = fetched.mock.lastCall ?? [];
  return [path, init?.method, init?.body];
}
