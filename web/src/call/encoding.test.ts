import { describe, expect, it, vi } from "vitest";

import { cameraLimits, type Line, screenLimits, tune } from "./encoding";

describe("a camera", () => {
  it("is sent whole to one, and smaller the more there are", () => {
    expect([1, 2, 3, 4, 7, 11].map((peers) => cameraLimits(peers).scale)).toEqual([1, 2, 2, 3, 4, 4]);
    expect([1, 3, 4, 11].map((peers) => cameraLimits(peers).framerate)).toEqual([30, 30, 24, 15]);
  });

  it.each([1, 2, 3, 4, 11])("costs the uplink no more with %i others than with one", (peers) => {
    expect(cameraLimits(peers).bits * peers).toBeLessThanOrEqual(1_700_000 + peers);
  });
});

describe("a screen", () => {
  it.each([1, 2, 3, 11])("stays readable and within 5 Mbit/s with %i others", (peers) => {
    const { bits } = screenLimits(peers);
    expect(bits).toBeGreaterThanOrEqual(400_000);
    expect(bits * peers).toBeLessThanOrEqual(5_000_000);
  });
});

describe("tuning", () => {
  it("gives the voice priority and leaves its size alone", async () => {
    expect(await tuned("microphone", 3)).toEqual({ encodings: [{ priority: "high", networkPriority: "high" }] });
  });

  it("keeps a camera smooth and a screen sharp", async () => {
    expect(await tuned("camera", 1)).toMatchObject({ degradationPreference: "maintain-framerate" });
    expect(await tuned("screen", 1)).toMatchObject({ degradationPreference: "maintain-resolution", encodings: [{ maxBitrate: 2_500_000 }] });
  });

  it("is skipped before there is anything to send", async () => {
    const setParameters = vi.fn();
    await tune({ getParameters: () => ({ encodings: [] }), setParameters } as unknown as RTCRtpSender, "camera", 1);
    expect(setParameters).not.toHaveBeenCalled();
  });
});

async function tuned(line: Line, peers: number): Promise<unknown> {
  const setParameters = vi.fn((parameters: unknown) => Promise.resolve(parameters));
  await tune({ getParameters: () => ({ encodings: [{}] }), setParameters } as unknown as RTCRtpSender, line, peers);
  return setParameters.mock.calls[0]?.[0];
}
