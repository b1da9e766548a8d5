import type { IceCandidate, PeerMessage } from "../protocol/signal";

export interface NegotiationOptions {
  readonly connection: RTCPeerConnection;
  /** The polite side gives way when both offer at once; the server says who is. */
  readonly polite: boolean;
  readonly send: (message: PeerMessage) => void;
  /** After an offer was set and before it is answered: the place to put tracks on its m-lines. */
  readonly prepareAnswer: () => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/**
 * Perfect negotiation (W3C WebRTC section 10.7). Every step runs alone, one after the other, so a collision is simply an offer
 * that finds the connection not stable.
 */
export class PerfectNegotiation {
  readonly #options: NegotiationOptions;
  readonly #connection: RTCPeerConnection;
  #steps: Promise<void> = Promise.resolve();
  #ignoresOffer = false;
  /** Of a description that has not come yet. */
  #early: (IceCandidate | null)[] = [];
  #disposed = false;

  constructor(options: NegotiationOptions) {
    this.#options = options;
    this.#connection = options.connection;
    this.#connection.onnegotiationneeded = () => this.#run(() => this.#offer());
    this.#connection.onicecandidate = ({ candidate }) =>
      options.send({ type: "candidate", candidate: candidate === null ? null : toWire(candidate) });
  }

  handle(message: PeerMessage): void {
    this.#run(() => (message.type === "candidate" ? this.#add(message.candidate) : this.#describe(message)));
  }

  /** Says again what may have been lost with a socket. */
  resend(): void {
    this.#run(() => {
      if (this.#connection.signalingState === "have-local-offer") this.#sendLocal();
      return Promise.resolve();
    });
  }

  dispose(): void {
    this.#disposed = true;
    this.#connection.onnegotiationneeded = null;
    this.#connection.onicecandidate = null;
  }

  async #offer(): Promise<void> {
    // The event comes again once the connection is stable, if it is still needed.
    if (this.#connection.signalingState !== "stable") return;
    await this.#connection.setLocalDescription();
    this.#sendLocal();
  }

  async #describe(description: Exclude<PeerMessage, { readonly type: "candidate" }>): Promise<void> {
    const connection = this.#connection;
    if (description.type === "answer") {
      // A second answer to an offer that was sent twice.
      if (connection.signalingState !== "have-local-offer") return;
      await connection.setRemoteDescription(description);
      await this.#addEarly();
      return;
    }
    const collides = connection.signalingState !== "stable";
    this.#ignoresOffer = collides && !this.#options.polite;
    if (this.#ignoresOffer) return;
    await connection.setRemoteDescription(description);
    await this.#options.prepareAnswer();
    await connection.setLocalDescription();
    this.#sendLocal();
    await this.#addEarly();
  }

  async #add(candidate: IceCandidate | null): Promise<void> {
    const remote = this.#connection.remoteDescription;
    if (remote === null || !belongs(candidate, remote)) {
      if (this.#early.length < EARLY_MAX) this.#early.push(candidate);
      return;
    }
    try {
      await this.#connection.addIceCandidate(candidate ?? undefined);
    } catch (error) {
      // It belongs to an offer that was ignored.
      if (!this.#ignoresOffer) throw error;
    }
  }

  /** A description came: what is not of this negotiation either is of one that is gone. */
  async #addEarly(): Promise<void> {
    const early = this.#early;
    this.#early = [];
    const remote = this.#connection.remoteDescription;
    for (const candidate of early) if (remote !== null && belongs(candidate, remote)) await this.#add(candidate);
  }

  #sendLocal(): void {
    const description = this.#connection.localDescription;
    if (description?.type === "offer" || description?.type === "answer") {
      this.#options.send({ type: description.type, sdp: description.sdp });
    }
  }

  #run(step: () => Promise<void>): void {
    this.#steps = this.#steps
      .then(() => (this.#disposed ? undefined : step()))
      .catch((error: unknown) => {
        if (!this.#disposed) this.#options.onError(error);
      });
  }
}

/** Candidates name their negotiation by its ICE fragment; the end of candidates, and old browsers, name none. */
function belongs(candidate: IceCandidate | null, { sdp }: RTCSessionDescription): boolean {
  const fragment = candidate?.usernameFragment ?? null;
  return fragment === null || sdp.split(/\r?\n/u).includes(`a=ice-ufrag:${fragment}`);
}

/** As many as the daemon keeps of a flood. */
const EARLY_MAX = 100;

function toWire({ candidate, sdpMid, sdpMLineIndex, usernameFragment }: RTCIceCandidate): IceCandidate {
  return { candidate, sdpMid, sdpMLineIndex, usernameFragment };
}
