import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { parseServerMessage } from "./parse";
import { type ClientMessage, closeReason } from "./signal";

const GUEST = "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c";
const FIXTURES = join(import.meta.dirname, "../../../tests/fixtures/signal");

describe("server messages", () => {
  it.each(fixtures("server"))("reads the fixture %s whole", (_name, text) => {
    expect(parseServerMessage(text)).toEqual(JSON.parse(text));
  });

  it("has a fixture for every type", () => {
    const types = new Set(fixtures("server").map(([, text]) => parseServerMessage(text).type));
    expect([...types].sort()).toEqual(
      [
        "answer",
        "candidate",
        "ended",
        "error",
        "joined",
        "lobby",
        "locked",
        "media",
        "moderator",
        "offer",
        "peer_joined",
        "peer_left",
        "peer_status",
        "waiting",
        "welcome",
      ],
    );
  });

  it.each([
    ["no JSON", "{"],
    ["no object", "[]"],
    ["no type", "{}"],
    ["an unknown type", '{"type":"dance"}'],
    ["a type that every object knows", '{"type":"constructor"}'],
    ["a missing field", '{"type":"welcome"}'],
    ["a field of another kind", '{"type":"ended","reason":7}'],
    ["an unknown reason", '{"type":"ended","reason":"boredom"}'],
  ])("refuses %s", (_name, text) => {
    expect(() => parseServerMessage(text)).toThrow();
  });

  it("leaves behind fields it does not know", () => {
    expect(parseServerMessage('{"type":"welcome","version":1,"colour":"blue"}')).toEqual({ type: "welcome", version: 1 });
  });
});

describe("client messages", () => {
  const peer = "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";
  const sdp = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";
  const messages: Record<string, ClientMessage> = {
    "hello.json": { type: "hello", versions: [1] },
    "join.json": { type: "join", takeover: false },
    "join-resume.json": { type: "join", resume: "5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e", takeover: false },
    "join-takeover.json": { type: "join", takeover: true },
    "offer.json": { type: "offer", to: peer, epoch: 2, sdp },
    "answer.json": { type: "answer", to: peer, epoch: 2, sdp },
    "candidate.json": {
      type: "candidate",
      to: peer,
      epoch: 2,
      candidate: {
        candidate: "candidate:1 1 udp 2122260223 203.0.113.7 54321 typ host",
        sdpMid: "0",
        sdpMLineIndex: 0,
        usernameFragment: "abcd",
      },
    },
    "candidate-end.json": { type: "candidate", to: peer, epoch: 2, candidate: null },
    "media.json": { type: "media", microphone: true, camera: false, screen: "2" },
    "leave.json": { type: "leave" },
    "admit.json": { type: "admit", participant_id: GUEST },
    "deny.json": { type: "deny", participant_id: GUEST },
    "kick.json": { type: "kick", participant_id: "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b" },
    "lock.json": { type: "lock", locked: true },
    "moderate.json": { type: "moderate", participant_id: GUEST, moderator: true },
    "end.json": { type: "end" },
  };

  it.each(fixtures("client"))("says the fixture %s in the same words", (name, text) => {
    expect(messages[name]).toEqual(JSON.parse(text));
  });

  it("has a fixture for every message", () => {
    expect(Object.keys(messages).sort()).toEqual(fixtures("client").map(([name]) => name));
  });
});

describe("close codes", () => {
  it.each([1001, 1006, 1013, 4999])("comes back after %i", (code) => {
    expect(closeReason(code)).toBeUndefined();
  });

  it("knows the ones that end a call", () => {
    expect([1000, 1008, 1009, 4000, 4001, 4002, 4003, 4004, 4005].map(closeReason)).toEqual([
      "left",
      "policy_violation",
      "message_too_big",
      "room_ended",
      "signed_out",
      "replaced",
      "kicked",
      "version_unsupported",
      "denied",
    ]);
  });
});

function fixtures(side: "client" | "server"): [name: string, text: string][] {
  const folder = join(FIXTURES, side);
  return readdirSync(folder)
    .sort()
    .map((name) => [name, readFileSync(join(folder, name), "utf8")]);
}
