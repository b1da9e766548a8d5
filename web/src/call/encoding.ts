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
  const crowded = peers > 1;
  switch (line) {
    case "microphone":
      encoding.priority = "high";
      encoding.networkPriority = "high";
      break;
    case "camera":
      encoding.maxBitrate = Math.round(CAMERA_BITS / Math.max(1, peers));
      encoding.scaleResolutionDownBy = crowded ? 2 : 1;
      parameters.degradationPreference = "maintain-framerate";
      break;
    case "screen":
      encoding.maxBitrate = SCREEN_BITS;
      parameters.degradationPreference = "maintain-resolution";
      break;
  }
  // Refused while a negotiation runs; the next change tunes again.
  await sender.setParameters(parameters).catch(() => undefined);
}

const CAMERA_BITS = 1_700_000;
const SCREEN_BITS = 2_500_000;
