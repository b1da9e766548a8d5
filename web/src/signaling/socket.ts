// The signaling socket of one seat: greets, joins or waits for one, comes back with its token when it drops. Media knows nothing of it.
import { parseServerMessage } from "../protocol/parse";
import { type ClientMessage, type CloseReason, closeReason, type EndReason, type ServerMessage, VERSIONS } from "../protocol/signal";
import { awayDelay, backoffDelay } from "./backoff";
import { SleepWatch } from "./sleep";

/** `waiting`: in the lobby, without a seat. */
export type SocketState = "opening" | "waiting" | "joined" | "reconnecting" | "closed";

/** Why a socket stays closed. */
export type SocketEnd =
  | { readonly kind: "room_ended"; readonly reason: EndReason | null }
  | { readonly kind: Exclude<CloseReason, "room_ended"> | "seat_taken" | "room_full" | "not_found" };

/** What the API says about the room after a socket was refused: a browser does not tell scripts why. */
export type ProbeResult = "standing" | "signed_out" | "not_found" | "room_ended" | "unreachable";

export interface SocketEvents {
  readonly onState: (state: SocketState) => void;
  readonly onMessage: (message: SeatedMessage) => void;
  readonly onEnd: (end: SocketEnd) => void;
}

/** What reaches the call; the socket keeps to itself the greeting, the end, and errors before there is a seat. */
export type SeatedMessage = Exclude<ServerMessage, { readonly type: "welcome" | "ended" }>;

export interface SocketOptions {
  readonly url: string;
  readonly takeover: boolean;
  readonly probe: () => Promise<ProbeResult>;
  readonly random?: () => number;
}

export class SignalingSocket {
  readonly #options: SocketOptions;
  readonly #events: SocketEvents;
  readonly #random: () => number;
  #socket: WebSocket | null = null;
  #state: SocketState = "opening";
  #resume: string | null = null;
  #takeover: boolean;
  #endReason: EndReason | null = null;
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #abort = new AbortController();
  readonly #sleep = new SleepWatch(() => this.reconnect());

  constructor(options: SocketOptions, events: SocketEvents) {
    this.#options = options;
    this.#events = events;
    this.#random = options.random ?? Math.random;
    this.#takeover = options.takeover;
  }

  open(): void {
    const { signal } = this.#abort;
    // A socket over a network that is gone would look open for minutes.
    globalThis.addEventListener("offline", () => this.reconnect(), { signal });
    // Everybody hears of a network that is there again, at the same moment.
    globalThis.addEventListener("online", () => this.reconnect(awayDelay(this.#random())), { signal });
    this.#connect();
  }

  get state(): SocketState {
    return this.#state;
  }

  /** Sends if seated. Nothing waits for a socket that is down: after `joined` the call says what is so by then. */
  send(message: ClientMessage): void {
    if (this.#state === "joined") this.#write(message);
  }

  /** Drops the socket and comes back with the token, at once if nothing else is said; the seat and the media stay. */
  reconnect(delay = 0): void {
    if (this.#state === "closed" || this.#state === "opening") return;
    this.#discard();
    this.#attempt = 0;
    this.#comeBack(delay);
  }

  leave(): void {
    if (this.#state === "joined" || this.#state === "waiting") this.#write({ type: "leave" });
    this.dispose();
  }

  dispose(): void {
    this.#abort.abort();
    this.#sleep.dispose();
    this.#discard();
    this.#state = "closed";
  }

  #connect(): void {
    const socket = new WebSocket(this.#options.url);
    let opened = false;
    this.#socket = socket;
    socket.onopen = () => {
      opened = true;
      this.#write({ type: "hello", versions: VERSIONS });
    };
    socket.onmessage = ({ data }: MessageEvent<unknown>) => this.#receive(data);
    socket.onclose = ({ code }) => {
      this.#discard();
      this.#closed(code, opened);
    };
    // A daemon that vanished leaves an attempt hanging for as long as TCP likes.
    this.#timer = setTimeout(() => {
      this.#discard();
      this.#closed(TIMED_OUT, opened);
    }, JOIN_TIMEOUT_MS);
  }

  #receive(data: unknown): void {
    const message = parse(data);
    if (message === null) return;
    switch (message.type) {
      case "welcome":
        this.#join();
        break;
      case "error":
        // With a seat it is the answer to something that was asked for others.
        if (this.#state === "joined") this.#events.onMessage(message);
        else if (message.code === "seat_taken" || message.code === "room_full") this.#end({ kind: message.code });
        break;
      case "ended":
        this.#endReason = message.reason;
        break;
      case "joined":
        this.#answered("joined", message.resume);
        this.#events.onMessage(message);
        break;
      case "waiting":
        // Whatever seat there was is gone, and its token with it.
        this.#answered("waiting", null);
        this.#events.onMessage(message);
        break;
      default:
        this.#events.onMessage(message);
    }
  }

  #answered(state: "joined" | "waiting", resume: string | null): void {
    clearTimeout(this.#timer);
    this.#resume = resume;
    // A seat is taken from another tab once, when somebody says so; never again by itself.
    this.#takeover = false;
    this.#attempt = 0;
    this.#setState(state);
  }

  #join(): void {
    if (this.#resume === null) this.#write({ type: "join", takeover: this.#takeover });
    else this.#write({ type: "join", resume: this.#resume, takeover: false });
  }

  #closed(code: number, opened: boolean): void {
    const reason = closeReason(code);
    if (reason === "room_ended") this.#end({ kind: reason, reason: this.#endReason });
    else if (reason !== undefined) this.#end({ kind: reason });
    else if (!opened) void this.#askWhy();
    else if (code === GOING_AWAY) this.#comeBack(awayDelay(this.#random()));
    else {
      if (code === TRY_AGAIN_LATER) this.#attempt = Math.max(this.#attempt, 2);
      this.#comeBack(this.#nextDelay());
    }
  }

  async #askWhy(): Promise<void> {
    if (this.#state !== "opening") this.#setState("reconnecting");
    const result = await this.#options.probe();
    if (this.#abort.signal.aborted || this.#socket !== null) return;
    switch (result) {
      case "standing":
      case "unreachable":
        this.#comeBack(this.#nextDelay());
        break;
      case "room_ended":
        this.#end({ kind: "room_ended", reason: this.#endReason });
        break;
      case "signed_out":
      case "not_found":
        this.#end({ kind: result });
        break;
    }
  }

  #comeBack(delay: number): void {
    if (this.#state !== "opening") this.#setState("reconnecting");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), delay);
  }

  #nextDelay(): number {
    const delay = backoffDelay(this.#attempt, this.#random());
    this.#attempt += 1;
    return delay;
  }

  #end(end: SocketEnd): void {
    this.dispose();
    this.#events.onState("closed");
    this.#events.onEnd(end);
  }

  #write(message: ClientMessage): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** Forgets the socket, so that nothing of it is heard any more. */
  #discard(): void {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #setState(state: SocketState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#events.onState(state);
  }
}

/** Null for what this page does not know: a newer daemon may say more. */
function parse(data: unknown): ServerMessage | null {
  if (typeof data !== "string") return null;
  try {
    return parseServerMessage(data);
  } catch {
    return null;
  }
}

const GOING_AWAY = 1001;
const TRY_AGAIN_LATER = 1013;
/** No close code: nobody closed it. */
const TIMED_OUT = -1;
const JOIN_TIMEOUT_MS = 10_000;
