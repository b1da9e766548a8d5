import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { accountsAPI } from "./accountsAPI";
import { mentoringAPI } from "./mentoringAPI";
import { ApiError } from "./request";
import { videoCallAPI } from "./videoCallAPI";

const ROOM = {
  id: "1".repeat(32),
  session_id: "2".repeat(32),
  status: "waiting",
  created_at: "2026-01-01T00:00:00Z",
  started_at: null,
  ended_at: null,
  participants: [],
};
const GRANT = {
  room: ROOM,
  participant: { participant_id: "3".repeat(32), display_name: "Stu Student", role: "student" },
  ice_servers: [{ urls: ["stun:box:3478"] }, { urls: ["turn:box:3478"], username: "u", credential: "c" }],
  ice_transport_policy: "all",
  socket_url: `/ws/video-call/${"1".repeat(32)}/`,
};

const fetched = vi.fn<typeof fetch>();

beforeEach(() => vi.stubGlobal("fetch", fetched));
afterEach(() => {
  vi.unstubAllGlobals();
  fetched.mockReset();
});

describe("videoCallAPI", () => {
  it("joins by session: the standing room first, then its grant", async () => {
    answer(201, ROOM);
    answer(200, GRANT);
    await expect(videoCallAPI.joinBySession(ROOM.session_id)).resolves.toEqual(GRANT);
    expect(fetched.mock.calls.map(([path, init]) => [path, init?.method, init?.body])).toEqual([
      ["/api/mentoring/video-call/create/", "POST", JSON.stringify({ session_id: ROOM.session_id })],
      [`/api/mentoring/video-call/${ROOM.id}/join/`, "POST", null],
    ]);
  });

  it("does not ask for a grant when there is no room to be had", async () => {
    problem(409, "session_not_accepted");
    await expect(videoCallAPI.joinBySession("x")).rejects.toMatchObject({ code: "session_not_accepted", status: 409 });
    expect(fetched).toHaveBeenCalledTimes(1);
  });

  it("keeps ids inside their path segment", async () => {
    problem(404, "not_found");
    await expect(videoCallAPI.room("../auth/me")).rejects.toThrow(ApiError);
    expect(fetched.mock.calls[0]?.[0]).toBe("/api/mentoring/video-call/..%2Fauth%2Fme/");
  });
});

describe("warnings for admins", () => {
  it.each([
    ["as the daemon gives them", { user: {}, warnings: ["disk_full", "of_tomorrow"] }, ["disk_full", "of_tomorrow"]],
    ["none where the field is absent", { user: {} }, []],
    ["none where it has another form", { user: {}, warnings: "disk_full" }, []],
    ["what is readable of them", { user: {}, warnings: ["disk_low", 7, null] }, ["disk_low"]],
  ])("are %s", async (_name, body, codes) => {
    answer(200, body);
    await expect(accountsAPI.warnings()).resolves.toEqual(codes);
  });
});

describe("errors", () => {
  it("carry the problem's code, detail and Retry-After", async () => {
    problem(429, "too_many_attempts", { "retry-after": "30" });
    const error = await accountsAPI.signIn("a", "b").catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ code: "too_many_attempts", message: "why", status: 429, retryAfter: 30 });
  });

  it("say unreachable when nobody answers", async () => {
    fetched.mockRejectedValueOnce(new TypeError("Failed to fetch"));
    await expect(mentoringAPI.sessions()).rejects.toMatchObject({ code: "unreachable", status: 0 });
  });

  it("say unreadable when a refusal is no problem document", async () => {
    fetched.mockResolvedValueOnce(new Response("<h1>Bad gateway</h1>", { status: 502 }));
    await expect(mentoringAPI.sessions()).rejects.toMatchObject({ code: "unreadable", status: 502 });
  });

  it("say unreadable when an answer has another form", async () => {
    answer(200, { sessions: [{ id: 1 }] });
    await expect(mentoringAPI.sessions()).rejects.toMatchObject({ code: "unreadable" });
  });

  it("pass an abort through, so that a page that left is not shown an error", async () => {
    const controller = new AbortController();
    controller.abort(new Error("left"));
    fetched.mockRejectedValueOnce(new Error("left"));
    await expect(mentoringAPI.sessions(controller.signal)).rejects.toThrow("left");
  });

  it("need no body where there is none", async () => {
    fetched.mockResolvedValueOnce(new Response(null, { status: 204 }));
    await expect(accountsAPI.signOut()).resolves.toBeUndefined();
  });
});

function answer(status: number, body: unknown): void {
  fetched.mockResolvedValueOnce(new Response(JSON.stringify(body), { status }));
}

function problem(status: number, code: string, headers: Record<string, string> = {}): void {
  const body = { type: "about:blank", title: "Refused", status, code, detail: "why" };
  fetched.mockResolvedValueOnce(new Response(JSON.stringify(body), { status, headers }));
}
