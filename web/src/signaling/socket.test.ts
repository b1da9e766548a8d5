import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { FakeSocket } from "../testing/fakeSocket";
import { type ProbeResult, SignalingSocket, type SocketEvents, type SocketOptions } from "./socket";

beforeEach(() => {
  FakeSocket.all = [];
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  // Node is no event target; browsers are.
  const target = new EventTarget();
  vi.stubGlobal("addEventListener", target.addEventListener.bind(target));
  vi.stubGlobal("dispatchEvent", target.dispatchEvent.bind(target));
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("opening", () => {
  it("greets with its versions, then joins", () => {
    opened();
    FakeSocket.last.opens();
    FakeSocket.last.says({ type: "welcome", version: 1 });
    expect(FakeSocket.last.sent).toEqual([
      { type: "hello", versions: [2] },
      { type: "join", takeover: false },
    ]);
  });

  it("takes the seat from another tab when told to", () => {
    opened({ takeover: true });
    FakeSocket.last.seats();
    expect(FakeSocket.last.sent).toContainEqual({ type: "join", takeover: true });
  });

  it("says nothing but its greeting before it has a seat", () => {
    const { socket } = opened();
    FakeSocket.last.opens();
    socket.send({ type: "media", microphone: true, camera: true, screen: null });
    expect(FakeSocket.last.sent).toHaveLength(1);
  });

  it.each(["seat_taken", "room_full"] as const)("ends with %s and leaves the seat alone", (code) => {
    const { onEnd } = opened();
    FakeSocket.last.opens();
    FakeSocket.last.says({ type: "welcome", version: 1 });
    FakeSocket.last.says({ type: "error", code, message: "" });
    expect(onEnd).toHaveBeenCalledExactlyOnceWith({ kind: code });
    expectNoMoreSockets();
  });

  it("passes what it cannot read by", () => {
    const { onMessage } = opened();
    FakeSocket.last.seats();
    FakeSocket.last.onmessage?.({ data: '{"type":"dance"}' });
    FakeSocket.last.onmessage?.({ data: new ArrayBuffer(1) });
    expect(onMessage).toHaveBeenCalledTimes(1);
  });
});

describe("a dropped socket", () => {
  it("comes back at once with its token, and is seated without a new page", () => {
    const { socket, onState } = seated();
    FakeSocket.last.closes(1006);
    expect(onState).toHaveBeenLastCalledWith("reconnecting");
    vi.advanceTimersByTime(0);
    FakeSocket.last.seats({ resumed: true, resume: "token 2" });
    expect(FakeSocket.last.sent[1]).toEqual({ type: "join", resume: "token", takeover: false });
    expect(socket.state).toBe("joined");
  });

  it("uses the newest token", () => {
    seated();
    for (const token of ["token", "token 2"]) {
      FakeSocket.last.closes(1006);
      vi.advanceTimersByTime(0);
      FakeSocket.last.seats({ resume: "token 2" });
      expect(FakeSocket.last.sent[1]).toMatchObject({ resume: token });
    }
  });

  it("waits 0, 300, 1200, 2700, 4800 and then 7000 ms", async () => {
    seated();
    FakeSocket.last.closes(1006);
    for (const delay of [0, 300, 1200, 2700, 4800, 7000, 7000]) {
      const before = FakeSocket.all.length;
      await vi.advanceTimersByTimeAsync(Math.max(0, delay - 1));
      expect(FakeSocket.all.length).toBe(delay === 0 ? before + 1 : before);
      await vi.advanceTimersByTimeAsync(1);
      expect(FakeSocket.all.length).toBe(before + 1);
      FakeSocket.last.closes(1006);
      await vi.advanceTimersByTimeAsync(0);
    }
  });

  it("starts over with the delays once it was seated again", () => {
    seated();
    FakeSocket.last.closes(1006);
    vi.advanceTimersByTime(0);
    FakeSocket.last.seats({ resumed: true });
    FakeSocket.last.closes(1006);
    const before = FakeSocket.all.length;
    vi.advanceTimersByTime(0);
    expect(FakeSocket.all.length).toBe(before + 1);
  });

  it("spreads its return when the daemon goes away", () => {
    seated({ random: () => 0.5 });
    FakeSocket.last.closes(1001);
    vi.advanceTimersByTime(749);
    expect(FakeSocket.all).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(FakeSocket.all).toHaveLength(2);
  });

  it("takes its time when it read too slowly", () => {
    seated();
    FakeSocket.last.closes(1013);
    vi.advanceTimersByTime(1199);
    expect(FakeSocket.all).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(FakeSocket.all).toHaveLength(2);
  });

  it("gives up an attempt that nobody answers", async () => {
    seated();
    FakeSocket.last.closes(1006);
    vi.advanceTimersByTime(0);
    const hanging = FakeSocket.last;
    await vi.advanceTimersByTimeAsync(10_000 + 300);
    expect(hanging.readyState).toBe(3);
    expect(FakeSocket.last).not.toBe(hanging);
  });

  it.each([
    ["offline", 0],
    ["online", 750],
  ])("is not trusted over a network that went %s, and comes back after %i ms", (event, delay) => {
    const { onState } = seated();
    const before = FakeSocket.last;
    dispatchEvent(new Event(event));
    expect(before.readyState).toBe(3);
    expect(onState).toHaveBeenLastCalledWith("reconnecting");
    if (delay > 0) vi.advanceTimersByTime(delay - 1);
    if (delay > 0) expect(FakeSocket.last).toBe(before);
    vi.advanceTimersByTime(delay > 0 ? 1 : 0);
    expect(FakeSocket.last).not.toBe(before);
  });
});

describe("a refused socket", () => {
  it.each([
    ["room_ended", { kind: "room_ended", reason: null }],
    ["signed_out", { kind: "signed_out" }],
    ["not_found", { kind: "not_found" }],
  ] as const)("asks the API why, and ends when it says %s", async (result, end) => {
    const { onEnd } = opened({ probe: () => Promise.resolve(result) });
    FakeSocket.last.closes(1006);
    await vi.advanceTimersByTimeAsync(0);
    expect(onEnd).toHaveBeenCalledExactlyOnceWith(end);
    expectNoMoreSockets();
  });

  it.each(["standing", "unreachable"] as const)("tries again when the room is %s", async (result) => {
    const { onEnd } = opened({ probe: () => Promise.resolve(result) });
    FakeSocket.last.closes(1006);
    await vi.advanceTimersByTimeAsync(0);
    expect(FakeSocket.all).toHaveLength(2);
    expect(onEnd).not.toHaveBeenCalled();
  });
});

describe("close codes", () => {
  it.each([
    [1000, "left"],
    [1008, "policy_violation"],
    [1009, "message_too_big"],
    [4001, "signed_out"],
    [4002, "replaced"],
    [4003, "kicked"],
    [4004, "version_unsupported"],
    [4005, "denied"],
  ] as const)("end the call for good with %i", (code, kind) => {
    const { onEnd, socket } = seated();
    FakeSocket.last.closes(code);
    expect(onEnd).toHaveBeenCalledExactlyOnceWith({ kind });
    expect(socket.state).toBe("closed");
    expectNoMoreSockets();
  });

  it("tell who ended the room", () => {
    const { onEnd } = seated();
    FakeSocket.last.says({ type: "ended", reason: "ended_by_staff" });
    FakeSocket.last.closes(4000);
    expect(onEnd).toHaveBeenCalledExactlyOnceWith({ kind: "room_ended", reason: "ended_by_staff" });
  });
});

describe("the lobby", () => {
  it("is waited in for as long as it takes, on one socket", () => {
    const { socket, onMessage } = opened();
    FakeSocket.last.waits();
    expect(socket.state).toBe("waiting");
    expectNoMoreSockets();
    FakeSocket.last.says({ type: "waiting", you: GUEST, reason: "not_admitted" });
    expect(onMessage).toHaveBeenCalledTimes(2);
    FakeSocket.last.says(SEATED);
    expect(socket.state).toBe("joined");
  });

  it("takes nothing but a leave", () => {
    const { socket } = opened();
    FakeSocket.last.waits();
    socket.send({ type: "media", microphone: true, camera: true, screen: null });
    expect(FakeSocket.last.sent.at(-1)).toMatchObject({ type: "join" });
    socket.leave();
    expect(FakeSocket.last.sent.at(-1)).toEqual({ type: "leave" });
  });

  it("is asked for again when the socket drops, without the token of a seat that is gone", () => {
    const { socket } = seated();
    FakeSocket.last.says({ type: "waiting", you: GUEST, reason: "no_staff" });
    FakeSocket.last.closes(1006);
    expect(socket.state).toBe("reconnecting");
    vi.advanceTimersByTime(0);
    FakeSocket.last.waits();
    expect(FakeSocket.last.sent[1]).toEqual({ type: "join", takeover: false });
    expect(socket.state).toBe("waiting");
  });
});

describe("leaving", () => {
  it("says so, and is heard of no more", () => {
    const { socket, onEnd } = seated();
    socket.leave();
    expect(FakeSocket.last.sent.at(-1)).toEqual({ type: "leave" });
    expect(FakeSocket.last.readyState).toBe(3);
    expect(onEnd).not.toHaveBeenCalled();
    expectNoMoreSockets();
  });

  it("stops a return that was under way", () => {
    const { socket } = seated();
    FakeSocket.last.closes(1006);
    socket.dispose();
    expectNoMoreSockets();
  });
});

const GUEST = { participant_id: "me", display_name: "Gil Guest", role: "guest" } as const;
const SEATED = { type: "joined", resumed: false, resume: "token", you: GUEST, moderator: false, locked: false, peers: [] } as const;

function opened(options: Partial<SocketOptions> = {}) {
  const events = { onState: vi.fn(), onMessage: vi.fn(), onEnd: vi.fn() } satisfies SocketEvents;
  const probe = () => Promise.resolve<ProbeResult>("standing");
  // 0.5 is the middle of the jitter: the delays of the table exactly.
  const socket = new SignalingSocket({ url: "/ws", takeover: false, probe, random: () => 0.5, ...options }, events);
  socket.open();
  return { socket, ...events };
}

function seated(options: Partial<SocketOptions> = {}) {
  const parts = opened(options);
  FakeSocket.last.seats();
  return parts;
}

function expectNoMoreSockets(): void {
  const before = FakeSocket.all.length;
  vi.advanceTimersByTime(60_000);
  expect(FakeSocket.all).toHaveLength(before);
}
