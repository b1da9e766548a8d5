import { beforeEach, describe, expect, it, vi } from "vitest";

import type { PeerMessage } from "../protocol/signal";
import { FakeConnection } from "../testing/fakeConnection";
import { PerfectNegotiation } from "./negotiation";

describe("perfect negotiation", () => {
  let mentor: Side;
  let student: Side;

  beforeEach(() => {
    mentor = new Side(false);
    student = new Side(true);
  });

  it("connects the two when the impolite side offers", async () => {
    mentor.connection.need();
    await settle(mentor, student);
    expectAgreement(mentor, student);
    expect(student.connection.candidates).toEqual([`host of ${String(mentor.id)}`]);
    expect(mentor.connection.candidates).toEqual([`host of ${String(student.id)}`]);
  });

  it("puts tracks on the m-lines between offer and answer", async () => {
    student.prepareAnswer.mockImplementation(() => {
      expect(student.connection.signalingState).toBe("have-remote-offer");
      return Promise.resolve();
    });
    mentor.connection.need();
    await settle(mentor, student);
    expect(student.prepareAnswer).toHaveBeenCalledTimes(1);
    expect(mentor.prepareAnswer).not.toHaveBeenCalled();
  });

  it("lets the polite side give way at glare, and offer again afterwards", async () => {
    mentor.connection.need();
    student.connection.need();
    await settle(mentor, student);
    expectAgreement(mentor, student);
    expect(types(mentor.said)).toEqual(["offer", "answer"]);
    expect(types(student.said)).toEqual(["offer", "answer", "offer"]);
  });

  it("raises no error for candidates of an offer that was ignored", async () => {
    mentor.connection.need();
    await settle(mentor, student);
    mentor.connection.restartIce();
    student.connection.restartIce();
    await settle(mentor, student);
    expectAgreement(mentor, student);
    expect(mentor.onError).not.toHaveBeenCalled();
    expect(student.onError).not.toHaveBeenCalled();
  });

  it("keeps candidates that come before the description", async () => {
    mentor.connection.need();
    await flush();
    const [offer, ...candidates] = mentor.take();
    for (const message of [...candidates, offer]) if (message !== undefined) student.negotiation.handle(message);
    await flush();
    expect(student.connection.candidates).toEqual([`host of ${String(mentor.id)}`]);
    expect(student.onError).not.toHaveBeenCalled();
  });

  it("says a lost offer again after a resume", async () => {
    mentor.connection.need();
    await flush();
    mentor.take();
    mentor.negotiation.resend();
    await settle(mentor, student);
    expectAgreement(mentor, student);
  });

  it("ignores the second answer to an offer that was sent twice", async () => {
    mentor.connection.need();
    await flush();
    mentor.negotiation.resend();
    await settle(mentor, student);
    expect(types(student.said)).toEqual(["answer", "answer"]);
    expectAgreement(mentor, student);
    expect(mentor.onError).not.toHaveBeenCalled();
  });

  it("says nothing again when nothing is pending", async () => {
    mentor.connection.need();
    await settle(mentor, student);
    const said = mentor.said.length;
    mentor.negotiation.resend();
    await settle(mentor, student);
    expect(mentor.said).toHaveLength(said);
  });

  it.each(["mentor", "student"])("takes both sides to a new ICE generation when the %s restarts", async (who) => {
    mentor.connection.need();
    await settle(mentor, student);
    const before = mentor.connection.generations;
    (who === "mentor" ? mentor : student).connection.restartIce();
    await settle(mentor, student);
    expectAgreement(mentor, student);
    expect(mentor.connection.generations).not.toEqual(before);
  });

  it("is silent once disposed, whatever was under way", async () => {
    mentor.connection.need();
    mentor.negotiation.dispose();
    mentor.negotiation.handle({ type: "offer", sdp: "offer ufrag:x" });
    mentor.negotiation.resend();
    await flush();
    expect(mentor.said).toEqual([]);
    expect(mentor.onError).not.toHaveBeenCalled();
  });

  it("reports a description that the browser refuses, and goes on", async () => {
    const refusal = new DOMException("nonsense", "InvalidAccessError");
    vi.spyOn(student.connection, "setRemoteDescription").mockRejectedValueOnce(refusal);
    student.negotiation.handle({ type: "offer", sdp: "nonsense" });
    await flush();
    expect(student.onError).toHaveBeenCalledWith(refusal);
    mentor.connection.need();
    await settle(mentor, student);
    expectAgreement(mentor, student);
  });

  it.each(Array.from({ length: 50 }, (_, seed) => seed + 1))("agrees in the end, whoever offers when (seed %i)", async (seed) => {
    const random = generator(seed);
    for (let step = 0; step < 30; step += 1) {
      const side = random() < 0.5 ? mentor : student;
      const other = side === mentor ? student : mentor;
      const dice = random();
      if (dice < 0.25) side.connection.need();
      else if (dice < 0.35) side.connection.restartIce();
      else if (dice < 0.45) side.negotiation.resend();
      else other.hear(side, 1);
      await (random() < 0.3 ? flush() : Promise.resolve());
    }
    mentor.connection.need();
    await settle(mentor, student);
    expectAgreement(mentor, student);
    expect(mentor.onError).not.toHaveBeenCalled();
    expect(student.onError).not.toHaveBeenCalled();
  });
});

/** One browser with its end of the wire. */
class Side {
  readonly connection = new FakeConnection();
  readonly id = FakeConnection.all.length - 1;
  readonly said: PeerMessage[] = [];
  readonly prepareAnswer = vi.fn(() => Promise.resolve());
  readonly onError = vi.fn<(error: unknown) => void>();
  readonly negotiation: PerfectNegotiation;
  #unheard: PeerMessage[] = [];

  constructor(polite: boolean) {
    this.negotiation = new PerfectNegotiation({
      connection: this.connection as unknown as RTCPeerConnection,
      polite,
      send: (message) => {
        this.said.push(message);
        this.#unheard.push(message);
      },
      prepareAnswer: this.prepareAnswer,
      onError: this.onError,
    });
  }

  take(count = Infinity): PeerMessage[] {
    return this.#unheard.splice(0, count);
  }

  hear(other: Side, count = Infinity): number {
    const messages = other.take(count);
    for (const message of messages) this.negotiation.handle(message);
    return messages.length;
  }
}

async function settle(a: Side, b: Side): Promise<void> {
  for (;;) {
    await flush();
    if (a.hear(b) + b.hear(a) === 0) return;
  }
}

/** Long enough for a description and the candidates that follow it. */
async function flush(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setTimeout(resolve));
}

function expectAgreement(a: Side, b: Side): void {
  expect([a.connection.signalingState, b.connection.signalingState]).toEqual(["stable", "stable"]);
  const [own, other] = a.connection.generations;
  expect(own).toBeDefined();
  expect(b.connection.generations).toEqual([other, own]);
}

function types(messages: readonly PeerMessage[]): string[] {
  return messages.map(({ type }) => type).filter((type) => type !== "candidate");
}

/** Mulberry32: the same steps for the same seed. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
