// A call as one participant lives it: the socket, the roster, a connection to each peer, and what it sends them.
import type { JoinGrant } from "../protocol/resources";
import type { ClientMessage, Joined, Media, Participant, RelayedMessage, Role, RosterPeer, WaitReason } from "../protocol/signal";
import { type ProbeResult, type SeatedMessage, SignalingSocket, type SocketEnd } from "../signaling/socket";
import { SCREEN_MID } from "./encoding";
import { IceGrant } from "./grant";
import type { LocalMedia } from "./media";
import { type LocalTracks, Peer, type PeerSnapshot } from "./peer";
import { type CallStatus, callStatus } from "./status";
import { type Readable, Store } from "./store";

export interface CallSnapshot {
  readonly status: CallStatus;
  readonly you: Participant;
  readonly peers: readonly PeerSnapshot[];
  /** Not null in the lobby. */
  readonly waiting: Waiting | null;
  /** Whether this person moderates the room. */
  readonly moderator: boolean;
  readonly locked: boolean;
  /** Who waits to be let in; only moderators are told. */
  readonly lobby: readonly Participant[];
  /** Why the room did not do what a moderator asked last. */
  readonly refused: "room_full" | "forbidden" | null;
  /** Cut off from the daemon, while media may well go on. */
  readonly socketLost: boolean;
  readonly end: SocketEnd | null;
}

/** What is said to whoever has a seat. */
type RoomMessage = Exclude<SeatedMessage, { readonly type: "waiting" }>;

export interface Waiting {
  readonly reason: WaitReason;
  /** A seat was held before: the call is interrupted, not yet to begin. */
  readonly seatedBefore: boolean;
}

/** What a call asks of the API. */
export interface CallGateway {
  /** A fresh grant for the same room. */
  readonly rejoin: () => Promise<JoinGrant>;
  readonly probe: () => Promise<ProbeResult>;
}

export interface CallOptions {
  readonly grant: JoinGrant;
  readonly takeover: boolean;
  readonly media: LocalMedia;
  readonly gateway: CallGateway;
}

export class Call implements Readable<CallSnapshot> {
  readonly #media: LocalMedia;
  readonly #grant: IceGrant;
  readonly #socket: SignalingSocket;
  readonly #store: Store<CallSnapshot>;
  readonly #peers = new Map<string, Peer>();
  /** Seats of the roster after a resume that may yet be explained by what waited for us. */
  readonly #unexplained = new Map<string, RosterPeer>();
  readonly #stopWatchingMedia: () => void;
  #settleTimer: ReturnType<typeof setTimeout> | undefined;
  /** From `joined` to its fresh grant: what came meanwhile, in order. That takes no longer than the API's time limit. */
  #held: RoomMessage[] | null = null;
  #seated = false;
  #told: Media | null = null;

  readonly subscribe: Readable<CallSnapshot>["subscribe"];
  readonly snapshot: Readable<CallSnapshot>["snapshot"];

  constructor({ grant, takeover, media, gateway }: CallOptions) {
    this.#media = media;
    this.#grant = new IceGrant(grant, gateway.rejoin);
    this.#store = new Store<CallSnapshot>({
      status: "loading",
      you: grant.participant,
      peers: [],
      waiting: null,
      moderator: isStaff(grant.participant.role),
      locked: false,
      lobby: [],
      refused: null,
      socketLost: false,
      end: null,
    });
    this.subscribe = this.#store.subscribe;
    this.snapshot = this.#store.snapshot;
    this.#socket = new SignalingSocket(
      { url: grant.socket_url, takeover, probe: gateway.probe },
      {
        onState: () => this.#publish(),
        onMessage: (message) => this.#handle(message),
        onEnd: (end) => this.#ended(end),
      },
    );
    this.#stopWatchingMedia = media.subscribe(() => this.#mediaChanged());
    this.#socket.open();
  }

  admit(id: string): void {
    this.#ask({ type: "admit", participant_id: id });
  }

  deny(id: string): void {
    this.#ask({ type: "deny", participant_id: id });
  }

  kick(id: string): void {
    this.#ask({ type: "kick", participant_id: id });
  }

  lock(locked: boolean): void {
    this.#ask({ type: "lock", locked });
  }

  moderate(id: string, moderator: boolean): void {
    this.#ask({ type: "moderate", participant_id: id, moderator });
  }

  /** Ends the call for everybody; false if the socket is down, and nothing was said. */
  endForEveryone(): boolean {
    if (this.#socket.state !== "joined") return false;
    this.#ask({ type: "end" });
    return true;
  }

  /** Gives the seat up. */
  leave(): void {
    this.#socket.leave();
    this.#ended({ kind: "left" });
  }

  dispose(): void {
    this.#socket.leave();
    this.#release();
  }

  #ask(message: ClientMessage): void {
    this.#store.patch({ refused: null });
    this.#socket.send(message);
  }

  #handle(message: SeatedMessage): void {
    if (message.type === "waiting") this.#wait(message.you, message.reason);
    else if (this.#held !== null) this.#held.push(message);
    else if (message.type === "joined" && this.#grant.outdated) void this.#joinAfterGrant(message);
    else this.#take(message);
  }

  #wait(you: Participant, reason: WaitReason): void {
    this.#held = null;
    this.#grant.outdated = true;
    this.#unexplained.clear();
    clearTimeout(this.#settleTimer);
    for (const id of [...this.#peers.keys()]) this.#remove(id);
    // Nobody looks, and whoever waits has no control to stop it.
    if (this.#media.snapshot().screen !== null) this.#media.stopScreen();
    this.#store.patch({ you, waiting: { reason, seatedBefore: this.#seated }, lobby: [], moderator: false });
    this.#publish();
  }

  /** The daemon gives TURN credentials to those with a seat: connections are built with them, and what comes meanwhile waits. */
  async #joinAfterGrant(joined: Joined): Promise<void> {
    const held: RoomMessage[] = [joined];
    this.#held = held;
    await this.#grant.refresh();
    // Sent back to the lobby, or over, meanwhile.
    if (this.#held !== held) return;
    this.#held = null;
    this.#grant.outdated = false;
    for (const message of held) this.#take(message);
  }

  #take(message: RoomMessage): void {
    switch (message.type) {
      case "joined":
        this.#joined(message);
        break;
      case "lobby":
        this.#store.patch({ lobby: message.waiting });
        break;
      case "error":
        if (message.code === "room_full" || message.code === "forbidden") this.#store.patch({ refused: message.code });
        break;
      case "locked":
        this.#store.patch({ locked: message.locked });
        break;
      case "moderator":
        this.#moderates(message.participant_id, message.moderator);
        break;
      case "peer_joined":
        this.#seat(message.peer);
        break;
      case "peer_status":
        this.#attach(message.participant_id, message.connected);
        break;
      case "peer_left":
        this.#store.patch({ refused: null });
        this.#unexplained.delete(message.participant_id);
        this.#remove(message.participant_id);
        break;
      case "offer":
      case "answer":
      case "candidate":
        this.#relay(message);
        break;
      case "media":
        this.#peers.get(message.from)?.setMedia({ microphone: message.microphone, camera: message.camera, screen: message.screen });
        break;
    }
  }

  #moderates(id: string, moderator: boolean): void {
    if (id !== this.snapshot().you.participant_id) this.#peers.get(id)?.setModerator(moderator);
    else this.#store.patch(moderator ? { moderator } : { moderator, lobby: [] });
  }

  #joined({ resumed, you, moderator, locked, peers }: Joined): void {
    this.#seated = true;
    // Who waits is told after this, if anybody does.
    this.#store.patch({ you, moderator, locked, waiting: null, lobby: [], refused: null });
    this.#told = null;
    const roster = new Map(peers.map((peer) => [peer.participant_id, peer]));
    for (const [id, peer] of this.#peers) {
      if (!resumed || roster.get(id)?.epoch !== peer.epoch) this.#remove(id);
    }
    this.#unexplained.clear();
    if (resumed) this.#settle(roster);
    else for (const peer of peers) this.#seat(peer);
    this.#mediaChanged();
    this.#publish();
  }

  /**
   * What waited for us follows in order and may itself tell of new seats, so the roster's news are taken only after it: a seat
   * built twice in one epoch would mix two connections up.
   */
  #settle(roster: ReadonlyMap<string, RosterPeer>): void {
    for (const [id, peer] of roster) {
      const known = this.#peers.get(id);
      if (known === undefined) this.#unexplained.set(id, peer);
      else this.#update(known, peer);
    }
    // The daemon may have been away, and the relay with it.
    for (const peer of this.#peers.values()) peer.suspectPath();
    clearTimeout(this.#settleTimer);
    this.#settleTimer = setTimeout(() => {
      for (const peer of [...this.#unexplained.values()]) this.#seat(peer);
      for (const peer of this.#peers.values()) peer.resend();
    }, SETTLE_MS);
  }

  #seat(roster: RosterPeer): void {
    const id = roster.participant_id;
    this.#unexplained.delete(id);
    const known = this.#peers.get(id);
    if (known?.epoch === roster.epoch) {
      this.#update(known, roster);
      return;
    }
    known?.dispose();
    const peer = new Peer({
      roster,
      configuration: this.#grant.configuration,
      freshConfiguration: this.#grant.refresh,
      tracks: this.#tracks(),
      send: (message) => this.#socket.send({ ...message, to: id, epoch: roster.epoch }),
      onFruitless: () => this.#socket.reconnect(),
    });
    this.#peers.set(id, peer);
    peer.subscribe(() => this.#publish());
    this.#mediaChanged();
    this.#publish();
  }

  #update(peer: Peer, { connected, media, moderator }: RosterPeer): void {
    peer.setAttached(connected);
    peer.setMedia(media);
    peer.setModerator(moderator);
  }

  #attach(id: string, connected: boolean): void {
    const peer = this.#peers.get(id);
    peer?.setAttached(connected);
    // What we said while its socket was dying may not have reached it.
    if (connected) peer?.resend();
  }

  #remove(id: string): void {
    this.#peers.get(id)?.dispose();
    this.#peers.delete(id);
    this.#mediaChanged();
    this.#publish();
  }

  #relay(message: RelayedMessage): void {
    const unexplained = this.#unexplained.get(message.from);
    if (unexplained?.epoch === message.epoch) this.#seat(unexplained);
    const peer = this.#peers.get(message.from);
    if (peer?.epoch === message.epoch) peer.handle(message);
  }

  #tracks(): LocalTracks {
    const { microphone, camera, screen } = this.#media.snapshot();
    return { microphone: microphone.track, camera: camera.track, screen };
  }

  #mediaChanged(): void {
    const tracks = this.#tracks();
    for (const peer of this.#peers.values()) peer.setTracks(tracks, this.#peers.size);
    this.#tell();
  }

  #tell(): void {
    if (this.#socket.state !== "joined") return;
    const { microphone, camera, screen } = this.#media.snapshot();
    const media: Media = { microphone: microphone.on, camera: camera.on, screen: screen === null ? null : this.#screenMid() };
    const told = this.#told;
    if (told?.microphone === media.microphone && told.camera === media.camera && told.screen === media.screen) return;
    this.#told = media;
    const message: ClientMessage = { type: "media", ...media };
    this.#socket.send(message);
  }

  #screenMid(): string {
    const mids = [...this.#peers.values()].map((peer) => peer.screenMid);
    return mids.find((mid) => mid !== null) ?? SCREEN_MID;
  }

  #ended(end: SocketEnd): void {
    this.#release();
    this.#store.patch({ status: "ended", peers: [], waiting: null, lobby: [], socketLost: false, end });
  }

  #release(): void {
    this.#held = null;
    clearTimeout(this.#settleTimer);
    this.#grant.dispose();
    this.#stopWatchingMedia();
    for (const peer of this.#peers.values()) peer.dispose();
    this.#peers.clear();
  }

  #publish(): void {
    const peers = [...this.#peers.values()].map((peer) => peer.snapshot());
    const status = callStatus(this.#socket.state, peers.map(({ connection }) => connection));
    this.#store.patch({ status, peers, socketLost: this.#socket.state === "reconnecting" });
  }
}

/** Who moderates until the daemon says otherwise. */
function isStaff(role: Role): boolean {
  return role === "admin" || role === "mentor";
}

const SETTLE_MS = 300;
