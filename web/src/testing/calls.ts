// A call without a browser: fake sockets and connections below the real `Call`.
import { vi } from "vitest";

import { Call, type CallSnapshot } from "../call/call";
import type { LocalMedia, LocalMediaSnapshot } from "../call/media";
import { Store } from "../call/store";
import type { JoinGrant } from "../protocol/resources";
import type { ClientMessage, RosterPeer } from "../protocol/signal";
import { FakeConnection } from "./fakeConnection";
import { FakeSocket } from "./fakeSocket";

/** The API's next grants. */
export const rejoin = vi.fn<() => Promise<JoinGrant>>();

export function setUpCalls(): void {
  vi.useFakeTimers();
  FakeSocket.all = [];
  FakeConnection.all = [];
  rejoin.mockReset().mockResolvedValue(grant("fresh"));
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("RTCPeerConnection", FakeConnection);
  vi.stubGlobal("MediaStream", FakeStream);
  vi.stubGlobal("addEventListener", vi.fn());
}

export function tearDownCalls(): void {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
}

/** Holds nothing: no media moves here. */
class FakeStream {
  readonly active = true;
}

export function opened({ first = grant("first"), takeover = false } = {}) {
  const media = new Store<LocalMediaSnapshot>({ microphone: device(null), camera: device(null), screen: null, screenProblem: null });
  const gateway = { rejoin, probe: () => Promise.resolve("standing" as const) };
  const call = new Call({ grant: first, takeover, media: media as unknown as LocalMedia, gateway });
  return { call, media };
}

export function joined(peers: readonly RosterPeer[] = []) {
  const parts = opened();
  FakeSocket.last.seats({ peers });
  return parts;
}

export function resumes(peers: readonly RosterPeer[], resumed = true): void {
  vi.advanceTimersByTime(0);
  FakeSocket.last.seats({ resumed, peers });
}

export function peer(change: Partial<RosterPeer> = {}): RosterPeer {
  const media = { microphone: true, camera: true, screen: null };
  return { participant_id: "mara", display_name: "Mara Mentor", role: "mentor", polite: true, epoch: 2, connected: true, moderator: true, media, ...change };
}

export function device(track: string | null): LocalMediaSnapshot["camera"] {
  const held = track as unknown as MediaStreamTrack | null;
  return { track: held, on: track !== null, busy: false, problem: null, choices: [], deviceId: null };
}

export function grant(server: string): JoinGrant {
  return {
    room: { id: "room", session_id: "session", status: "waiting", created_at: "", started_at: null, ended_at: null, participants: [] },
    participant: { participant_id: "me", display_name: "Stu Student", role: "student" },
    ice_servers: [{ urls: [`turn:${server}`], username: "u", credential: "c" }],
    ice_transport_policy: "all",
    socket_url: "/ws/video-call/room/",
  };
}

export function connection(): FakeConnection {
  const newest = FakeConnection.all.at(-1);
  if (newest === undefined) throw new Error("no connection was made");
  return newest;
}

export function only(call: Call): CallSnapshot["peers"][number] {
  const [first] = call.snapshot().peers;
  if (first === undefined) throw new Error("nobody is there");
  return first;
}

/** What the newest socket carried of one type. */
export function sent(type: ClientMessage["type"]): ClientMessage[] {
  return FakeSocket.last.sent.filter((message) => message.type === type);
}

export async function settle(milliseconds = 0): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await vi.advanceTimersByTimeAsync(turn === 0 ? milliseconds : 0);
}
