/** Why a microphone, camera or screen cannot be had. */
export type MediaProblem = "insecure" | "unsupported" | "denied" | "missing" | "in_use" | "lost" | "unknown";

/** Null if browsers allow media here at all: they do not on plain http. */
export function contextProblem(): MediaProblem | null {
  // Typed as always there; absent outside secure contexts.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (devices !== undefined) return null;
  return globalThis.isSecureContext ? "unsupported" : "insecure";
}

export function problemOf(error: unknown): MediaProblem {
  switch (error instanceof Error ? error.name : "") {
    case "NotAllowedError":
    case "SecurityError":
      return "denied";
    case "NotFoundError":
    case "OverconstrainedError":
    case "DevicesNotFoundError":
      return "missing";
    case "NotReadableError":
    case "AbortError":
    case "TrackStartError":
      return "in_use";
    default:
      return "unknown";
  }
}
