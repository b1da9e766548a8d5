/** What a report says about one connection, summed over its streams. */
export interface Sample {
  readonly bytesReceived: number;
  readonly packetsReceived: number;
  readonly packetsLost: number;
  /** Part of what we sent that the other side lost lately, 0 to 1. */
  readonly lossThere: number;
  /** Seconds. */
  readonly jitter: number;
  /** Seconds; null before the first measurement. */
  readonly roundTrip: number | null;
  /** Bits a second; null where the browser does not say. */
  readonly outgoingBitrate: number | null;
  readonly bandwidthLimited: boolean;
  /** Media passes through the relay. */
  readonly relayed: boolean;
}

export async function readSample(connection: RTCPeerConnection): Promise<Sample> {
  const entries: Entry[] = [];
  const report = await connection.getStats();
  report.forEach((entry: Entry) => entries.push(entry));
  return summarize(entries);
}

export function summarize(entries: readonly Entry[]): Sample {
  const inbound = entries.filter(({ type }) => type === "inbound-rtp");
  const remoteInbound = entries.filter(({ type }) => type === "remote-inbound-rtp");
  const outbound = entries.filter(({ type }) => type === "outbound-rtp");
  const pair = selectedPair(entries);
  const ends = entries.filter(({ id }) => id === pair?.localCandidateId || id === pair?.remoteCandidateId);
  return {
    bytesReceived: sum(inbound.map(({ bytesReceived }) => bytesReceived)),
    packetsReceived: sum(inbound.map(({ packetsReceived }) => packetsReceived)),
    packetsLost: sum(inbound.map(({ packetsLost }) => packetsLost)),
    lossThere: Math.max(0, ...remoteInbound.map(({ fractionLost }) => fractionLost ?? 0)),
    jitter: Math.max(0, ...inbound.filter(({ kind }) => kind === "audio").map(({ jitter }) => jitter ?? 0)),
    roundTrip: pair?.currentRoundTripTime ?? null,
    outgoingBitrate: pair?.availableOutgoingBitrate ?? null,
    bandwidthLimited: outbound.some(({ qualityLimitationReason }) => qualityLimitationReason === "bandwidth"),
    relayed: ends.some(({ candidateType }) => candidateType === "relay"),
  };
}

/** The fields of `RTCStats` that are read here, whatever the entry's type. */
export interface Entry {
  readonly id: string;
  readonly type: string;
  readonly kind?: string;
  readonly bytesReceived?: number;
  readonly packetsReceived?: number;
  readonly packetsLost?: number;
  readonly fractionLost?: number;
  readonly jitter?: number;
  readonly currentRoundTripTime?: number;
  readonly availableOutgoingBitrate?: number;
  readonly qualityLimitationReason?: string;
  readonly selectedCandidatePairId?: string;
  readonly selected?: boolean;
  readonly localCandidateId?: string;
  readonly remoteCandidateId?: string;
  readonly candidateType?: string;
}

/** Chromium names it in the transport, Firefox marks the pair itself. */
function selectedPair(entries: readonly Entry[]): Entry | undefined {
  const selected = entries.find(({ type }) => type === "transport")?.selectedCandidatePairId;
  return entries.find((entry) => entry.type === "candidate-pair" && (entry.id === selected || entry.selected === true));
}

function sum(values: readonly (number | undefined)[]): number {
  return values.reduce<number>((total, value) => total + (value ?? 0), 0);
}
