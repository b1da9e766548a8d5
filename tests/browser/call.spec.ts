import { type Browser, type Page, expect, test } from "@playwright/test";

import { Daemon } from "./daemon.ts";
import { callStats, expectFrames, expectStatus, meet, openBrowser, openPage, press, signIn, agree, joinMeeting } from "./people.ts";

let browser: Browser;
let daemon: Daemon;

test.beforeAll(async () => {
  browser = await openBrowser();
});
test.beforeEach(async () => {
  daemon = await Daemon.start({ port: 8443 });
});
test.afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  await daemon.stop();
});
test.afterAll(() => browser.close());

test("mentor and student go from sign-in to a call, and its rows tell the truth", async () => {
  const before = Date.now();
  const { mentor, student } = await meet(browser, daemon);
  await Promise.all([expectFrames(mentor), expectFrames(student)]);
  await expect(mentor.getByRole("figure", { name: "Stu Student" })).toContainText("Student");
  await expect(student.getByRole("figure", { name: "Mara Mentor" })).toContainText("Mentor");
  expect((await callStats(mentor)).local).toBe("host");

  const rooms = () => daemon.rows("SELECT status, ended_at FROM video_call_rooms");
  await expect.poll(rooms).toEqual([{ status: "active", ended_at: null }]);
  const online = () => daemon.rows("SELECT online FROM video_call_participants").map((row) => row["online"]);
  await expect.poll(online).toEqual([1, 1]);

  await press(mentor, "End for everyone");
  for (const page of [mentor, student]) await expect(page.getByRole("heading", { name: "The meeting has ended" })).toBeVisible();
  await expect.poll(online).toEqual([0, 0]);
  const [room] = daemon.rows("SELECT status, created_at, started_at, ended_at FROM video_call_rooms");
  expect(room?.["status"]).toBe("ended");
  const times = [before, room?.["created_at"], room?.["started_at"], room?.["ended_at"], Date.now()].map(Number);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  const people = daemon.rows("SELECT role, joined_at, left_at FROM video_call_participants ORDER BY role");
  expect(people.map((person) => person["role"])).toEqual(["mentor", "student"]);
  for (const { joined_at, left_at } of people) {
    expect(Number(joined_at)).toBeGreaterThanOrEqual(Number(room?.["created_at"]));
    expect(Number(left_at)).toBeGreaterThan(Number(joined_at));
    expect(Number(left_at)).toBeLessThanOrEqual(Number(room?.["ended_at"]));
  }
});

test("mute, camera and screen do what they say on the other side", async () => {
  const { mentor, student } = await meet(browser, daemon);
  const seen = student.getByRole("figure", { name: "Mara Mentor" });

  expect(await audioLevel(student)).toBeGreaterThan(0);
  await press(mentor, "Mute microphone");
  await expect(seen.getByRole("img", { name: "Microphone off" })).toBeVisible();
  await expect.poll(() => audioLevel(student)).toBe(0);
  await press(mentor, "Unmute microphone");
  await expect(seen.getByRole("img", { name: "Microphone off" })).toBeHidden();
  await expect.poll(() => audioLevel(student)).toBeGreaterThan(0);

  await press(mentor, "Turn camera off");
  await expect(seen.getByText("Camera off").first()).toBeVisible();
  await expect(seen).toHaveAttribute("data-camera", "false");
  await press(mentor, "Turn camera on");
  await expect(seen).toHaveAttribute("data-camera", "true");
  await expectFrames(student);

  await press(mentor, "Share screen");
  await expect(student.getByTestId("remote-screen")).toBeVisible();
  await expect.poll(() => playing(student, "remote-screen")).toBe(true);
  await expect.poll(() => playing(student, "remote-camera"), "the camera stays").toBe(true);
  await press(mentor, "Stop sharing");
  await expect(student.getByTestId("remote-screen")).toBeHidden();
  await expectFrames(student);
});

test("whoever leaves is gone on the other side, and may come back", async () => {
  const { mentor, student } = await meet(browser, daemon);
  await press(student, "Leave");
  await expect(student.getByRole("heading", { name: "You left the meeting" })).toBeVisible();
  await expectStatus(mentor, "waiting");
  await expect(student.getByRole("button", { name: "End for everyone" })).toHaveCount(0);
  await student.getByText("Join again").click();
  await Promise.all([expectStatus(mentor, "connected"), expectStatus(student, "connected")]);
  await Promise.all([expectFrames(mentor), expectFrames(student)]);
});

test("controls fade after three seconds and come back on pointer and key", async () => {
  const { mentor } = await meet(browser, daemon);
  const controls = mentor.getByRole("toolbar", { name: "Call controls" });
  const opacity = () => controls.evaluate((bar) => Number(getComputedStyle(bar.parentElement ?? bar).opacity) * Number(getComputedStyle(bar).opacity));
  await mentor.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await mentor.mouse.move(300, 300);
  expect(await opacity()).toBe(1);
  await expect.poll(opacity).toBe(0);
  await mentor.mouse.move(320, 320);
  await expect.poll(opacity).toBe(1);
  await expect.poll(opacity).toBe(0);
  await mentor.keyboard.press("Shift");
  await expect.poll(opacity).toBe(1);
});

test("several calls run at once", async () => {
  const first = await meet(browser, daemon);
  const [mentor, student] = [await openPage(browser), await openPage(browser)];
  await signIn(mentor, daemon.url, "mara");
  await signIn(student, daemon.url, "stu");
  await agree(mentor, student, "Rivers");
  await joinMeeting(mentor, "Rivers");
  await expectStatus(mentor, "waiting");
  await joinMeeting(student, "Rivers");
  await Promise.all([first.mentor, first.student, mentor, student].map((page) => expectFrames(page)));
});

/** The loudest of the sound that comes in, 0 to 1. */
function audioLevel(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const all = (window as unknown as { peerConnections: RTCPeerConnection[] }).peerConnections;
    const energy = async () => {
      let total = 0;
      for (const connection of all) {
        (await connection.getStats()).forEach((entry: Record<string, unknown>) => {
          if (entry["type"] === "inbound-rtp" && entry["kind"] === "audio") total += Number(entry["totalAudioEnergy"] ?? 0);
        });
      }
      return total;
    };
    const before = await energy();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    return (await energy()) - before;
  });
}

/** Whether a video shows new pictures. */
function playing(page: Page, testId: string): Promise<boolean> {
  return page.getByTestId(testId).first().evaluate(async (element) => {
    const video = element as HTMLVideoElement;
    const before = video.getVideoPlaybackQuality().totalVideoFrames;
    await new Promise((resolve) => setTimeout(resolve, 500));
    return video.videoWidth > 0 && video.getVideoPlaybackQuality().totalVideoFrames > before;
  });
}
