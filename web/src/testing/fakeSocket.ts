import type { ClientMessage, ServerMessage, WaitReason } from "../protocol/signal";

/** A WebSocket whose other end is the test. */
export class FakeSocket {
  static readonly OPEN = 1;
  static all: FakeSocket[] = [];

  readyState = 0;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  readonly sent: ClientMessage[] = [];

  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }

  static get last(): FakeSocket {
    const socket = FakeSocket.all.at(-1);
    if (socket === undefined) throw new Error("no socket was opened");
    return socket;
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as ClientMessage);
  }

  close(): void {
    this.readyState = 3;
  }

  opens(): void {
    this.readyState = FakeSocket.OPEN;
    this.onopen?.();
  }

  says(message: ServerMessage): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  closes(code: number): void {
    this.readyState = 3;
    this.onclose?.({ code });
  }

  /** Everything up to the lobby. */
  waits(reason: WaitReason = "no_staff"): void {
    this.opens();
    this.says({ type: "welcome", version: 2 });
    this.says({ type: "waiting", you: { participant_id: "me", display_name: "Stu Student", role: "student" }, reason });
  }

  /** Everything up to the seat. */
  seats(joined: Partial<Extract<ServerMessage, { type: "joined" }>> = {}): void {
    this.opens();
    this.says({ type: "welcome", version: 2 });
    const you = { participant_id: "me", display_name: "Stu Student", role: "student" } as const;
    this.says({ type: "joined", resumed: false, resume: "token", you, moderator: false, locked: false, peers: [], ...joined });
  }
}
