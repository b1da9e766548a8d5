import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { connection, device, grant, joined, only, peer, rejoin, resumes, sent, setUpCalls, settle, tearDownCalls } from "../testing/calls";
import { FakeConnection } from "../testing/fakeConnection";
import { FakeSocket } from "../testing/fakeSocket";

beforeEach(setUpCalls);
afterEach(tearDownCalls);

describe("the roster", () => {
  it("waits alone", () => {
    expect(joined().call.snapshot()).toMatchObject({ status: "waiting", peers: [], end: null });
  });

  it("offers three m-lines to those it is impolite to", async () => {
    joined([peer({ polite: false })]);
    await settle();
    expect(connection().getTransceivers().map(({ direction }) => direction)).toEqual(["sendrecv", "sendrecv", "sendrecv"]);
    expect(sent("offer")).toMatchObject([{ to: "mara", epoch: 2 }]);
  });

  it("waits for the offer of those it is polite to, and answers every line in both directions", async () => {
    const { media } = joined([peer()]);
    media.set({ ...media.snapshot(), camera: device("a camera") });
    FakeSocket.last.says({ type: "offer", from: "mara", epoch: 2, sdp: "offer ufrag:x" });
    await settle();
    expect(sent("answer")).toHaveLength(1);
    expect(connection().getTransceivers().map(({ direction, sender }) => [direction, sender.track])).toEqual([
      ["sendrecv", null],
      ["sendrecv", "a camera"],
      ["sendrecv", null],
    ]);
  });

  it("shows each peer's picture, voice and screen as they come", async () => {
    const { call } = joined([peer()]);
    FakeSocket.last.says({ type: "offer", from: "mara", epoch: 2, sdp: "offer ufrag:x" });
    await settle();
    const { streams } = only(call);
    expect([streams.microphone, streams.camera, streams.screen]).not.toContain(null);
  });

  it("drops messages of another epoch", async () => {
    joined([peer()]);
    FakeSocket.last.says({ type: "offer", from: "mara", epoch: 1, sdp: "offer ufrag:x" });
    FakeSocket.last.says({ type: "offer", from: "nobody", epoch: 2, sdp: "offer ufrag:x" });
    await settle();
    expect(sent("answer")).toEqual([]);
  });

  it("builds a new connection for a seat taken anew, and closes the old one", () => {
    const { call } = joined([peer()]);
    FakeSocket.last.says({ type: "peer_joined", peer: peer({ epoch: 3 }) });
    expect(FakeConnection.all.map(({ signalingState }) => signalingState)).toEqual(["closed", "stable"]);
    expect(call.snapshot().peers).toHaveLength(1);
  });

  it("closes the connection of somebody who left", () => {
    const { call } = joined([peer()]);
    FakeSocket.last.says({ type: "peer_left", participant_id: "mara", reason: "left" });
    expect(connection().signalingState).toBe("closed");
    expect(call.snapshot().status).toBe("waiting");
  });

  it("holds several peers at once", () => {
    const { call } = joined([peer(), peer({ participant_id: "ada" })]);
    FakeSocket.last.says({ type: "media", from: "ada", microphone: false, camera: false, screen: "2" });
    expect(call.snapshot().peers.map(({ media }) => media.screen)).toEqual([null, "2"]);
    expect(FakeConnection.all).toHaveLength(2);
  });
});

describe("a dropped socket", () => {
  it("leaves the connections alone when the seat was kept", () => {
    const { call } = joined([peer()]);
    connection().become("connected", "connected");
    FakeSocket.last.closes(1006);
    expect(call.snapshot()).toMatchObject({ status: "reconnecting", socketLost: true });
    resumes([peer()]);
    vi.advanceTimersByTime(1_000);
    expect(FakeConnection.all).toHaveLength(1);
    expect(call.snapshot()).toMatchObject({ status: "connected", socketLost: false });
  });

  it("builds every connection anew when the seat was lost", () => {
    joined([peer()]);
    FakeSocket.last.closes(1006);
    resumes([peer({ epoch: 5 })], false);
    expect(FakeConnection.all.map(({ signalingState }) => signalingState)).toEqual(["closed", "stable"]);
  });

  it("says an offer again that has no answer yet", async () => {
    joined([peer({ polite: false })]);
    await settle();
    FakeSocket.last.closes(1006);
    resumes([peer({ polite: false })]);
    await settle(300);
    expect(sent("offer")).toHaveLength(1);
  });

  it("says an offer again to a peer whose socket came back", async () => {
    joined([peer({ polite: false })]);
    await settle();
    FakeSocket.last.says({ type: "peer_status", participant_id: "mara", connected: false });
    FakeSocket.last.says({ type: "peer_status", participant_id: "mara", connected: true });
    await settle();
    expect(sent("offer")).toHaveLength(2);
  });

  it("builds one connection for a peer who came anew meanwhile, told by roster and by what waited", () => {
    joined([peer()]);
    FakeSocket.last.closes(1006);
    resumes([peer({ epoch: 4 })]);
    FakeSocket.last.says({ type: "peer_left", participant_id: "mara", reason: "left" });
    FakeSocket.last.says({ type: "peer_joined", peer: peer({ epoch: 4 }) });
    vi.advanceTimersByTime(1_000);
    expect(FakeConnection.all.map(({ signalingState }) => signalingState)).toEqual(["closed", "stable"]);
  });

  it("believes the roster where what was said got lost", () => {
    const { call } = joined([]);
    FakeSocket.last.closes(1006);
    resumes([peer({ epoch: 4 })]);
    vi.advanceTimersByTime(1_000);
    expect(call.snapshot().peers).toHaveLength(1);
  });

  it("seats a peer of the roster as soon as it speaks", async () => {
    joined([]);
    FakeSocket.last.closes(1006);
    resumes([peer({ epoch: 4 })]);
    FakeSocket.last.says({ type: "offer", from: "mara", epoch: 4, sdp: "offer ufrag:x" });
    await settle();
    expect(sent("answer")).toMatchObject([{ to: "mara", epoch: 4 }]);
  });
});

describe("own media", () => {
  it("is told with every seat, and whenever it changes", () => {
    const { media } = joined([peer()]);
    media.set({ ...media.snapshot(), microphone: device("a microphone") });
    media.set({ ...media.snapshot(), screen: {} as MediaStreamTrack });
    expect(sent("media")).toEqual([
      { type: "media", microphone: false, camera: false, screen: null },
      { type: "media", microphone: true, camera: false, screen: null },
      { type: "media", microphone: true, camera: false, screen: "2" },
    ]);
    FakeSocket.last.closes(1006);
    resumes([peer()]);
    expect(sent("media")).toEqual([{ type: "media", microphone: true, camera: false, screen: "2" }]);
  });

  it("is not told again when nothing of it changed for the others", () => {
    const { media } = joined();
    media.set({ ...media.snapshot(), camera: { ...media.snapshot().camera, busy: true } });
    expect(sent("media")).toHaveLength(1);
  });

  it("reaches standing connections without a negotiation", async () => {
    const { media } = joined([peer({ polite: false })]);
    await settle();
    media.set({ ...media.snapshot(), camera: device("a camera") });
    await settle();
    expect(connection().getTransceivers()[1]?.sender.track).toBe("a camera");
    expect(sent("offer")).toHaveLength(1);
  });
});

describe("a lost path", () => {
  it("is restarted with fresh ICE servers", async () => {
    joined([peer({ polite: false })]);
    await settle();
    FakeSocket.last.says({ type: "answer", from: "mara", epoch: 2, sdp: "answer ufrag:x" });
    await settle();
    connection().become("failed", "failed");
    await settle();
    expect(connection().configurations.at(-1)?.iceServers).toEqual(grant("fresh").ice_servers);
    expect(sent("offer")).toHaveLength(2);
  });

  it("is restarted with the old servers when the API does not answer", async () => {
    rejoin.mockRejectedValue(new Error("unreachable"));
    joined([peer({ polite: false })]);
    await settle();
    connection().become("failed", "failed");
    await settle();
    expect(connection().configurations.at(-1)?.iceServers).toEqual(grant("first").ice_servers);
  });

  it("is called failed after two restarts in vain, and connected again as soon as it is", async () => {
    const { call } = joined([peer({ polite: false })]);
    connection().become("failed", "failed");
    expect(call.snapshot().status).toBe("reconnecting");
    await settle(10_001);
    FakeSocket.last.seats({ resumed: true, peers: [peer({ polite: false })] });
    await settle(10_000);
    expect(call.snapshot().status).toBe("failed");
    connection().become("connected", "connected");
    expect(call.snapshot().status).toBe("connected");
  });
});

describe("moderation", () => {
  const gil = { participant_id: "gil", display_name: "Gil Guest", role: "guest" } as const;

  it("shows moderators who waits, and takes the list away with the role", () => {
    const { call } = joined([peer()]);
    FakeSocket.last.says({ type: "moderator", participant_id: "me", moderator: true });
    FakeSocket.last.says({ type: "lobby", waiting: [gil] });
    expect(call.snapshot()).toMatchObject({ moderator: true, lobby: [gil] });
    FakeSocket.last.says({ type: "moderator", participant_id: "me", moderator: false });
    expect(call.snapshot()).toMatchObject({ moderator: false, lobby: [] });
  });

  it("knows who else moderates, and whether the room is locked", () => {
    const { call } = joined([peer()]);
    FakeSocket.last.says({ type: "moderator", participant_id: "mara", moderator: false });
    FakeSocket.last.says({ type: "locked", locked: true });
    expect(only(call).moderator).toBe(false);
    expect(call.snapshot().locked).toBe(true);
  });

  it("believes the room after a resume: a list of who waits that is not told again is empty", () => {
    const { call } = joined([peer()]);
    FakeSocket.last.says({ type: "moderator", participant_id: "me", moderator: true });
    FakeSocket.last.says({ type: "lobby", waiting: [gil] });
    FakeSocket.last.closes(1006);
    vi.advanceTimersByTime(0);
    FakeSocket.last.seats({ resumed: true, moderator: true, locked: true, peers: [peer({ moderator: false })] });
    expect(call.snapshot()).toMatchObject({ moderator: true, locked: true, lobby: [] });
    expect(only(call).moderator).toBe(false);
  });

  it("is said in the words of the wire", () => {
    const { call } = joined([peer()]);
    const before = FakeSocket.last.sent.length;
    call.admit("gil");
    call.deny("gil");
    call.kick("mara");
    call.lock(true);
    call.moderate("mara", false);
    expect(call.endForEveryone()).toBe(true);
    expect(FakeSocket.last.sent.slice(before)).toEqual([
      { type: "admit", participant_id: "gil" },
      { type: "deny", participant_id: "gil" },
      { type: "kick", participant_id: "mara" },
      { type: "lock", locked: true },
      { type: "moderate", participant_id: "mara", moderator: false },
      { type: "end" },
    ]);
  });

  it("is told when the room is full, and goes on", () => {
    const { call } = joined([peer()]);
    call.admit("gil");
    FakeSocket.last.says({ type: "error", code: "room_full", message: "" });
    expect(call.snapshot()).toMatchObject({ refused: "room_full", end: null });
    FakeSocket.last.says({ type: "peer_left", participant_id: "mara", reason: "left" });
    expect(call.snapshot().refused).toBe(null);
  });

  it("leaves the end to the API while the socket is down", () => {
    const { call } = joined([peer()]);
    FakeSocket.last.closes(1006);
    expect(call.endForEveryone()).toBe(false);
  });

  it.each([
    [4003, "kicked"],
    [4005, "denied"],
  ] as const)("may end a call with %i: %s", (code, kind) => {
    const { call } = joined([peer()]);
    FakeSocket.last.closes(code);
    expect(call.snapshot()).toMatchObject({ status: "ended", peers: [], end: { kind } });
    expect(connection().signalingState).toBe("closed");
  });
});

describe("the end", () => {
  it("closes every connection and says why", () => {
    const { call } = joined([peer()]);
    FakeSocket.last.says({ type: "ended", reason: "ended_by_staff" });
    FakeSocket.last.closes(4000);
    expect(call.snapshot()).toMatchObject({ status: "ended", peers: [], end: { kind: "room_ended", reason: "ended_by_staff" } });
    expect(connection().signalingState).toBe("closed");
  });

  it("is also one's own leave", () => {
    const { call } = joined([peer()]);
    call.leave();
    expect(sent("leave")).toHaveLength(1);
    expect(call.snapshot()).toMatchObject({ status: "ended", end: { kind: "left" } });
  });

  it("leaves no timer behind", () => {
    const { call } = joined([peer()]);
    call.dispose();
    expect(vi.getTimerCount()).toBe(0);
  });
});
