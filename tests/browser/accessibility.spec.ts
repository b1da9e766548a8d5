// The pages have no serious accessibility violation: names, roles and contrast, in the light, in the dark and on a telephone.
import { AxeBuilder } from "@axe-core/playwright";
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
test.afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
});

test("the pages of whoever is not signed in have no serious accessibility violation", async () => {
  const page = await open();
  await page.goto(`${daemon.url}/`);
  await sound(page, "Welcome back");
  await page.getByLabel("Username").fill("nobody");
  await page.getByLabel("Password").fill("not a password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByText("Username or password is not right.")).toBeVisible();
  await sound(page, "Welcome back");
  await page.goto(`${daemon.url}/setup`);
  await sound(page, "This box is already set up");
  await page.goto(`${daemon.url}/join`);
  await sound(page, "This link lets nobody in");
  await page.goto(`${daemon.url}/trust`);
  await sound(page, "Introduce this device to your school’s box");
});

test("neither have the admin's pages", async () => {
  const page = await open();
  await signIn(page, daemon.url, "ada");
  await sound(page, "No sessions yet");
  await page.getByRole("link", { name: "Health" }).click();
  await expect(page.getByText(/^Examined .* by visavis/)).toBeVisible();
  await sound(page, "Health of this box");
  await page.getByRole("link", { name: "People" }).click();
  await page.getByRole("button", { name: "Remove Stu Student" }).click();
  await sound(page, "Add somebody");
  await page.getByRole("button", { name: /^Your account/ }).click();
  await page.getByRole("button", { name: "Change password" }).click();
  await sound(page, "Change your password");
  await page.goto(`${daemon.url}/start`);
  // This step comes once the box was asked whether it is its own authority.
  await expect(page.getByRole("heading", { name: "Introduce other devices" })).toBeVisible();
  await sound(page, "Your box is ready");
});

/** Without motion: a colour that is still on its way is none to judge. */
function open(): Promise<Page> {
  return openPage(browser, { viewport: DESKTOP, reducedMotion: "reduce" });
}

async function sound(page: Page, heading: string): Promise<void> {
  await expect(page.getByRole("heading", { name: heading, exact: true })).toBeVisible();
  await page.emulateMedia({ reducedMotion: "reduce", colorScheme: "light" });
  await judge(page, `${heading}, light`);
  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize({ width: 390, height: 844 });
  await judge(page, `${heading}, dark and narrow`);
  expect(await page.evaluate(() => document.documentElement.scrollWidth), `${heading} needs no scrolling sideways`).toBe(390);
  await page.setViewportSize(DESKTOP);
  await page.emulateMedia({ colorScheme: "light" });
}

async function judge(page: Page, where: string): Promise<void> {
  const { violations, passes } = await new AxeBuilder({ page }).analyze();
  expect(passes.length, `${where}: something was looked at`).toBeGreaterThan(5);
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  expect(serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ target, any }) => `${target.join(" ")} (${any[0]?.message})`).join(", ")}`), where).toEqual([]);
}

const DESKTOP = { width: 1280, height: 800 };
