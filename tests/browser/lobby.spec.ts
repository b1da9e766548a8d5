import { type Browser, type Page, expect, test } from "@playwright/test";

import { Daemon } from "./daemon.ts";
import { TOPIC, agree, expectFrames, expectStatus, joinMeeting, meet, openBrowser, openPage, press, signIn } from "./people.ts";

let browser: Browser;
let daemon: Daemon;

test.beforeAll(async () => {
  browser = await openBrowser();
});
test.beforeEach(async () => {
  daemon = await Daemon.start({ port: 8443, rooms: 'unattended-grace = "2s"\nreconnect-grace = "2s"' });
});
test.afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  await daemon.stop();
});
test.afterAll(() => browser.close());

test("a student who comes early waits, the mentor lets them in, and they see each other", async () => {
  const { mentor, student } = await agreed();
  await joinMeeting(student, TOPIC);
  await expect(student.getByRole("heading", { name: "Waiting for your mentor" })).toBeVisible();
  await expect(student.getByTestId("local-camera")).toBeVisible();
  await joinMeeting(mentor, TOPIC);
  await expect(student.getByRole("heading", { name: "Somebody will let you in soon" })).toBeVisible();
  await expect(mentor.getByText("Stu Student is waiting")).toBeVisible();
  await expect(mentor, "the tab tells it too").toHaveTitle(/^\(1\)/);
  await expectStatus(student, "lobby");
  await mentor.getByRole("button", { name: "Admit Stu Student" }).click();
  await Promise.all([expectStatus(mentor, "connected"), expectStatus(student, "connected")]);
  await Promise.all([expectFrames(mentor), expectFrames(student)]);
  await expect(mentor.getByText("Stu Student is waiting")).toBeHidden();
});

test("whoever waits for longer than a seat would take stays, and may leave", async () => {
  const { student } = await agreed();
  await joinMeeting(student, TOPIC);
  await expectStatus(student, "lobby");
  await student.waitForTimeout(12_000);
  await expectStatus(student, "lobby");
  await press(student, "Leave");
  await expect(student.getByRole("heading", { name: "You left the meeting" })).toBeVisible();
});

test("whoever is denied is told so", async () => {
  const { mentor, student } = await agreed();
  await joinMeeting(student, TOPIC);
  await expectStatus(student, "lobby");
  await joinMeeting(mentor, TOPIC);
  await mentor.getByRole("button", { name: "Deny Stu Student" }).click();
  await expect(student.getByRole("heading", { name: "You were not let in" })).toBeVisible();
  await expectStatus(mentor, "waiting");
});

test("whoever is removed is told so, waits before they are back, and is let in again", async () => {
  const { mentor, student } = await meet(browser, daemon);
  await press(mentor, "People");
  const people = mentor.getByRole("complementary", { name: "People" });
  await people.getByRole("button", { name: "Manage Stu Student" }).click();
  await expect(people.getByRole("button", { name: "Make moderator" }), "not for students").toHaveCount(0);
  await people.getByRole("button", { name: "Remove…" }).click();
  await people.getByRole("group", { name: "Remove Stu Student from the meeting?" }).getByRole("button", { name: "Remove" }).click();
  await expect(student.getByRole("heading", { name: "You were removed from the meeting" })).toBeVisible();
  await expectStatus(mentor, "waiting");

  await student.getByRole("button", { name: "Ask to come in" }).click();
  await expectStatus(student, "lobby");
  await people.getByRole("button", { name: "Admit Stu Student" }).click();
  await Promise.all([expectStatus(mentor, "connected"), expectStatus(student, "connected")]);
  await Promise.all([expectFrames(mentor), expectFrames(student)]);
});

test("a locked meeting lets nobody in by themselves", async () => {
  const { mentor, student } = await agreed();
  await joinMeeting(mentor, TOPIC);
  await expectStatus(mentor, "waiting");
  await press(mentor, "People");
  const lock = mentor.getByRole("switch", { name: "Lock the meeting" });
  await lock.click();
  await expect(lock).toBeChecked();
  await expect(mentor.getByRole("img", { name: "The meeting is locked" })).toBeVisible();
  await joinMeeting(student, TOPIC);
  await expect(student.getByRole("heading", { name: "Somebody will let you in soon" })).toBeVisible();
  await mentor.getByRole("button", { name: "Admit Stu Student" }).click();
  await Promise.all([expectStatus(mentor, "connected"), expectStatus(student, "connected")]);
  await lock.click();
  await expect(lock).not.toBeChecked();
});

test("a meeting that nobody leads any more pauses, and goes on when the mentor is back", async () => {
  const { mentor, student } = await meet(browser, daemon);
  await press(mentor, "Leave");
  await expect(student.getByRole("heading", { name: "The meeting is paused" })).toBeVisible();
  await expectStatus(student, "lobby");
  await mentor.getByText("Join again").click();
  await Promise.all([expectStatus(mentor, "connected"), expectStatus(student, "connected")]);
  await Promise.all([expectFrames(mentor), expectFrames(student)]);
});

/** Mentor and student before their call. */
async function agreed(): Promise<{ mentor: Page; student: Page }> {
  const [mentor, student] = [await openPage(browser), await openPage(browser)];
  await signIn(mentor, daemon.url, "mara");
  await signIn(student, daemon.url, "stu");
  await agree(mentor, student, TOPIC);
  return { mentor, student };
}
