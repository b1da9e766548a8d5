import { type Browser, type Page, expect, test } from "@playwright/test";

import { Daemon } from "./daemon.ts";
import { TOPIC, agree, expectStatus, joinMeeting, meet, openBrowser, openPage, press, signIn } from "./people.ts";

let browser: Browser;
let daemon: Daemon;

test.beforeAll(async () => {
  browser = await openBrowser();
  daemon = await Daemon.start({ port: 8443 });
});
test.afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
});
test.afterAll(async () => {
  await browser.close();
  await daemon.stop();
});

test("a wrong password is said in plain words", async () => {
  const page = await openPage(browser);
  await page.goto(`${daemon.url}/?user=mara`);
  await page.getByLabel("Password").fill("not this one");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByText("Username or password is not right.")).toBeVisible();
});

test("whoever is no member is told that there is no meeting for them", async () => {
  const page = await openPage(browser);
  await signIn(page, daemon.url, "stu");
  await page.goto(`${daemon.url}/video-call?session=${"0".repeat(32)}`);
  await expect(page.getByRole("heading", { name: "There is no meeting here for you" })).toBeVisible();
});

test("a second tab asks before it takes the seat, and the first can take it back", async () => {
  const { mentor } = await meet(browser, daemon);
  const second = await mentor.context().newPage();
  await second.goto(mentor.url());
  await press(second, "Join now");
  await expect(second.getByRole("heading", { name: "You are already in this meeting" })).toBeVisible();
  await second.getByRole("button", { name: "Move it here" }).click();
  await expectStatus(second, "connected");
  await expect(mentor.getByRole("heading", { name: "The call goes on in another tab" })).toBeVisible();
  await mentor.getByRole("button", { name: "Take it back here" }).click();
  await expectStatus(mentor, "connected");
  await press(mentor, "End for everyone");
});

test("a page that the daemon no longer understands is loaded anew once, and not again", async () => {
  const [mentor, student] = [await openPage(browser), await openPage(browser)];
  await signIn(mentor, daemon.url, "mara");
  await signIn(student, daemon.url, "stu");
  await agree(mentor, student, "Versions");
  let loads = 0;
  mentor.on("load", () => (loads += 1));
  await mentor.routeWebSocket(/\/ws\/video-call\//, (socket) => socket.onMessage(() => socket.close({ code: 4004 })));
  await joinMeeting(mentor, "Versions");
  // The page is itself again, and asks before it joins.
  await expect.poll(() => loads).toBe(1);
  await press(mentor, "Join now");
  await expect(mentor.getByRole("heading", { name: "This page is out of date" })).toBeVisible();
  await mentor.waitForTimeout(1_000);
  expect(loads).toBe(1);
});

for (const [error, title] of [
  ["NotAllowedError", "Camera and microphone are blocked"],
  ["NotFoundError", "No camera or microphone found"],
  ["NotReadableError", "Camera and microphone are busy"],
] as const) {
  test(`${error} is said with what to do, and one may join all the same`, async () => {
    const [mentor, student] = [await openPage(browser), await openPage(browser)];
    await signIn(mentor, daemon.url, "mara");
    await signIn(student, daemon.url, "stu");
    await agree(mentor, student, `${TOPIC} ${error}`);
    await refuseMedia(student, error);
    await joinMeeting(mentor, `${TOPIC} ${error}`);
    await expectStatus(mentor, "waiting");
    await student.getByRole("listitem").filter({ hasText: `${TOPIC} ${error}` }).getByText("Join video meeting").click();
    await expect(student.getByText(title)).toBeVisible();
    await press(student, "Join now");
    await Promise.all([expectStatus(mentor, "connected"), expectStatus(student, "connected")]);
    await expect(mentor.getByRole("figure", { name: "Stu Student" }).getByText("Camera off").first()).toBeVisible();
    await press(mentor, "End for everyone");
  });
}

test("a page without a secure address says why there is no camera", async () => {
  const page = await openPage(browser);
  await signIn(page, daemon.url, "stu");
  const mentor = await openPage(browser);
  await signIn(mentor, daemon.url, "mara");
  await agree(mentor, page, "Insecure");
  await page.addInitScript(() => {
    Object.defineProperty(navigator, "mediaDevices", { value: undefined });
    Object.defineProperty(window, "isSecureContext", { value: false });
  });
  await page.reload();
  await page.getByRole("listitem").filter({ hasText: "Insecure" }).getByText("Join video meeting").click();
  await expect(page.getByText("Camera and microphone need a secure address")).toBeVisible();
});

/** From the next load on, the browser hands out no camera and no microphone. */
async function refuseMedia(page: Page, name: string): Promise<void> {
  await page.addInitScript((error) => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("refused", error));
  }, name);
  await page.reload();
}
