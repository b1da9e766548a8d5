import { describe, expect, it } from "vitest";

import { QualityMeter } from "./quality";
import { type Entry, type Sample, summarize } from "./stats";

describe("quality", () => {
  it("is good on a calm network", () => {
    expect(new QualityMeter().rate(sample())).toBe("good");
  });

  it.each([
    ["loss on the way here", { packetsReceived: 200, packetsLost: 30 }, "poor"],
    ["loss on the way there", { lossThere: 0.05 }, "fair"],
    ["a long round trip", { roundTrip: 0.45 }, "fair"],
    ["a very long round trip", { roundTrip: 0.9 }, "poor"],
    ["jitter", { jitter: 0.05 }, "fair"],
    ["an uplink that is full", { bandwidthLimited: true, outgoingBitrate: 90_000 }, "poor"],
  ] as const)("falls at once with %s", (_name, change, expected) => {
    const meter = new QualityMeter();
    meter.rate(sample());
    expect(meter.rate(sample(change))).toBe(expected);
  });

  it("does not mind a small estimate while nothing is held back", () => {
    expect(new QualityMeter().rate(sample({ outgoingBitrate: 50_000 }))).toBe("good");
  });

  it("rises only after four better samples in a row", () => {
    const meter = new QualityMeter();
    meter.rate(sample({ roundTrip: 0.9 }));
    const ratings = Array.from({ length: 4 }, () => meter.rate(sample()));
    expect(ratings).toEqual(["poor", "poor", "poor", "good"]);
  });

  it("counts loss since the sample before, not since the start", () => {
    const meter = new QualityMeter();
    meter.rate(sample({ packetsReceived: 100, packetsLost: 50 }));
    expect(meter.rate(sample({ packetsReceived: 300, packetsLost: 50 }))).toBe("good");
  });
});

describe("stats", () => {
  const entries: Entry[] = [
    { id: "a", type: "inbound-rtp", kind: "audio", bytesReceived: 100, packetsReceived: 10, packetsLost: 1, jitter: 0.01 },
    { id: "v", type: "inbound-rtp", kind: "video", bytesReceived: 900, packetsReceived: 20, packetsLost: 2, jitter: 0.5 },
    { id: "r", type: "remote-inbound-rtp", fractionLost: 0.25 },
    { id: "o", type: "outbound-rtp", qualityLimitationReason: "bandwidth" },
    { id: "p1", type: "candidate-pair", currentRoundTripTime: 9 },
    { id: "p2", type: "candidate-pair", currentRoundTripTime: 0.1, availableOutgoingBitrate: 5, localCandidateId: "l", remoteCandidateId: "m" },
    { id: "l", type: "local-candidate", candidateType: "host" },
    { id: "m", type: "remote-candidate", candidateType: "relay" },
    { id: "x", type: "local-candidate", candidateType: "srflx" },
  ];
  const expected: Sample = {
    bytesReceived: 1000,
    packetsReceived: 30,
    packetsLost: 3,
    lossThere: 0.25,
    jitter: 0.01,
    roundTrip: 0.1,
    outgoingBitrate: 5,
    bandwidthLimited: true,
    relayed: true,
  };

  it("are summed from a report like Chromium's, which names the pair in its transport", () => {
    expect(summarize([...entries, { id: "t", type: "transport", selectedCandidatePairId: "p2" }])).toEqual(expected);
  });

  it("are summed from a report like Firefox's, which marks the pair", () => {
    expect(summarize(entries.map((entry) => (entry.id === "p2" ? { ...entry, selected: true } : entry)))).toEqual(expected);
  });

  it("say nothing of a connection that has none yet", () => {
    expect(summarize([])).toMatchObject({ bytesReceived: 0, roundTrip: null, outgoingBitrate: null, relayed: false });
  });
});

function sample(change: Partial<Sample> = {}): Sample {
  return {
    bytesReceived: 0,
    packetsReceived: 100,
    packetsLost: 0,
    lossThere: 0,
    jitter: 0.005,
    roundTrip: 0.03,
    outgoingBitrate: 2_000_000,
    bandwidthLimited: false,
    relayed: false,
    ...change,
  };
}
