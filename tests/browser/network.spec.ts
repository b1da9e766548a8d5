import { type Browser, type Page, expect, test } from "@playwright/test";

import { CuttableWire } from "./cuttable.ts";
import { BOX, Daemon } from "./daemon.ts";
import { TOPIC, agree, callStats, expectFrames, expectStatus, joinMeeting, meet, openBrowser, openPage, press, signIn } from "./people.ts";

let browser: Browser;
let daemon: Daemon | undefined;

test.beforeAll(async () => {
  browser = await openBrowser();
});
test.afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  await daemon?.stop();
});
test.afterAll(() => browser.close());

for (const { over, turn } of [
  { over: "udp", turn: 'listen-udp = ["0.0.0.0:3478"]\nlisten-tcp = []' },
  { over: "tcp", turn: 'listen-udp = []\nlisten-tcp = ["0.0.0.0:3478"]' },
  { over: "tls", turn: "listen-udp = []\nlisten-tcp = []" },
]) {
  const path = over === "tls" ? "the page's own port within TLS" : over;
  test(`with relay-only both sides of the selected pair are relays, over ${path}`, async () => {
    daemon = await Daemon.start({ port: 8443, turn: `${turn}\nrelay-only = true` });
    const { mentor, student } = await meet(browser, daemon);
    for (const page of [mentor, student]) {
      await expectFrames(page, 60);
      const { local, remote, relayProtocol } = await callStats(page);
      expect([local, remote, relayProtocol]).toEqual(["relay", "relay", over]);
    }
    await press(mentor, "End for everyone");
    await expect(student.getByRole("heading", { name: "The meeting has ended" })).toBeVisible();
  });
}

test("a socket cut in mid-call comes back and the media never notice", async () => {
  daemon = await Daemon.start({ port: 8443 });
  const wire = await CuttableWire.stretch(8500, 8443);
  try {
    const { mentor, student } = await meet(browser, daemon, `https://${BOX}:8500`);
    const before = await callStats(student);
    wire.cut();
    await expect(student.getByText("You are cut off from the box")).toBeVisible();
    await expectFrames(student, 60);
    await expectFrames(mentor, 60);
    wire.mend();
    await expect(student.getByText("You are cut off from the box")).toBeHidden();
    await Promise.all([expectStatus(mentor, "connected"), expectStatus(student, "connected")]);
    expect((await callStats(student)).connections, "the same peer connection").toBe(before.connections);
    await expectFrames(student);
    await press(mentor, "Mute microphone");
    const seen = student.getByRole("figure", { name: "Mara Mentor" });
    await expect(seen.getByRole("img", { name: "Microphone off" }), "signaling works again").toBeVisible();
    const rows = () => daemon?.rows("SELECT DISTINCT left_at, online FROM video_call_participants");
    await expect.poll(rows).toEqual([{ left_at: null, online: 1 }]);
  } finally {
    await wire.close();
  }
});

test("a daemon that is killed and started again finds everybody in the same call", async () => {
  daemon = await Daemon.start({ port: 8443 });
  const { mentor, student } = await meet(browser, daemon);
  await daemon.kill("SIGKILL");
  await expectFrames(student, 30);
  await daemon.resume();
  await Promise.all([mentor, student].map((page) => expect(page.getByText("You are cut off from the box")).toBeHidden()));
  await Promise.all([expectStatus(mentor, "connected"), expectStatus(student, "connected")]);
  await Promise.all([expectFrames(mentor), expectFrames(student)]);
});

test("a daemon that restarts brings relayed media back within 10 s", async () => {
  const turn = 'listen-udp = ["0.0.0.0:3478"]\nlisten-tcp = []\nrelay-only = true';
  daemon = await Daemon.start({ port: 8443, turn });
  const { mentor, student } = await meet(browser, daemon);
  await Promise.all([expectFrames(mentor), expectFrames(student)]);
  await daemon.kill("SIGTERM");
  await daemon.resume();
  const back = Date.now();
  await Promise.all([expectFrames(mentor), expectFrames(student)]);
  expect(Date.now() - back).toBeLessThan(10_000);
  await Promise.all([expectStatus(mentor, "connected"), expectStatus(student, "connected")]);
  for (const page of [mentor, student]) expect((await callStats(page)).local).toBe("relay");
});

test("a student who waited reaches the relay once let in", async () => {
  daemon = await Daemon.start({ port: 8443, turn: 'listen-udp = ["0.0.0.0:3478"]\nlisten-tcp = []\nrelay-only = true' });
  const { mentor, student } = await waitedFor(daemon.url);
  await mentor.getByRole("button", { name: "Admit Stu Student" }).click();
  for (const page of [mentor, student]) {
    await expectStatus(page, "connected");
    await expectFrames(page);
    expect((await callStats(page)).local).toBe("relay");
  }
});

test("a socket cut in the lobby asks again, and its student is waited for once", async () => {
  daemon = await Daemon.start({ port: 8443 });
  const wire = await CuttableWire.stretch(8500, 8443);
  try {
    const { mentor, student } = await waitedFor(daemon.url, `https://${BOX}:8500`);
    wire.cut();
    await expect(student.getByText("You are cut off from the box")).toBeVisible();
    wire.mend();
    await expect(student.getByText("You are cut off from the box")).toBeHidden();
    await expectStatus(student, "lobby");
    await press(mentor, "People, 1 person is waiting");
    await mentor.getByRole("complementary", { name: "People" }).getByRole("button", { name: "Admit Stu Student" }).click();
    await Promise.all([expectStatus(mentor, "connected"), expectStatus(student, "connected")]);
    await Promise.all([expectFrames(mentor), expectFrames(student)]);
  } finally {
    await wire.close();
  }
});

/** A student before the door, and the mentor who is told so. */
async function waitedFor(url: string, studentUrl = url): Promise<{ mentor: Page; student: Page }> {
  const [mentor, student] = [await openPage(browser), await openPage(browser)];
  await signIn(mentor, url, "mara");
  await signIn(student, studentUrl, "stu");
  await agree(mentor, student, TOPIC);
  await joinMeeting(student, TOPIC);
  await expectStatus(student, "lobby");
  await joinMeeting(mentor, TOPIC);
  await expect(mentor.getByText("Stu Student is waiting")).toBeVisible();
  return { mentor, student };
}
