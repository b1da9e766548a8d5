import type { JoinGrant } from "../protocol/resources";

/** The ICE servers of one seat: those of the last grant, kept fresh for peers that come late. */
export class IceGrant {
  readonly #ask: () => Promise<JoinGrant>;
  readonly #timer: ReturnType<typeof setInterval>;
  #configuration: RTCConfiguration;
  /** Given to somebody without a seat, so without a relay: ask again before connections are built. */
  outdated: boolean;

  constructor(first: JoinGrant, ask: () => Promise<JoinGrant>) {
    this.#ask = ask;
    this.#configuration = configurationOf(first);
    this.outdated = !hasRelay(first);
    this.#timer = setInterval(() => void this.refresh(), REFRESH_MS);
  }

  get configuration(): RTCConfiguration {
    return this.#configuration;
  }

  readonly refresh = async (): Promise<RTCConfiguration> => {
    try {
      this.#configuration = configurationOf(await this.#ask());
    } catch {
      // The old servers may still do; the socket finds out why the API refused.
    }
    return this.#configuration;
  };

  dispose(): void {
    clearInterval(this.#timer);
  }
}

function configurationOf({ ice_servers, ice_transport_policy }: JoinGrant): RTCConfiguration {
  return { iceServers: [...ice_servers], iceTransportPolicy: ice_transport_policy, bundlePolicy: "max-bundle" };
}

function hasRelay({ ice_servers }: JoinGrant): boolean {
  return ice_servers.some(({ credential }) => credential !== undefined);
}

/** Well within the hour that the daemon's credentials live. */
const REFRESH_MS = 30 * 60_000;
