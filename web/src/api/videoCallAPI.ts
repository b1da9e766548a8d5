import { type JoinGrant, joinGrant, type Room, room } from "../protocol/resources";
import { get, post } from "./request";

/** `/api/mentoring/video-call/`: the rooms of sessions. */
export const videoCallAPI = {
  /** The standing room of an accepted session, made if there is none. */
  create: (sessionId: string): Promise<Room> => post(`${BASE}/create/`, { session_id: sessionId }, room),
  room: (roomId: string): Promise<Room> => get(`${BASE}/${segment(roomId)}/`, room),
  /** Proves membership; answers role, fresh ICE servers and the socket's address. May be asked again at any time. */
  join: (roomId: string): Promise<JoinGrant> => post(`${BASE}/${segment(roomId)}/join/`, undefined, joinGrant),
  end: (roomId: string): Promise<Room> => post(`${BASE}/${segment(roomId)}/end/`, undefined, room),
  ofSession: (sessionId: string): Promise<Room> => get(`${BASE}/session/${segment(sessionId)}/`, room),
  joinBySession: async (sessionId: string): Promise<JoinGrant> => {
    const standing = await videoCallAPI.create(sessionId);
    return videoCallAPI.join(standing.id);
  },
};

const BASE = "/api/mentoring/video-call";
const segment = encodeURIComponent;
