// The signaling wire, version 2. `src/proto/signal.md` of the daemon is its prose; both sides test against the same fixtures.

/** One alone: the daemon brings its own page, so an older one has this page loaded anew. */
export const VERSIONS: readonly number[] = [2];

export type Role = "admin" | "mentor" | "student" | "guest";

export interface Media {
  readonly microphone: boolean;
  readonly camera: boolean;
  /** The `mid` of the m-line that carries the shared screen. */
  readonly screen: string | null;
}

export interface Participant {
  readonly participant_id: string;
  readonly display_name: string;
  readonly role: Role;
}

export interface RosterPeer extends Participant {
  /** True if the receiver is the polite side towards this peer; the impolite side makes the first offer. */
  readonly polite: boolean;
  /** Rises whenever either side takes its seat anew. */
  readonly epoch: number;
  readonly connected: boolean;
  /** Whether they moderate the room. */
  readonly moderator: boolean;
  readonly media: Media;
}

export interface IceCandidate {
  readonly candidate: string;
  readonly sdpMid: string | null;
  readonly sdpMLineIndex: number | null;
  readonly usernameFragment: string | null;
}

/** What passes between two peers, without the envelope. */
export type PeerMessage =
  | { readonly type: "offer"; readonly sdp: string }
  | { readonly type: "answer"; readonly sdp: string }
  | { readonly type: "candidate"; readonly candidate: IceCandidate | null };

export type ClientMessage =
  | { readonly type: "hello"; readonly versions: readonly number[] }
  | { readonly type: "join"; readonly resume?: string; readonly takeover: boolean }
  | (PeerMessage & { readonly to: string; readonly epoch: number })
  | ({ readonly type: "media" } & Media)
  | { readonly type: "leave" }
  | { readonly type: "admit" | "deny" | "kick"; readonly participant_id: string }
  | { readonly type: "lock"; readonly locked: boolean }
  | { readonly type: "moderate"; readonly participant_id: string; readonly moderator: boolean }
  | { readonly type: "end" };

export type EndReason = "ended_by_staff" | "empty";
export type LeaveReason = "left" | "timeout" | "kicked" | "unattended";
/** Why somebody waits: no staff is there, or a moderator has to let them in. */
export type WaitReason = "no_staff" | "not_admitted";

export type ErrorCode =
  | "malformed"
  | "version_unsupported"
  | "not_joined"
  | "already_joined"
  | "seat_taken"
  | "room_full"
  | "forbidden"
  | "no_such_peer"
  | "rate_limited";

export interface Joined {
  readonly type: "joined";
  readonly resumed: boolean;
  readonly resume: string;
  readonly you: Participant;
  /** Whether the receiver moderates the room. */
  readonly moderator: boolean;
  readonly locked: boolean;
  readonly peers: readonly RosterPeer[];
}

export type RelayedMessage = PeerMessage & { readonly from: string; readonly epoch: number };

export type ServerMessage =
  | { readonly type: "welcome"; readonly version: number }
  | Joined
  | { readonly type: "waiting"; readonly you: Participant; readonly reason: WaitReason }
  | { readonly type: "lobby"; readonly waiting: readonly Participant[] }
  | { readonly type: "locked"; readonly locked: boolean }
  | { readonly type: "moderator"; readonly participant_id: string; readonly moderator: boolean }
  | { readonly type: "peer_joined"; readonly peer: RosterPeer }
  | { readonly type: "peer_status"; readonly participant_id: string; readonly connected: boolean }
  | { readonly type: "peer_left"; readonly participant_id: string; readonly reason: LeaveReason }
  | RelayedMessage
  | ({ readonly type: "media"; readonly from: string } & Media)
  | { readonly type: "ended"; readonly reason: EndReason }
  | { readonly type: "error"; readonly code: ErrorCode; readonly message: string };

/** Why the server closed a socket; every other code means: come back. */
export const CLOSE_REASONS = {
  1000: "left",
  1008: "policy_violation",
  1009: "message_too_big",
  4000: "room_ended",
  4001: "signed_out",
  4002: "replaced",
  4003: "kicked",
  4004: "version_unsupported",
  4005: "denied",
} as const;

export type CloseReason = (typeof CLOSE_REASONS)[keyof typeof CLOSE_REASONS];

/** The reason of a close code that ends the call; undefined if the page is to come back. */
export function closeReason(code: number): CloseReason | undefined {
  return (CLOSE_REASONS as Readonly<Record<number, CloseReason>>)[code];
}
