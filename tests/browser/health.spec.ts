// The admin's view of the box: found, examined again, and read on a telephone.
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { type Browser, type Page, expect, test } from "@playwright/test";

import { Daemon } from "./daemon.ts";
import { openBrowser, openPage, signIn } from "./people.ts";

let daemon: Daemon;
let browser: Browser;

test.beforeAll(async () => {
  daemon = await Daemon.start({ port: 8443 });
  browser = await openBrowser();
});

test.afterAll(async () => {
  await browser.close();
  await daemon.stop();
});

test("an admin finds the box's health, and what needs care stands on top with its remedy", async () => {
  const page = await openPage(browser, { viewport: { width: 1280, height: 900 } });
  await signIn(page, daemon.url, "ada");
  await page.getByRole("link", { name: "Health" }).click();
  await expect(page.getByRole("heading", { name: "Health of this box" })).toBeVisible();
  const relay = page.getByRole("row").filter({ hasText: "relay over UDP" });
  await expect(relay).toContainText("A packet went through and one came back");
  await expect(relay.getByText("OK", { exact: true })).toBeAttached();
  await expect(page.getByRole("row").filter({ hasText: "visavis CA of" })).toContainText("ca.pem");
  await picture(page, "desktop");

  await page.getByRole("button", { name: "Examine again" }).click();
  await expect(page.getByText(/^Examined .* by visavis/)).toBeVisible();
  await page.getByRole("link", { name: "Sessions" }).click();
  await expect(page.getByRole("heading", { name: "All sessions" })).toBeVisible();
  await page.context().close();
});

test("it can be read on a telephone and in the dark, without scrolling sideways", async () => {
  const page = await openPage(browser, { viewport: { width: 390, height: 844 }, colorScheme: "dark" });
  await signIn(page, daemon.url, "ada");
  await page.goto(`${daemon.url}/health`);
  await expect(page.getByRole("row").filter({ hasText: "relay over TLS" })).toBeVisible();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
  await picture(page, "phone-dark");
  await page.emulateMedia({ colorScheme: "light" });
  await picture(page, "phone");
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.emulateMedia({ colorScheme: "dark" });
  await picture(page, "desktop-dark");
  await page.context().close();
});

test("trouble stands on top, the worst first", async () => {
  const page = await openPage(browser, { viewport: { width: 1280, height: 900 } });
  await page.route("**/api/admin/health/", (route) => route.fulfill({ json: TROUBLE }));
  await signIn(page, daemon.url, "ada");
  await page.getByRole("link", { name: "Health" }).click();
  await expect(page.getByText("This box does not work as it should")).toBeVisible();
  const rows = page.locator("[data-care=true] .health-row");
  await expect(rows).toHaveCount(2);
  await expect(rows.first()).toContainText("No packet went through");
  await expect(rows.first().getByText("sudo nft list ruleset")).toBeVisible();
  await picture(page, "trouble");
  await page.setViewportSize({ width: 390, height: 844 });
  await picture(page, "trouble-phone");
  await page.context().close();
});

test("whoever is no admin is not shown the way, and finds nothing there", async () => {
  const page = await openPage(browser);
  await signIn(page, daemon.url, "mara");
  await expect(page.getByRole("link", { name: "Health" })).toHaveCount(0);
  await page.goto(`${daemon.url}/health`);
  await expect(page.getByRole("heading", { name: "Health" })).toHaveCount(0);
  await expect(page.getByRole("link", { name: "Back to sessions" })).toBeVisible();
  await page.context().close();
});

/** For whoever looks at the page, where VISAVIS_PICTURES names a folder. */
async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env["VISAVIS_PICTURES"];
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `health-${name}.png`), fullPage: true });
}

const TROUBLE = {
  visavis: "0.1.0",
  examined_at: new Date().toISOString(),
  running: true,
  state: "failure",
  findings: [
    { check: "daemon", state: "ok", subject: "visavis", meaning: "the daemon runs", remedy: null },
    {
      check: "certificate.expiry",
      state: "warning",
      subject: "3 December 2026",
      meaning: "the certificate ends in 7 days",
      remedy: "renew it; new files are used within a minute",
    },
    {
      check: "relay.udp",
      state: "failure",
      subject: "relay over UDP, 192.168.1.10:3478",
      meaning: "no packet went through: no answer",
      remedy: "see that a firewall on this box lets the port through (`sudo nft list ruleset`), and read `journalctl -u visavis`",
    },
    {
      check: "router.forwarding",
      state: "note",
      subject: "192.168.1.10",
      meaning: "the box is behind a router, which must let people in",
      remedy: "the router must forward to 192.168.1.10: 443/tcp is enough, 3478/udp and 443/udp is faster",
    },
  ],
};
