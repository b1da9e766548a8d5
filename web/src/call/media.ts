// The person's own microphone, camera and screen. Lives before the first peer connection and outlives each of them.
import { contextProblem, type MediaProblem, problemOf } from "./mediaProblem";
import { type Readable, Store } from "./store";

export type DeviceKind = "microphone" | "camera";

export interface LocalDevice {
  /** Null while there is none, and while a camera is off: its light goes out. */
  readonly track: MediaStreamTrack | null;
  /** Running and not muted. */
  readonly on: boolean;
  readonly busy: boolean;
  readonly problem: MediaProblem | null;
  readonly choices: readonly MediaDeviceInfo[];
  /** The device in use, or the one chosen for the next start. */
  readonly deviceId: string | null;
}

export interface LocalMediaSnapshot {
  readonly microphone: LocalDevice;
  readonly camera: LocalDevice;
  readonly screen: MediaStreamTrack | null;
  readonly screenProblem: MediaProblem | null;
}

export class LocalMedia implements Readable<LocalMediaSnapshot> {
  readonly #store = new Store<LocalMediaSnapshot>({
    microphone: NO_DEVICE,
    camera: NO_DEVICE,
    screen: null,
    screenProblem: null,
  });
  #abort = new AbortController();
  /** Outlives a microphone: whoever muted themselves stays muted when another takes its place. */
  #muted = false;

  readonly subscribe = this.#store.subscribe;
  readonly snapshot = this.#store.snapshot;

  /** Asks for both devices; whichever cannot be had is told in its `problem`. */
  async open(): Promise<void> {
    const problem = contextProblem();
    if (problem !== null) {
      this.#patch("microphone", { problem });
      this.#patch("camera", { problem });
      return;
    }
    if (this.#abort.signal.aborted) this.#abort = new AbortController();
    const { signal } = this.#abort;
    navigator.mediaDevices.addEventListener("devicechange", () => void this.#devicesChanged(), { signal });
    await this.#startTogether();
  }

  /** Asks again for what could not be had; what was turned off stays off. */
  async retry(): Promise<void> {
    const missing = KINDS.filter((kind) => this.snapshot()[kind].problem !== null);
    if (missing.length === KINDS.length) await this.#startTogether();
    else for (const kind of missing) await this.#start(kind);
  }

  async toggle(kind: DeviceKind): Promise<void> {
    const { track, on, busy } = this.snapshot()[kind];
    if (busy) return;
    if (kind === "microphone") this.#muted = on;
    if (track === null) await this.#start(kind);
    else if (kind === "camera") this.#stop(kind);
    else {
      track.enabled = !on;
      this.#patch(kind, { on: !on });
    }
  }

  async choose(kind: DeviceKind, deviceId: string): Promise<void> {
    this.#patch(kind, { deviceId });
    if (this.snapshot()[kind].track !== null) await this.#start(kind);
  }

  /** The browser asks which screen or window; to decline is no problem. */
  async shareScreen(): Promise<void> {
    this.#store.patch({ screenProblem: null });
    const { signal } = this.#abort;
    try {
      const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { ideal: 15, max: 30 } }, audio: false });
      const track = stream.getVideoTracks()[0] ?? null;
      if (signal.aborted) track?.stop();
      if (track === null || signal.aborted) return;
      track.contentHint = "detail";
      track.addEventListener("ended", () => this.stopScreen());
      this.#store.patch({ screen: track });
    } catch (error) {
      const problem = problemOf(error);
      if (problem !== "denied") this.#store.patch({ screenProblem: problem });
    }
  }

  get disposed(): boolean {
    return this.#abort.signal.aborted;
  }

  stopScreen(): void {
    this.snapshot().screen?.stop();
    this.#store.patch({ screen: null });
  }

  dispose(): void {
    this.#abort.abort();
    this.stopScreen();
    for (const kind of KINDS) this.#stop(kind);
  }

  /** One question for both is enough. */
  async #startTogether(): Promise<void> {
    for (const kind of KINDS) this.#patch(kind, { busy: true, problem: null });
    const { signal } = this.#abort;
    try {
      const stream = await capture({ audio: constraints("microphone"), video: constraints("camera") });
      for (const kind of KINDS) this.#adopt(kind, stream, signal);
      await this.#list();
    } catch (error) {
      for (const kind of await this.#worthAskingAlone(error)) await this.#start(kind);
    }
  }

  async #start(kind: DeviceKind): Promise<void> {
    const { signal } = this.#abort;
    const { deviceId } = this.snapshot()[kind];
    this.#patch(kind, { busy: true, problem: null });
    // Some cameras cannot be opened twice: the old one is let go first.
    this.snapshot()[kind].track?.stop();
    try {
      const wanted = constraints(kind, deviceId);
      this.#adopt(kind, await capture(kind === "camera" ? { video: wanted } : { audio: wanted }), signal);
      await this.#list();
    } catch (error) {
      this.#patch(kind, { track: null, on: false, busy: false, problem: contextProblem() ?? problemOf(error) });
    }
  }

  #adopt(kind: DeviceKind, stream: MediaStream, signal: AbortSignal): void {
    const [track] = kind === "camera" ? stream.getVideoTracks() : stream.getAudioTracks();
    if (signal.aborted) track?.stop();
    if (track === undefined || signal.aborted) return;
    track.contentHint = kind === "camera" ? "motion" : "speech";
    track.addEventListener("ended", () => {
      if (this.snapshot()[kind].track !== track) return;
      this.#patch(kind, { track: null, on: false, problem: "lost" });
      void this.#devicesChanged();
    });
    const deviceId = track.getSettings().deviceId ?? null;
    const on = kind === "camera" || !this.#muted;
    track.enabled = on;
    this.#patch(kind, { track, on, busy: false, problem: null, deviceId });
  }

  #stop(kind: DeviceKind): void {
    this.snapshot()[kind].track?.stop();
    this.#patch(kind, { track: null, on: false, busy: false });
  }

  /** Which devices to ask for by themselves after both together were refused; the others get their problem. */
  async #worthAskingAlone(error: unknown): Promise<readonly DeviceKind[]> {
    const problem = problemOf(error);
    if (problem !== "denied") return KINDS;
    const states = await Promise.all(KINDS.map(permission));
    const open = KINDS.filter((_, index) => states[index] !== "denied");
    // With neither forbidden for good the person just said no: to ask again would be rude.
    const worth = open.length === 1 ? open : [];
    for (const kind of KINDS) if (!worth.includes(kind)) this.#patch(kind, { busy: false, problem });
    return worth;
  }

  async #devicesChanged(): Promise<void> {
    await this.#list();
    for (const kind of KINDS) {
      const { problem, choices } = this.snapshot()[kind];
      if ((problem === "lost" || problem === "missing") && choices.length > 0) {
        this.#patch(kind, { deviceId: null });
        await this.#start(kind);
      }
    }
  }

  async #list(): Promise<void> {
    const devices = await navigator.mediaDevices.enumerateDevices();
    if (this.#abort.signal.aborted) return;
    for (const kind of KINDS) {
      const wanted = kind === "camera" ? "videoinput" : "audioinput";
      this.#patch(kind, { choices: devices.filter((device) => device.kind === wanted && device.deviceId !== "") });
    }
  }

  #patch(kind: DeviceKind, change: Partial<LocalDevice>): void {
    this.#store.patch({ [kind]: { ...this.snapshot()[kind], ...change } });
  }
}

function capture(wanted: MediaStreamConstraints): Promise<MediaStream> {
  return navigator.mediaDevices.getUserMedia(wanted);
}

function constraints(kind: DeviceKind, deviceId: string | null = null): MediaTrackConstraints {
  const device = deviceId === null ? {} : { deviceId: { exact: deviceId } };
  if (kind === "microphone") return { ...device, echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  const facing = deviceId === null ? { facingMode: "user" } : {};
  return { ...device, ...facing, width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };
}

/** Null where the browser does not tell. */
async function permission(kind: DeviceKind): Promise<PermissionState | null> {
  try {
    return (await navigator.permissions.query({ name: kind })).state;
  } catch {
    return null;
  }
}

const KINDS: readonly DeviceKind[] = ["microphone", "camera"];
const NO_DEVICE: LocalDevice = { track: null, on: false, busy: false, problem: null, choices: [], deviceId: null };
