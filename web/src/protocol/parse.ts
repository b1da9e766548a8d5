import { array, asObject, boolean, type Decoder, nullable, oneOf, record, string, wholeNumber } from "./decode";
import type {
  EndReason,
  ErrorCode,
  IceCandidate,
  Joined,
  LeaveReason,
  Media,
  Participant,
  Role,
  RosterPeer,
  ServerMessage,
} from "./signal";

/** The message in a frame; throws `DecodeError` (or `SyntaxError`) for anything else. */
export function parseServerMessage(text: string): ServerMessage {
  const value: unknown = JSON.parse(text);
  return MESSAGES[type(asObject(value)["type"])](value);
}

export const role: Decoder<Role> = oneOf("admin", "mentor", "student", "guest");

const mediaFields = { microphone: boolean, camera: boolean, screen: nullable(string) };
const media = record<Media>(mediaFields);
const participantFields = { participant_id: string, display_name: string, role };
export const participant: Decoder<Participant> = record<Participant>(participantFields);
const peer = record<RosterPeer>({ ...participantFields, polite: boolean, epoch: wholeNumber, connected: boolean, moderator: boolean, media });
const candidate = record<IceCandidate>({
  candidate: string,
  sdpMid: nullable(string),
  sdpMLineIndex: nullable(wholeNumber),
  usernameFragment: nullable(string),
});
const relayedFields = { from: string, epoch: wholeNumber };
const endReason: Decoder<EndReason> = oneOf("ended_by_staff", "empty");
const leaveReason: Decoder<LeaveReason> = oneOf("left", "timeout", "kicked", "unattended");
const errorCode: Decoder<ErrorCode> = oneOf(
  "malformed",
  "version_unsupported",
  "not_joined",
  "already_joined",
  "seat_taken",
  "room_full",
  "forbidden",
  "no_such_peer",
  "rate_limited",
);

type Message<T extends ServerMessage["type"]> = Extract<ServerMessage, { readonly type: T }>;

const MESSAGES: { readonly [T in ServerMessage["type"]]: Decoder<Message<T>> } = {
  welcome: record<Message<"welcome">>({ type: oneOf("welcome"), version: wholeNumber }),
  joined: record<Joined>({
    type: oneOf("joined"),
    resumed: boolean,
    resume: string,
    you: participant,
    moderator: boolean,
    locked: boolean,
    peers: array(peer),
  }),
  waiting: record<Message<"waiting">>({ type: oneOf("waiting"), you: participant, reason: oneOf("no_staff", "not_admitted") }),
  lobby: record<Message<"lobby">>({ type: oneOf("lobby"), waiting: array(participant) }),
  locked: record<Message<"locked">>({ type: oneOf("locked"), locked: boolean }),
  moderator: record<Message<"moderator">>({ type: oneOf("moderator"), participant_id: string, moderator: boolean }),
  peer_joined: record<Message<"peer_joined">>({ type: oneOf("peer_joined"), peer }),
  peer_status: record<Message<"peer_status">>({ type: oneOf("peer_status"), participant_id: string, connected: boolean }),
  peer_left: record<Message<"peer_left">>({ type: oneOf("peer_left"), participant_id: string, reason: leaveReason }),
  offer: record<Message<"offer">>({ type: oneOf("offer"), ...relayedFields, sdp: string }),
  answer: record<Message<"answer">>({ type: oneOf("answer"), ...relayedFields, sdp: string }),
  candidate: record<Message<"candidate">>({ type: oneOf("candidate"), ...relayedFields, candidate: nullable(candidate) }),
  media: record<Message<"media">>({ type: oneOf("media"), from: string, ...mediaFields }),
  ended: record<Message<"ended">>({ type: oneOf("ended"), reason: endReason }),
  error: record<Message<"error">>({ type: oneOf("error"), code: errorCode, message: string }),
};

const type = oneOf(...(Object.keys(MESSAGES) as ServerMessage["type"][]));
