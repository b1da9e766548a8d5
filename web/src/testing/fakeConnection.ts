// An RTCPeerConnection that keeps the rules of signaling (JSEP, RFC 9429) and moves no media.
import { vi } from "vitest";

export class FakeConnection {
  static all: FakeConnection[] = [];

  signalingState: RTCSignalingState = "stable";
  connectionState: RTCPeerConnectionState = "new";
  iceConnectionState: RTCIceConnectionState = "new";
  localDescription: RTCSessionDescriptionInit | null = null;
  remoteDescription: RTCSessionDescriptionInit | null = null;
  onnegotiationneeded: (() => void) | null = null;
  onicecandidate: ((event: { candidate: object | null }) => void) | null = null;
  ontrack: ((event: { transceiver: FakeTransceiver; track: object }) => void) | null = null;
  oniceconnectionstatechange: (() => void) | null = null;
  onconnectionstatechange: (() => void) | null = null;
  readonly candidates: string[] = [];
  readonly configurations: RTCConfiguration[] = [];
  bytesReceived = 0;
  relayed = false;
  readonly #transceivers: FakeTransceiver[] = [];
  #stableLocal: RTCSessionDescriptionInit | null = null;
  #generation = 0;
  #offered = 0;
  #wanted = 0;
  readonly #id = FakeConnection.all.length;

  constructor(configuration: RTCConfiguration = {}) {
    this.configurations.push(configuration);
    FakeConnection.all.push(this);
  }

  /** The ICE generation of each side, as both descriptions name it. */
  get generations(): readonly [string | undefined, string | undefined] {
    return [fragment(this.localDescription), fragment(this.remoteDescription)];
  }

  addTransceiver(trackOrKind: unknown, init: { direction: RTCRtpTransceiverDirection }): FakeTransceiver {
    const transceiver = new FakeTransceiver(init.direction, typeof trackOrKind === "string" ? null : trackOrKind);
    this.#transceivers.push(transceiver);
    this.need();
    return transceiver;
  }

  getTransceivers(): FakeTransceiver[] {
    return this.#transceivers;
  }

  /** Something changed that both sides must agree on. */
  need(): void {
    this.#wanted += 1;
    queueMicrotask(() => this.#fireIfNeeded());
  }

  restartIce(): void {
    this.#generation += 1;
    this.need();
  }

  setConfiguration(configuration: RTCConfiguration): void {
    this.configurations.push(configuration);
  }

  async setLocalDescription(): Promise<void> {
    await tick();
    this.#assertOpen();
    if (this.signalingState === "stable") {
      this.#stableLocal = this.localDescription;
      this.#offered = this.#wanted;
      this.localDescription = { type: "offer", sdp: this.#sdp("offer") };
      this.signalingState = "have-local-offer";
    } else if (this.signalingState === "have-remote-offer") {
      this.localDescription = { type: "answer", sdp: this.#sdp("answer") };
      this.#becomeStable();
    } else {
      throw new DOMException("no description fits here", "InvalidStateError");
    }
    this.#gather();
  }

  async setRemoteDescription(description: { readonly type: "offer" | "answer"; readonly sdp: string }): Promise<void> {
    await tick();
    this.#assertOpen();
    if (description.type === "answer") {
      if (this.signalingState !== "have-local-offer") throw new DOMException("an answer to nothing", "InvalidStateError");
      this.remoteDescription = description;
      this.#becomeStable();
      return;
    }
    if (this.signalingState === "have-local-offer") this.#rollBack();
    if (this.signalingState !== "stable") throw new DOMException("two offers", "InvalidStateError");
    this.remoteDescription = description;
    this.signalingState = "have-remote-offer";
    while (this.#transceivers.length < LINES) {
      const transceiver = new FakeTransceiver("recvonly", null);
      this.#transceivers.push(transceiver);
      this.ontrack?.({ transceiver, track: {} });
    }
  }

  async addIceCandidate(candidate?: { readonly candidate: string; readonly usernameFragment: string | null }): Promise<void> {
    await tick();
    this.#assertOpen();
    if (this.remoteDescription === null) throw new DOMException("no remote description", "InvalidStateError");
    if (candidate === undefined) return;
    if (candidate.usernameFragment !== fragment(this.remoteDescription)) throw new DOMException("another generation", "OperationError");
    this.candidates.push(candidate.candidate);
  }

  getStats(): Promise<Map<string, object>> {
    const entries = [
      { id: "in", type: "inbound-rtp", bytesReceived: this.bytesReceived },
      { id: "pair", type: "candidate-pair", selected: true, localCandidateId: "own" },
      { id: "own", type: "local-candidate", candidateType: this.relayed ? "relay" : "host" },
    ];
    return Promise.resolve(new Map(entries.map((entry) => [entry.id, entry])));
  }

  become(ice: RTCIceConnectionState, connection: RTCPeerConnectionState): void {
    this.iceConnectionState = ice;
    this.connectionState = connection;
    this.oniceconnectionstatechange?.();
    this.onconnectionstatechange?.();
  }

  close(): void {
    this.signalingState = "closed";
    this.connectionState = "closed";
  }

  #becomeStable(): void {
    this.signalingState = "stable";
    queueMicrotask(() => this.#fireIfNeeded());
  }

  #rollBack(): void {
    this.localDescription = this.#stableLocal;
    this.#offered = -1;
    this.signalingState = "stable";
  }

  #fireIfNeeded(): void {
    if (this.signalingState === "stable" && this.#wanted !== 0 && this.#offered !== this.#wanted) this.onnegotiationneeded?.();
  }

  #gather(): void {
    const usernameFragment = fragment(this.localDescription) ?? null;
    // A task of its own, so that whoever awaited the description has sent it by then.
    setTimeout(() => {
      // What was gathered for a description that is gone is not told.
      if (usernameFragment !== fragment(this.localDescription)) return;
      this.onicecandidate?.({ candidate: { candidate: `host of ${this.#id}`, sdpMid: "0", sdpMLineIndex: 0, usernameFragment } });
      this.onicecandidate?.({ candidate: null });
    });
  }

  #sdp(type: string): string {
    return `${type}\r\na=ice-ufrag:${this.#id}.${this.#generation}\r\n`;
  }

  #assertOpen(): void {
    if (this.signalingState === "closed") throw new DOMException("closed", "InvalidStateError");
  }
}

export class FakeTransceiver {
  mid: string | null = null;
  readonly sender: FakeSender;

  constructor(
    public direction: RTCRtpTransceiverDirection,
    track: unknown,
  ) {
    this.sender = new FakeSender(track);
  }
}

class FakeSender {
  readonly setParameters = vi.fn(() => Promise.resolve());

  constructor(public track: unknown) {}

  replaceTrack(track: unknown): Promise<void> {
    this.track = track;
    return Promise.resolve();
  }

  setStreams(): void {
    // No media moves here.
  }

  getParameters(): { encodings: object[] } {
    return { encodings: [{}] };
  }
}

function fragment(description: RTCSessionDescriptionInit | null): string | undefined {
  return /ufrag:(\S+)/.exec(description?.sdp ?? "")?.[1];
}

/** Browsers answer later, never in the same turn. */
async function tick(): Promise<void> {
  await Promise.resolve();
  await Promise.resolve();
}

const LINES = 3;
