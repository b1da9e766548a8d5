import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { IceRestart } from "./restart";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("ICE restart", () => {
  it("follows at once when the impolite side fails", async () => {
    const { policy, restart } = made();
    policy.handleState("failed");
    await vi.advanceTimersByTimeAsync(0);
    expect(restart).toHaveBeenCalledTimes(1);
  });

  it("is left to the impolite side first", async () => {
    const { policy, restart } = made({ polite: true });
    policy.handleState("failed");
    await vi.advanceTimersByTimeAsync(3_999);
    expect(restart).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(restart).toHaveBeenCalledTimes(1);
  });

  it("gives the other side's restart its time", async () => {
    const { policy, restart } = made({ polite: true });
    policy.handleState("failed");
    await vi.advanceTimersByTimeAsync(2_000);
    policy.handleState("checking");
    await vi.advanceTimersByTimeAsync(9_999);
    expect(restart).not.toHaveBeenCalled();
  });

  it("waits for 2.5 s of silence when merely disconnected", async () => {
    const { policy, restart } = made();
    policy.handleState("disconnected");
    await vi.advanceTimersByTimeAsync(2_499);
    expect(restart).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(restart).toHaveBeenCalledTimes(1);
  });

  it("does not happen while bytes still come", async () => {
    let bytes = 0;
    const { policy, restart } = made({ bytesReceived: () => Promise.resolve((bytes += 100)) });
    policy.handleState("disconnected");
    await vi.advanceTimersByTimeAsync(20_000);
    expect(restart).not.toHaveBeenCalled();
  });

  it("is called off when the connection comes back", async () => {
    const { policy, restart } = made();
    policy.handleState("disconnected");
    await vi.advanceTimersByTimeAsync(1_000);
    policy.handleState("connected");
    await vi.advanceTimersByTimeAsync(20_000);
    expect(restart).not.toHaveBeenCalled();
  });

  it("is tried again every 10 s until it helps, and counts what did not", async () => {
    const { policy, restart, onFruitless } = made();
    policy.handleState("failed");
    await vi.advanceTimersByTimeAsync(20_000);
    expect(restart).toHaveBeenCalledTimes(3);
    expect(onFruitless.mock.calls).toEqual([[0], [1], [2]]);
    policy.handleState("connected");
    await vi.advanceTimersByTimeAsync(30_000);
    expect(restart).toHaveBeenCalledTimes(3);
  });

  it("goes on after a failure that follows a fruitless restart", async () => {
    const { policy, restart } = made();
    policy.handleState("disconnected");
    await vi.advanceTimersByTimeAsync(2_500);
    policy.handleState("checking");
    policy.handleState("failed");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(restart).toHaveBeenCalledTimes(2);
  });

  it.each([
    ["impolite", 1_500],
    ["polite", 5_500],
  ])("follows soon when a connected path is suspected and silent (%s side)", async (side, delay) => {
    const { policy, restart } = made({ polite: side === "polite" });
    policy.handleState("connected");
    policy.suspect();
    await vi.advanceTimersByTimeAsync(delay - 1);
    expect(restart).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(restart).toHaveBeenCalledTimes(1);
  });

  it("does not follow a suspicion while bytes come", async () => {
    let bytes = 0;
    const { policy, restart } = made({ bytesReceived: () => Promise.resolve((bytes += 100)) });
    policy.handleState("connected");
    policy.suspect();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(restart).not.toHaveBeenCalled();
  });

  it("never happens after dispose", async () => {
    const { policy, restart } = made();
    policy.handleState("disconnected");
    policy.dispose();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(restart).not.toHaveBeenCalled();
  });
});

function made({ polite = false, bytesReceived = () => Promise.resolve(7) } = {}) {
  const restart = vi.fn<() => void>();
  const onFruitless = vi.fn<(restarts: number) => void>();
  return { policy: new IceRestart({ polite, bytesReceived, restart, onFruitless }), restart, onFruitless };
}
