// What the HTTP API answers with; `docs/openapi.yaml` is its description.
import { array, asObject, boolean, type Decoder, nullable, oneOf, record, string, wholeNumber } from "./decode";
import { participant, role } from "./parse";
import type { Participant, Role } from "./signal";

export interface User {
  readonly id: string;
  readonly username: string;
  readonly display_name: string;
  readonly role: Role;
}

export interface Person {
  readonly id: string;
  readonly display_name: string;
}

/** Who belongs to a session besides its mentor and its student. */
export interface Member extends Person {
  readonly role: Exclude<Role, "admin">;
}

export type SessionStatus = "requested" | "accepted" | "declined";

export interface MentoringSession {
  readonly id: string;
  readonly topic: string;
  readonly status: SessionStatus;
  readonly mentor: Person;
  readonly student: Person;
  readonly members: readonly Member[];
  readonly requested_at: string;
  readonly answered_at: string | null;
  readonly room: { readonly id: string; readonly status: "waiting" | "active" } | null;
}

/** A link for guests, without its token. */
export interface Invitation {
  readonly id: string;
  readonly session_id: string;
  readonly expires_at: string;
  readonly uses_left: number;
  readonly revoked: boolean;
}

/** As it is shown once: the token is in the link. */
export interface MadeInvitation extends Invitation {
  readonly link: string;
}

/** Who somebody is who followed an invitation, and where it leads. */
export interface Welcome {
  readonly user: User;
  readonly session_id: string;
}

export interface RoomParticipant extends Person {
  readonly role: Role;
  readonly joined_at: string | null;
  readonly left_at: string | null;
  readonly online: boolean;
}

export interface Room {
  readonly id: string;
  readonly session_id: string;
  readonly status: "waiting" | "active" | "ended";
  readonly created_at: string;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  readonly participants: readonly RoomParticipant[];
}

export interface IceServer {
  readonly urls: string[];
  readonly username?: string;
  readonly credential?: string;
}

/** What a person needs to enter a room. */
export interface JoinGrant {
  readonly room: Room;
  readonly participant: Participant;
  readonly ice_servers: readonly IceServer[];
  readonly ice_transport_policy: "all" | "relay";
  readonly socket_url: string;
}

const personFields = { id: string, display_name: string };
const person = record<Person>(personFields);
const userFields = record<User>({ ...personFields, username: string, role });

export const welcome: Decoder<Welcome> = record<Welcome>({ user: userFields, session_id: string });

export const user: Decoder<User> = (value) => record<{ user: User }>({ user: userFields })(value).user;

/** Who is signed in, and whether they must choose a password of their own first. */
export interface Identity {
  readonly user: User;
  readonly one_time_password: boolean;
}

export const identity: Decoder<Identity> = record<Identity>({ user: userFields, one_time_password: boolean });

/** Beside the user; daemons before it was invented, and ones that have nothing to say, leave it out. */
export const warnings: Decoder<readonly string[]> = (value) => {
  const codes = asObject(value)["warnings"];
  return Array.isArray(codes) ? codes.filter((code) => typeof code === "string") : [];
};

export const mentors: Decoder<readonly Person[]> = (value) =>
  record<{ mentors: Person[] }>({ mentors: array(person) })(value).mentors;

export const students: Decoder<readonly Person[]> = (value) =>
  record<{ students: Person[] }>({ students: array(person) })(value).students;

export const session: Decoder<MentoringSession> = record<MentoringSession>({
  id: string,
  topic: string,
  status: oneOf("requested", "accepted", "declined"),
  mentor: person,
  student: person,
  members: array(record<Member>({ ...personFields, role: oneOf("mentor", "student", "guest") })),
  requested_at: string,
  answered_at: nullable(string),
  room: nullable(record<{ id: string; status: "waiting" | "active" }>({ id: string, status: oneOf("waiting", "active") })),
});

export const sessions: Decoder<readonly MentoringSession[]> = (value) =>
  record<{ sessions: MentoringSession[] }>({ sessions: array(session) })(value).sessions;

const invitationFields = { id: string, session_id: string, expires_at: string, uses_left: wholeNumber, revoked: boolean };

export const invitations: Decoder<readonly Invitation[]> = (value) =>
  record<{ invitations: Invitation[] }>({ invitations: array(record<Invitation>(invitationFields)) })(value).invitations;

export const madeInvitation: Decoder<MadeInvitation> = record<MadeInvitation>({ ...invitationFields, link: string });

export const room: Decoder<Room> = record<Room>({
  id: string,
  session_id: string,
  status: oneOf("waiting", "active", "ended"),
  created_at: string,
  started_at: nullable(string),
  ended_at: nullable(string),
  participants: array(
    record<RoomParticipant>({
      ...personFields,
      role,
      joined_at: nullable(string),
      left_at: nullable(string),
      online: boolean,
    }),
  ),
});

const iceServer: Decoder<IceServer> = (value) => {
  const server = record<{ urls: string[]; username: string | undefined; credential: string | undefined }>({
    urls: array(string),
    username: optional(string),
    credential: optional(string),
  })(value);
  const { urls, username, credential } = server;
  return username === undefined || credential === undefined ? { urls } : { urls, username, credential };
};

export const joinGrant: Decoder<JoinGrant> = record<JoinGrant>({
  room,
  participant,
  ice_servers: array(iceServer),
  ice_transport_policy: oneOf("all", "relay"),
  socket_url: string,
});

function optional<T>(decode: Decoder<T>): Decoder<T | undefined> {
  return (value) => (value === undefined ? undefined : decode(value));
}
