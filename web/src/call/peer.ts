// One other participant: its peer connection, what it sends, how well it is reached.
import type { Media, Participant, PeerMessage, RosterPeer } from "../protocol/signal";
import { type Line, LINES, tune } from "./encoding";
import { PerfectNegotiation } from "./negotiation";
import { type Quality, QualityMeter } from "./quality";
import { IceRestart } from "./restart";
import { readSample } from "./stats";
import { type Readable, Store } from "./store";

export type PeerConnectionState = "connecting" | "connected" | "reconnecting" | "failed";

export interface PeerSnapshot {
  readonly participant: Participant;
  /** False while its signaling socket is down; media may well go on. */
  readonly attached: boolean;
  readonly moderator: boolean;
  readonly media: Media;
  readonly connection: PeerConnectionState;
  readonly quality: Quality | null;
  readonly relayed: boolean;
  readonly streams: { readonly [L in Line]: MediaStream | null };
}

export type LocalTracks = { readonly [L in Line]: MediaStreamTrack | null };

export interface PeerOptions {
  readonly roster: RosterPeer;
  readonly configuration: RTCConfiguration;
  /** Asked before every ICE restart: credentials do not live for ever. */
  readonly freshConfiguration: () => Promise<RTCConfiguration>;
  readonly tracks: LocalTracks;
  readonly send: (message: PeerMessage) => void;
  /** A restart did not help: the socket may be as dead as the path. */
  readonly onFruitless: () => void;
}

export class Peer implements Readable<PeerSnapshot> {
  readonly epoch: number;
  readonly #options: PeerOptions;
  readonly #connection: RTCPeerConnection;
  readonly #negotiation: PerfectNegotiation;
  readonly #restart: IceRestart;
  readonly #meter = new QualityMeter();
  readonly #store: Store<PeerSnapshot>;
  readonly #statsTimer: ReturnType<typeof setInterval>;
  /** Groups what we send, so that the other side keeps lips and voice together. */
  readonly #group = new MediaStream();
  #tracks: LocalTracks;
  #peers = 1;

  readonly subscribe: Readable<PeerSnapshot>["subscribe"];
  readonly snapshot: Readable<PeerSnapshot>["snapshot"];

  constructor(options: PeerOptions) {
    const { roster, configuration, tracks, send } = options;
    this.epoch = roster.epoch;
    this.#options = options;
    this.#tracks = tracks;
    this.#store = new Store<PeerSnapshot>({
      participant: roster,
      attached: roster.connected,
      moderator: roster.moderator,
      media: roster.media,
      connection: "connecting",
      quality: null,
      relayed: false,
      streams: { microphone: null, camera: null, screen: null },
    });
    this.subscribe = this.#store.subscribe;
    this.snapshot = this.#store.snapshot;
    this.#connection = new RTCPeerConnection(configuration);
    this.#negotiation = new PerfectNegotiation({
      connection: this.#connection,
      polite: roster.polite,
      send,
      prepareAnswer: () => this.#prepareAnswer(),
      onError: (error) => console.warn("negotiation failed", error),
    });
    this.#restart = new IceRestart({
      polite: roster.polite,
      bytesReceived: async () => (await readSample(this.#connection)).bytesReceived,
      restart: () => void this.#restartIce(),
      onFruitless: (restarts) => this.#fruitless(restarts),
    });
    this.#connection.ontrack = ({ transceiver, track }) => this.#receive(transceiver, track);
    this.#connection.oniceconnectionstatechange = () => this.#restart.handleState(this.#connection.iceConnectionState);
    this.#connection.onconnectionstatechange = () => this.#connectionChanged();
    this.#statsTimer = setInterval(() => void this.#measure(), STATS_MS);
    if (!roster.polite) this.#offerLines();
  }

  handle(message: PeerMessage): void {
    this.#negotiation.handle(message);
  }

  setMedia(media: Media): void {
    this.#store.patch({ media });
  }

  setAttached(attached: boolean): void {
    this.#store.patch({ attached });
  }

  setModerator(moderator: boolean): void {
    this.#store.patch({ moderator });
  }

  /** The relay may have been gone for a while: what passes through it is asked after at once. */
  suspectPath(): void {
    if (this.snapshot().relayed) this.#restart.suspect();
  }

  resend(): void {
    this.#negotiation.resend();
  }

  /** What we send from here on, and to how many. */
  setTracks(tracks: LocalTracks, peers: number): void {
    const shared = peers !== this.#peers;
    const before = this.#tracks;
    this.#tracks = tracks;
    this.#peers = peers;
    for (const line of LINES) {
      if (tracks[line] !== before[line]) void this.#put(line);
      else if (shared) void this.#tune(line);
    }
  }

  get screenMid(): string | null {
    return this.#transceiver("screen")?.mid ?? null;
  }

  dispose(): void {
    clearInterval(this.#statsTimer);
    this.#restart.dispose();
    this.#negotiation.dispose();
    this.#connection.ontrack = null;
    this.#connection.oniceconnectionstatechange = null;
    this.#connection.onconnectionstatechange = null;
    this.#connection.close();
  }

  #offerLines(): void {
    for (const line of LINES) {
      const track = this.#tracks[line];
      const kind = line === "microphone" ? "audio" : "video";
      const streams = line === "screen" ? [] : [this.#group];
      this.#connection.addTransceiver(track ?? kind, { direction: "sendrecv", streams });
    }
  }

  /** The m-lines came with the first offer: answer each in both directions, so that later changes need no negotiation. */
  async #prepareAnswer(): Promise<void> {
    for (const line of LINES) {
      const transceiver = this.#transceiver(line);
      if (transceiver === undefined || transceiver.direction === "sendrecv") continue;
      transceiver.direction = "sendrecv";
      if (line !== "screen") transceiver.sender.setStreams(this.#group);
      await transceiver.sender.replaceTrack(this.#tracks[line]);
    }
  }

  #transceiver(line: Line): RTCRtpTransceiver | undefined {
    return this.#connection.getTransceivers()[LINES.indexOf(line)];
  }

  async #put(line: Line): Promise<void> {
    await this.#transceiver(line)?.sender.replaceTrack(this.#tracks[line]);
    await this.#tune(line);
  }

  async #tune(line: Line): Promise<void> {
    const sender = this.#transceiver(line)?.sender;
    if (sender !== undefined) await tune(sender, line, this.#peers);
  }

  #receive(transceiver: RTCRtpTransceiver, track: MediaStreamTrack): void {
    const line = LINES[this.#connection.getTransceivers().indexOf(transceiver)];
    if (line === undefined) return;
    this.#store.patch({ streams: { ...this.snapshot().streams, [line]: new MediaStream([track]) } });
  }

  #connectionChanged(): void {
    const { connection } = this.snapshot();
    switch (this.#connection.connectionState) {
      case "connected":
        this.#store.patch({ connection: "connected" });
        for (const line of LINES) void this.#tune(line);
        break;
      case "disconnected":
      case "failed":
        this.#store.patch({ connection: connection === "failed" ? "failed" : "reconnecting" });
        break;
      case "new":
      case "connecting":
      case "closed":
        break;
    }
  }

  async #restartIce(): Promise<void> {
    const configuration = await this.#options.freshConfiguration();
    if (this.#connection.signalingState === "closed") return;
    this.#connection.setConfiguration(configuration);
    this.#connection.restartIce();
  }

  #fruitless(restarts: number): void {
    if (restarts === 1) this.#options.onFruitless();
    if (restarts >= RESTARTS_BEFORE_FAILED) this.#store.patch({ connection: "failed" });
  }

  async #measure(): Promise<void> {
    if (this.#connection.connectionState !== "connected") return;
    const sample = await readSample(this.#connection);
    this.#store.patch({ quality: this.#meter.rate(sample), relayed: sample.relayed });
  }
}

const STATS_MS = 2_000;
const RESTARTS_BEFORE_FAILED = 2;
