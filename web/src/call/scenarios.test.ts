// What goes wrong in schools, from the page's side. The wire and the room have their own tests in the daemon.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { JoinGrant } from "../protocol/resources";
import { connection, grant, joined, only, opened, peer, rejoin, sent, setUpCalls, settle, tearDownCalls } from "../testing/calls";
import { FakeConnection } from "../testing/fakeConnection";
import { FakeSocket } from "../testing/fakeSocket";
import { forgetReload, type ReloadMemory, reloadOnce } from "./reload";

beforeEach(setUpCalls);
afterEach(tearDownCalls);

describe("a duplicate tab", () => {
  it("takes the seat once, when told to, and never by itself", () => {
    opened({ takeover: true });
    FakeSocket.last.seats();
    expect(sent("join")).toEqual([{ type: "join", takeover: true }]);
    FakeSocket.last.says({ type: "waiting", you: ME, reason: "no_staff" });
    FakeSocket.last.closes(1006);
    vi.advanceTimersByTime(0);
    FakeSocket.last.waits();
    expect(sent("join")).toEqual([{ type: "join", takeover: false }]);
  });

  it("whose seat was taken stays out, whatever happens to the network", () => {
    const { call } = joined([peer()]);
    FakeSocket.last.closes(4002);
    expect(call.snapshot()).toMatchObject({ status: "ended", end: { kind: "replaced" } });
    vi.setSystemTime(Date.now() + 3_600_000);
    vi.advanceTimersByTime(3_600_000);
    expect(FakeSocket.all).toHaveLength(1);
  });

  it("that finds the seat taken after a drop asks instead of kicking", () => {
    const { call } = joined([peer()]);
    FakeSocket.last.closes(1006);
    vi.advanceTimersByTime(0);
    FakeSocket.last.opens();
    FakeSocket.last.says({ type: "welcome", version: 2 });
    FakeSocket.last.says({ type: "error", code: "seat_taken", message: "" });
    expect(call.snapshot().end).toEqual({ kind: "seat_taken" });
    vi.advanceTimersByTime(60_000);
    expect(FakeSocket.all).toHaveLength(2);
  });
});

describe("glare", () => {
  it("makes the polite side answer the offer that crossed its own, on the same connection", async () => {
    joined([peer({ polite: true })]);
    await settle();
    FakeSocket.last.says({ type: "offer", from: "mara", epoch: 2, sdp: "a=ice-ufrag:1" });
    await settle();
    FakeSocket.last.says({ type: "answer", from: "mara", epoch: 2, sdp: "a=ice-ufrag:1" });
    connection().restartIce();
    await settle();
    expect(connection().signalingState).toBe("have-local-offer");
    FakeSocket.last.says({ type: "offer", from: "mara", epoch: 2, sdp: "a=ice-ufrag:2" });
    await settle();
    expect(sent("answer")).toHaveLength(2);
    expect(FakeConnection.all).toHaveLength(1);
  });

  it("makes the impolite side ignore it, and settle on its own", async () => {
    joined([peer({ polite: false })]);
    await settle();
    FakeSocket.last.says({ type: "offer", from: "mara", epoch: 2, sdp: "a=ice-ufrag:1" });
    await settle();
    expect(sent("answer")).toEqual([]);
    FakeSocket.last.says({ type: "answer", from: "mara", epoch: 2, sdp: "a=ice-ufrag:2" });
    await settle();
    expect(connection().signalingState).toBe("stable");
  });
});

describe("a Wi-Fi drop's ghost", () => {
  it("is one tile that says the peer is away, and then again that peer", () => {
    const { call } = joined([peer()]);
    FakeSocket.last.says({ type: "peer_status", participant_id: "mara", connected: false });
    expect(only(call).attached).toBe(false);
    FakeSocket.last.says({ type: "peer_joined", peer: peer({ epoch: 3 }) });
    expect(call.snapshot().peers.map(({ attached }) => attached)).toEqual([true]);
    FakeSocket.last.says({ type: "peer_joined", peer: peer({ epoch: 3 }) });
    expect(call.snapshot().peers).toHaveLength(1);
  });

  it("is gone when its grace is over", () => {
    const { call } = joined([peer()]);
    FakeSocket.last.says({ type: "peer_status", participant_id: "mara", connected: false });
    FakeSocket.last.says({ type: "peer_left", participant_id: "mara", reason: "timeout" });
    expect(call.snapshot()).toMatchObject({ peers: [], status: "waiting" });
  });
});

describe("a restart of the daemon in mid-call", () => {
  it("brings the page back after a random wait, and leaves media that pass by the relay alone", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    joined([peer({ polite: false })]);
    await answered();
    FakeSocket.last.closes(1001);
    await vi.advanceTimersByTimeAsync(749);
    expect(FakeSocket.all).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(FakeSocket.all).toHaveLength(2);
    FakeSocket.last.seats({ resumed: true, peers: [peer({ polite: false })] });
    await settle(10_000);
    expect(sent("offer")).toEqual([]);
    expect(FakeConnection.all).toHaveLength(1);
  });

  it("has relayed media find a new way within 10 s, with fresh credentials", async () => {
    const { call } = joined([peer({ polite: false })]);
    connection().relayed = true;
    await answered();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(only(call).relayed).toBe(true);
    FakeSocket.last.closes(1001);
    await vi.advanceTimersByTimeAsync(1_500);
    FakeSocket.last.seats({ resumed: true, peers: [peer({ polite: false })] });
    await settle(1_500);
    expect(connection().configurations.at(-1)?.iceServers).toEqual(grant("fresh").ice_servers);
    expect(sent("offer")).toHaveLength(1);
  });
});

describe("a laptop that wakes", () => {
  it("drops its stale socket, and a stale resume becomes a clean rejoin", async () => {
    const { call } = joined([peer()]);
    const stale = FakeSocket.last;
    await sleeps(3_600_000);
    expect(stale.readyState).toBe(3);
    FakeSocket.last.seats({ resumed: false, peers: [peer({ epoch: 9 })] });
    await settle();
    expect(FakeConnection.all.map(({ signalingState }) => signalingState)).toEqual(["closed", "stable"]);
    expect(call.snapshot()).toMatchObject({ socketLost: false, peers: [{ connection: "connecting" }] });
  });

  it("sends no burst of what was asked while it was away", async () => {
    const { call, media } = joined([peer()]);
    await sleeps(600_000);
    const toggle = (on: boolean) => media.set({ ...media.snapshot(), microphone: { ...media.snapshot().microphone, on } });
    for (let turn = 0; turn < 20; turn += 1) {
      toggle(turn % 2 === 0);
      call.lock(true);
      call.kick("mara");
      call.admit("gil");
    }
    FakeSocket.last.seats({ resumed: false, moderator: true, peers: [peer({ epoch: 9 })] });
    await settle(60_000);
    expect(FakeSocket.last.sent.map(({ type }) => type)).toEqual(["hello", "join", "media"]);
  });

  it("is no laptop that was merely slow", async () => {
    joined([peer()]);
    await sleeps(30_000);
    expect(FakeSocket.all).toHaveLength(1);
  });
});

describe("ICE before the offer", () => {
  it("is kept, and used when its offer comes", async () => {
    joined([peer()]);
    candidate("x", "early");
    FakeSocket.last.says({ type: "offer", from: "mara", epoch: 2, sdp: "a=ice-ufrag:x" });
    await settle();
    expect(connection().candidates).toEqual(["early"]);
  });

  it("of another epoch or another negotiation is discarded", async () => {
    joined([peer()]);
    candidate("x", "older seat", 1);
    candidate("w", "older negotiation");
    candidate("x", "this one");
    FakeSocket.last.says({ type: "offer", from: "mara", epoch: 2, sdp: "a=ice-ufrag:x" });
    await settle();
    FakeSocket.last.says({ type: "offer", from: "mara", epoch: 2, sdp: "a=ice-ufrag:w" });
    await settle();
    expect(connection().candidates).toEqual(["this one"]);
  });

  it("is bounded", async () => {
    joined([peer()]);
    for (let count = 0; count < 1_000; count += 1) candidate("x", String(count));
    FakeSocket.last.says({ type: "offer", from: "mara", epoch: 2, sdp: "a=ice-ufrag:x" });
    await settle();
    await settle();
    expect(connection().candidates).toHaveLength(100);
  });
});

describe("version skew", () => {
  it("ends the call with 4004, loads the page once, and does not loop", () => {
    const { call } = joined();
    FakeSocket.last.closes(4004);
    expect(call.snapshot().end).toEqual({ kind: "version_unsupported" });
    const memory = new Memory();
    const reload = vi.fn();
    for (let load = 0; load < 5; load += 1) reloadOnce(memory, reload);
    expect(reload).toHaveBeenCalledTimes(1);
  });

  it("loads the page again after the next update, if this one was understood", () => {
    const memory = new Memory();
    const reload = vi.fn();
    reloadOnce(memory, reload);
    forgetReload(memory);
    reloadOnce(memory, reload);
    expect(reload).toHaveBeenCalledTimes(2);
  });
});

describe("the lobby", () => {
  it("asks for credentials before it builds connections, and loses nothing that is said meanwhile", async () => {
    const { call } = opened({ first: STUN_ALONE });
    FakeSocket.last.waits();
    expect(call.snapshot()).toMatchObject({ status: "lobby", waiting: { reason: "no_staff", seatedBefore: false } });
    const answer = heldBack();
    FakeSocket.last.says(seat([peer()]));
    FakeSocket.last.says({ type: "offer", from: "mara", epoch: 2, sdp: "a=ice-ufrag:x" });
    candidate("x", "in order");
    FakeSocket.last.says({ type: "peer_joined", peer: peer({ participant_id: "ada" }) });
    await settle();
    expect(FakeConnection.all).toHaveLength(0);
    answer(grant("seated"));
    await settle();
    expect(FakeConnection.all.map(({ configurations }) => configurations[0]?.iceServers)).toEqual(Array(2).fill(grant("seated").ice_servers));
    expect(FakeConnection.all[0]?.candidates).toEqual(["in order"]);
    expect(call.snapshot()).toMatchObject({ waiting: null, status: "connecting" });
  });

  it("ends every connection when a seat is sent back, and builds new ones with new credentials", async () => {
    const { call } = joined([peer()]);
    FakeSocket.last.says({ type: "waiting", you: ME, reason: "no_staff" });
    expect(connection().signalingState).toBe("closed");
    expect(call.snapshot()).toMatchObject({ status: "lobby", peers: [], waiting: { seatedBefore: true } });
    FakeSocket.last.says(seat([peer({ epoch: 5 })]));
    await settle();
    expect(rejoin).toHaveBeenCalledTimes(1);
    expect(connection().configurations[0]?.iceServers).toEqual(grant("fresh").ice_servers);
  });

  it("stops sharing a screen that nobody sees any more", () => {
    const { media } = joined([peer()]);
    const stopScreen = vi.fn();
    Object.assign(media, { stopScreen });
    FakeSocket.last.says({ type: "waiting", you: ME, reason: "no_staff" });
    expect(stopScreen).not.toHaveBeenCalled();
    media.set({ ...media.snapshot(), screen: {} as MediaStreamTrack });
    FakeSocket.last.says({ type: "waiting", you: ME, reason: "no_staff" });
    expect(stopScreen).toHaveBeenCalledTimes(1);
  });

  it("forgets a seat that was taken away again before its credentials came", async () => {
    opened({ first: STUN_ALONE });
    FakeSocket.last.waits();
    const answer = heldBack();
    FakeSocket.last.says(seat([peer()]));
    FakeSocket.last.says({ type: "waiting", you: ME, reason: "no_staff" });
    answer(grant("late"));
    await settle();
    expect(FakeConnection.all).toHaveLength(0);
  });

  it("seats somebody all the same when the API does not answer", async () => {
    opened({ first: STUN_ALONE });
    FakeSocket.last.waits();
    rejoin.mockRejectedValueOnce(new Error("unreachable"));
    FakeSocket.last.says(seat([peer()]));
    await settle();
    expect(connection().configurations[0]?.iceServers).toEqual(STUN_ALONE.ice_servers);
  });
});

const ME = { participant_id: "me", display_name: "Stu Student", role: "student" } as const;
const STUN_ALONE: JoinGrant = { ...grant("first"), ice_servers: [{ urls: ["stun:box"] }] };

function seat(peers: ReturnType<typeof peer>[]) {
  return { type: "joined", resumed: false, resume: "token", you: ME, moderator: false, locked: false, peers } as const;
}

function candidate(usernameFragment: string, text: string, epoch = 2): void {
  const body = { candidate: text, sdpMid: "0", sdpMLineIndex: 0, usernameFragment };
  FakeSocket.last.says({ type: "candidate", from: "mara", epoch, candidate: body });
}

/** The impolite side's first negotiation, done. */
async function answered(): Promise<void> {
  await settle();
  FakeSocket.last.says({ type: "answer", from: "mara", epoch: 2, sdp: "a=ice-ufrag:1" });
  await settle();
  connection().become("connected", "connected");
}

/** No timer fires meanwhile, and the first that does sees how late it is. */
async function sleeps(milliseconds: number): Promise<void> {
  vi.setSystemTime(Date.now() + milliseconds);
  await vi.advanceTimersByTimeAsync(5_001);
}

/** The next grant comes when the returned function is called. */
function heldBack(): (granted: JoinGrant) => void {
  let answer: (granted: JoinGrant) => void = () => undefined;
  rejoin.mockReturnValueOnce(new Promise((resolve) => (answer = resolve)));
  return (granted) => answer(granted);
}

class Memory implements ReloadMemory {
  readonly #items = new Map<string, string>();

  getItem(key: string): string | null {
    return this.#items.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    this.#items.set(key, value);
  }

  removeItem(key: string): void {
    this.#items.delete(key);
  }
}
