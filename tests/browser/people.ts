// People in front of the page, and what a test may see of their calls.
import { type Browser, type BrowserContextOptions, type Page, chromium, expect, firefox } from "@playwright/test";

import { type Daemon, PASSWORD } from "./daemon.ts";

/** A browser with a fake camera, microphone and screen; it trusts what this HOME's certificate store trusts, and nothing else. */
export function openBrowser({ executablePath = "/usr/bin/chromium", args = [] as readonly string[] } = {}): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      "--headless=new",
      "--no-sandbox",
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--autoplay-policy=no-user-gesture-required",
      ...args,
    ],
  });
}

/** The same of Firefox, which keeps a store of its own. */
export function openFirefox(): Promise<Browser> {
  return firefox.launch({
    channel: "moz-firefox",
    executablePath: "/usr/bin/firefox-esr",
    firefoxUserPrefs: {
      "media.navigator.streams.fake": true,
      "media.navigator.permission.disabled": true,
      "media.autoplay.default": 0,
      "media.autoplay.blocking_policy": 0,
    },
  });
}

/** A fresh profile whose peer connections can be looked at. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext(options);
  await context.addInitScript(() => {
    const seen: RTCPeerConnection[] = [];
    const Genuine = window.RTCPeerConnection;
    window.RTCPeerConnection = class extends Genuine {
      constructor(...args: ConstructorParameters<typeof RTCPeerConnection>) {
        super(...args);
        seen.push(this);
      }
    };
    Object.assign(window, { peerConnections: seen });
  });
  return context.newPage();
}

export async function signIn(page: Page, url: string, username: string): Promise<void> {
  await page.goto(`${url}/?user=${username}`);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { name: /^(Your|All) sessions$/ })).toBeVisible();
}

/** The student asks, the mentor accepts. */
export async function agree(mentor: Page, student: Page, topic: string): Promise<void> {
  await student.getByLabel("Mentor").selectOption({ label: "Mara Mentor" });
  await student.getByLabel("Topic").fill(topic);
  await student.getByRole("button", { name: "Request session" }).click();
  const request = mentor.getByRole("listitem").filter({ hasText: topic });
  await request.getByRole("button", { name: "Accept" }).click();
  await expect(request.getByText("Join video meeting")).toBeVisible();
}

/** From the list of sessions through the preview into the call. */
export async function joinMeeting(page: Page, topic: string): Promise<void> {
  await page.getByRole("listitem").filter({ hasText: topic }).getByText("Join video meeting").click();
  await page.getByRole("button", { name: "Join now" }).click();
}

/** Two people in a call on a daemon of their own, in one browser or in one each. */
export async function meet(
  browsers: Browser | readonly [Browser, Browser],
  daemon: Pick<Daemon, "url">,
  url = daemon.url,
): Promise<{ mentor: Page; student: Page }> {
  const [one, other] = "newContext" in browsers ? [browsers, browsers] : browsers;
  const [mentor, student] = [await openPage(one), await openPage(other)];
  await signIn(mentor, url, "mara");
  await signIn(student, url, "stu");
  await agree(mentor, student, TOPIC);
  await joinMeeting(mentor, TOPIC);
  // Students who come before the mentor wait.
  await expectStatus(mentor, "waiting");
  await joinMeeting(student, TOPIC);
  await expectStatus(mentor, "connected");
  await expectStatus(student, "connected");
  return { mentor, student };
}

export const TOPIC = "Fractions";

export async function expectStatus(page: Page, state: string): Promise<void> {
  await expect(page.getByTestId("call-status")).toHaveAttribute("data-state", state);
}

/** Presses a button as a person does, whose pointer brings faded controls back. */
export async function press(page: Page, name: string): Promise<void> {
  await page.mouse.move(400, 300);
  await page.mouse.move(420, 320);
  await page.getByRole("button", { name, exact: true }).click();
}

export interface CallStats {
  readonly connections: number;
  readonly framesDecoded: number;
  readonly local: string;
  readonly remote: string;
  /** Between the browser and the relay; empty without one. */
  readonly relayProtocol: string;
}

/** The page's one open peer connection: how many frames it decoded, and the kinds of its selected pair's candidates. */
export function callStats(page: Page): Promise<CallStats> {
  return page.evaluate(async () => {
    const all = (window as unknown as { peerConnections: RTCPeerConnection[] }).peerConnections;
    const open = all.filter((connection) => connection.connectionState !== "closed");
    const stats = { connections: open.length, framesDecoded: 0, local: "", remote: "", relayProtocol: "" };
    const report = new Map<string, Record<string, unknown>>();
    (await open[0]?.getStats())?.forEach((entry: Record<string, unknown>) => report.set(String(entry["id"]), entry));
    for (const entry of report.values()) {
      if (entry["type"] === "inbound-rtp") stats.framesDecoded += Number(entry["framesDecoded"] ?? 0);
      if (entry["type"] !== "transport") continue;
      const pair = report.get(String(entry["selectedCandidatePairId"]));
      const local = report.get(String(pair?.["localCandidateId"]));
      stats.local = String(local?.["candidateType"]);
      stats.relayProtocol = String(local?.["relayProtocol"] ?? "");
      stats.remote = String(report.get(String(pair?.["remoteCandidateId"]))?.["candidateType"]);
    }
    return stats;
  });
}

/** Waits until `count` more frames were decoded. */
export async function expectFrames(page: Page, count = 15): Promise<void> {
  const before = (await callStats(page)).framesDecoded;
  await expect.poll(async () => (await callStats(page)).framesDecoded).toBeGreaterThan(before + count);
}
