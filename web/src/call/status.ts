import type { SocketState } from "../signaling/socket";
import type { PeerConnectionState } from "./peer";

/** `lobby`: not let in yet; `waiting`: alone. */
export type CallStatus = "loading" | "lobby" | "waiting" | "connecting" | "connected" | "reconnecting" | "failed" | "ended";

/** One word for the whole call: the worst news that matters. */
export function callStatus(socket: SocketState, peers: readonly PeerConnectionState[]): CallStatus {
  switch (socket) {
    case "closed":
      return "ended";
    case "opening":
      return "loading";
    case "waiting":
      return "lobby";
    case "reconnecting":
      return "reconnecting";
    case "joined":
      if (peers.length === 0) return "waiting";
      if (peers.every((peer) => peer === "failed")) return "failed";
      if (peers.includes("reconnecting") || peers.includes("failed")) return "reconnecting";
      return peers.includes("connected") ? "connected" : "connecting";
  }
}
