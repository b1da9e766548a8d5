import { expect, it } from "vitest";

import type { SocketState } from "../signaling/socket";
import type { PeerConnectionState } from "./peer";
import { callStatus } from "./status";

it.each<[SocketState, PeerConnectionState[], string]>([
  ["opening", [], "loading"],
  ["waiting", [], "lobby"],
  ["joined", [], "waiting"],
  ["joined", ["connecting"], "connecting"],
  ["joined", ["connected"], "connected"],
  ["joined", ["connected", "connecting"], "connected"],
  ["joined", ["connected", "reconnecting"], "reconnecting"],
  ["joined", ["failed", "connected"], "reconnecting"],
  ["joined", ["failed"], "failed"],
  ["joined", ["failed", "failed"], "failed"],
  ["reconnecting", ["connected"], "reconnecting"],
  ["closed", [], "ended"],
])("with the socket %s and peers %j the call is %s", (socket, peers, status) => {
  expect(callStatus(socket, peers)).toBe(status);
});
