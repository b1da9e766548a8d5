import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { LocalMedia } from "./media";
import { problemOf } from "./mediaProblem";

const getUserMedia = vi.fn<(wanted: MediaStreamConstraints) => Promise<MediaStream>>();
const getDisplayMedia = vi.fn<() => Promise<MediaStream>>();
const permissions = { camera: "prompt", microphone: "prompt" };
let devices: EventTarget & { enumerateDevices: () => Promise<object[]> };

beforeEach(() => {
  getUserMedia.mockReset().mockImplementation((wanted) => Promise.resolve(stream(wanted)));
  getDisplayMedia.mockReset().mockImplementation(() => Promise.resolve(stream({ video: true })));
  permissions.camera = permissions.microphone = "prompt";
  const listed = [
    { kind: "videoinput", deviceId: "cam" },
    { kind: "audioinput", deviceId: "mic" },
  ];
  devices = Object.assign(new EventTarget(), { getUserMedia, getDisplayMedia, enumerateDevices: () => Promise.resolve(listed) });
  vi.stubGlobal("navigator", {
    mediaDevices: devices,
    permissions: { query: ({ name }: { name: keyof typeof permissions }) => Promise.resolve({ state: permissions[name] }) },
  });
});
afterEach(() => vi.unstubAllGlobals());

describe("opening", () => {
  it("asks for camera and microphone with one question", async () => {
    const media = await opened();
    expect(getUserMedia).toHaveBeenCalledTimes(1);
    expect(media.snapshot()).toMatchObject({ camera: { on: true, problem: null }, microphone: { on: true, problem: null } });
  });

  it("says that the address is not secure where browsers give no devices", async () => {
    vi.stubGlobal("navigator", {});
    vi.stubGlobal("isSecureContext", false);
    const media = await opened();
    expect(media.snapshot()).toMatchObject({ camera: { problem: "insecure" }, microphone: { problem: "insecure" } });
  });

  it("goes on saying so when somebody presses the button all the same", async () => {
    vi.stubGlobal("navigator", {});
    vi.stubGlobal("isSecureContext", false);
    const media = await opened();
    await media.toggle("camera");
    expect(media.snapshot().camera).toMatchObject({ on: false, busy: false, problem: "insecure" });
  });

  it("takes the microphone alone where there is no camera", async () => {
    getUserMedia.mockImplementation((wanted) =>
      wanted.video === undefined ? Promise.resolve(stream(wanted)) : Promise.reject(named("NotFoundError")),
    );
    const media = await opened();
    expect(media.snapshot()).toMatchObject({ camera: { on: false, problem: "missing" }, microphone: { on: true } });
  });

  it("does not ask again a person who just said no", async () => {
    getUserMedia.mockRejectedValue(named("NotAllowedError"));
    const media = await opened();
    expect(getUserMedia).toHaveBeenCalledTimes(1);
    expect(media.snapshot()).toMatchObject({ camera: { problem: "denied" }, microphone: { problem: "denied" } });
  });

  it("takes the microphone alone where only the camera is forbidden", async () => {
    permissions.camera = "denied";
    getUserMedia.mockRejectedValueOnce(named("NotAllowedError"));
    const media = await opened();
    expect(media.snapshot()).toMatchObject({ camera: { problem: "denied" }, microphone: { on: true, problem: null } });
  });

  it("lets go of devices that come after the page was left", async () => {
    const media = new LocalMedia();
    const opening = media.open();
    media.dispose();
    await opening;
    const late = await (getUserMedia.mock.results[0]?.value as Promise<MediaStream>);
    expect(late.getTracks().map(({ readyState }) => readyState)).toEqual(["ended", "ended"]);
  });
});

describe("toggling", () => {
  it("mutes the microphone without letting it go", async () => {
    const media = await opened();
    const { track } = media.snapshot().microphone;
    await media.toggle("microphone");
    expect(media.snapshot().microphone).toMatchObject({ on: false, track });
    expect(track?.enabled).toBe(false);
    await media.toggle("microphone");
    expect(track?.enabled).toBe(true);
  });

  it("lets the camera go, so that its light goes out, and takes it back", async () => {
    const media = await opened();
    const { track } = media.snapshot().camera;
    await media.toggle("camera");
    expect(track?.readyState).toBe("ended");
    expect(media.snapshot().camera).toMatchObject({ on: false, track: null, problem: null });
    await media.toggle("camera");
    expect(media.snapshot().camera.on).toBe(true);
  });
});

describe("a device that goes", () => {
  it("is told as lost when nothing can take its place", async () => {
    const media = await opened();
    devices.enumerateDevices = () => Promise.resolve([]);
    media.snapshot().camera.track?.dispatchEvent(new Event("ended"));
    await flush();
    expect(media.snapshot().camera).toMatchObject({ on: false, problem: "lost" });
  });

  it("is replaced as soon as another one is plugged in", async () => {
    const media = await opened();
    const { enumerateDevices } = devices;
    devices.enumerateDevices = () => Promise.resolve([]);
    media.snapshot().camera.track?.dispatchEvent(new Event("ended"));
    await flush();
    devices.enumerateDevices = enumerateDevices;
    devices.dispatchEvent(new Event("devicechange"));
    await flush();
    expect(media.snapshot().camera).toMatchObject({ on: true, problem: null });
  });

  it("stays muted when its replacement comes", async () => {
    const media = await opened();
    await media.toggle("microphone");
    media.snapshot().microphone.track?.dispatchEvent(new Event("ended"));
    await flush();
    expect(media.snapshot().microphone.on).toBe(false);
    expect(media.snapshot().microphone.track?.enabled).toBe(false);
  });
});

describe("the screen", () => {
  it("is shared sharp, and gone when the browser's own button stops it", async () => {
    const media = await opened();
    await media.shareScreen();
    expect(media.snapshot().screen?.contentHint).toBe("detail");
    media.snapshot().screen?.dispatchEvent(new Event("ended"));
    expect(media.snapshot().screen).toBeNull();
  });

  it("is no problem when the person changes their mind", async () => {
    const media = await opened();
    getDisplayMedia.mockRejectedValue(named("NotAllowedError"));
    await media.shareScreen();
    expect(media.snapshot()).toMatchObject({ screen: null, screenProblem: null });
  });
});

it.each([
  ["NotAllowedError", "denied"],
  ["NotFoundError", "missing"],
  ["OverconstrainedError", "missing"],
  ["NotReadableError", "in_use"],
  ["TypeError", "unknown"],
])("%s is told as %s", (name, problem) => {
  expect(problemOf(named(name))).toBe(problem);
});

async function opened(): Promise<LocalMedia> {
  const media = new LocalMedia();
  await media.open();
  return media;
}

class FakeTrack extends EventTarget {
  enabled = true;
  contentHint = "";
  readyState = "live";

  constructor(readonly kind: string) {
    super();
  }

  stop(): void {
    this.readyState = "ended";
  }

  getSettings(): object {
    return { deviceId: this.kind };
  }
}

function stream({ audio, video }: MediaStreamConstraints): MediaStream {
  const audioTracks = audio === undefined ? [] : [new FakeTrack("audio")];
  const videoTracks = video === undefined ? [] : [new FakeTrack("video")];
  const made = {
    getAudioTracks: () => audioTracks,
    getVideoTracks: () => videoTracks,
    getTracks: () => [...audioTracks, ...videoTracks],
  };
  return made as unknown as MediaStream;
}

function named(name: string): Error {
  return Object.assign(new Error("refused"), { name });
}

function flush(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
