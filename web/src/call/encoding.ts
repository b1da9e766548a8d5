/** The m-lines of every connection, in this order; `mid`s follow from it. */
export const LINES = ["microphone", "camera", "screen"] as const;
export type Line = (typeof LINES)[number];

/** The screen's `mid` before a connection has negotiated one: browsers number the m-lines. */
export const SCREEN_MID = String(LINES.indexOf("screen"));

/** Bounds what a sender spends, so that the voice always fits; `peers` share the uplink in a mesh. */
export async function tune(sender: RTCRtpSender, line: Line, peers: number): Promise<void> {
  const parameters = sender.getParameters();
  const [encoding] = parameters.encodings as RTCRtpEncodingParameters[] | undefined ?? [];
  if (encoding === undefined) return;
  switch (line) {
    case "microphone":
      encoding.priority = "high";
      encoding.networkPriority = "high";
      break;
    case "camera":
      apply(encoding, cameraLimits(peers));
      parameters.degradationPreference = "maintain-framerate";
      break;
    case "screen":
      apply(encoding, screenLimits(peers));
      parameters.degradationPreference = "maintain-resolution";
      break;
  }
  // Refused while a negotiation runs; the next change tunes again.
  await sender.setParameters(parameters).catch(() => undefined);
}

export interface Limits {
  /** A second, to each peer. */
  readonly bits: number;
  readonly framerate: number;
  /** The picture is made so many times smaller, in both directions. */
  readonly scale: number;
}

/** Every peer is encoded for on its own: more of them means smaller tiles, and less of the uplink and the processor for each. */
export function cameraLimits(peers: number): Limits {
  const bits = Math.round(CAMERA_BITS / Math.max(1, peers));
  if (peers <= 1) return { bits, framerate: 30, scale: 1 };
  if (peers <= 3) return { bits, framerate: 30, scale: 2 };
  return peers <= 6 ? { bits, framerate: 24, scale: 3 } : { bits, framerate: 15, scale: 4 };
}

/** Text stays whole; only how often it changes, and how soon it is sharp, depends on how many look at it. */
export function screenLimits(peers: number): Limits {
  return { bits: Math.min(SCREEN_BITS, Math.floor(SCREEN_BITS_IN_ALL / Math.max(1, peers))), framerate: peers <= 3 ? 15 : 8, scale: 1 };
}

function apply(encoding: RTCRtpEncodingParameters, { bits, framerate, scale }: Limits): void {
  encoding.maxBitrate = bits;
  encoding.maxFramerate = framerate;
  encoding.scaleResolutionDownBy = scale;
}

const CAMERA_BITS = 1_700_000;
const SCREEN_BITS = 2_500_000;
const SCREEN_BITS_IN_ALL = 5_000_000;
