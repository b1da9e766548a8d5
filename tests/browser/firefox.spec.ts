import { type Browser, expect, test } from "@playwright/test";

import { Daemon } from "./daemon.ts";
import { TOPIC, agree, callStats, expectFrames, expectStatus, joinMeeting, openBrowser, openFirefox, openPage, press, signIn } from "./people.ts";

let chromium: Browser;
let gecko: Browser;

test.beforeAll(async () => {
  chromium = await openBrowser();
  gecko = await openFirefox();
});
test.afterAll(async () => {
  await chromium.close();
  await gecko.close();
});

for (const relayOnly of [false, true]) {
  test(`Chromium and Firefox see each other ${relayOnly ? "through the relay" : "directly"}`, async () => {
    const daemon = await Daemon.start({ port: 8443, turn: `listen-udp = ["0.0.0.0:3478"]\nlisten-tcp = []\nrelay-only = ${relayOnly}` });
    try {
      // Firefox keeps its own list of authorities; trust is tested with Chromium.
      const [mentor, student] = [await openPage(chromium), await openPage(gecko, { ignoreHTTPSErrors: true })];
      await signIn(mentor, daemon.url, "mara");
      await signIn(student, daemon.url, "stu");
      await agree(mentor, student, TOPIC);
      await joinMeeting(mentor, TOPIC);
      await expectStatus(mentor, "waiting");
      await joinMeeting(student, TOPIC);
      await Promise.all([expectStatus(mentor, "connected"), expectStatus(student, "connected")]);
      await Promise.all([expectFrames(mentor, 30), expectFrames(student, 30)]);
      const { local, remote } = await callStats(mentor);
      expect([local, remote].includes("relay")).toBe(relayOnly);
      await press(mentor, "End for everyone");
      await expect(student.getByRole("heading", { name: "The meeting has ended" })).toBeVisible();
    } finally {
      await daemon.stop();
    }
  });
}
