// The same signaling in Node with `ws`: node server.mjs PORT CERTIFICATE KEY
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { WebSocketServer } from "ws";

const [port, certificate, key] = process.argv.slice(2);
/** @type {Map<string, Map<string, { socket: import("ws").WebSocket, epoch: number }>>} */
const rooms = new Map();
let epochs = 0;

const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (_, response) => {
  response.writeHead(404).end();
});
const sockets = new WebSocketServer({ server, maxPayload: 64 * 1024 });

sockets.on("connection", (socket, request) => {
  const name = request.url ?? "";
  const me = randomUUID();
  const send = (to, message) => to.send(JSON.stringify(message));
  socket.on("message", (data) => {
    let message;
    try {
      message = JSON.parse(data.toString());
    } catch {
      return send(socket, { type: "error", code: "malformed" });
    }
    switch (message.type) {
      case "hello":
        return send(socket, { type: "welcome", version: 2 });
      case "join": {
        const room = rooms.get(name) ?? new Map();
        rooms.set(name, room);
        const epoch = ++epochs;
        const peers = [...room].map(([participant_id, seat]) => ({ participant_id, epoch: Math.max(epoch, seat.epoch) }));
        for (const { socket: other } of room.values()) send(other, { type: "peer_joined", peer: { participant_id: me, epoch } });
        room.set(me, { socket, epoch });
        return send(socket, { type: "joined", resumed: false, resume: "", you: { participant_id: me }, peers });
      }
      case "offer": {
        const seat = rooms.get(name)?.get(message.to);
        if (!seat) return send(socket, { type: "error", code: "no_such_peer" });
        return send(seat.socket, { type: "offer", from: me, epoch: message.epoch, sdp: message.sdp });
      }
      default:
        return send(socket, { type: "error", code: "malformed" });
    }
  });
  socket.on("close", () => {
    const room = rooms.get(name);
    if (!room?.delete(me)) return;
    for (const { socket: other } of room.values()) send(other, { type: "peer_left", participant_id: me, reason: "left" });
    if (room.size === 0) rooms.delete(name);
  });
  socket.on("error", () => {});
});

server.listen(Number(port), "127.0.0.1");
