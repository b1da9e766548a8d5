// The menu of whoever is signed in: it is opened by keyboard, changes the password, and signs out.
import { type Browser, expect, test } from "@playwright/test";

import { Daemon, PASSWORD } from "./daemon.ts";
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

test("somebody changes their own password by keyboard alone, and signs in with it", async () => {
  const page = await openPage(browser);
  await signIn(page, daemon.url, "stu");
  const menu = page.getByRole("button", { name: "Your account: Stu Student" });
  await menu.focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await expect(page.getByRole("button", { name: "Change password" })).toBeFocused();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Change your password" });
  await expect(dialog.getByLabel("Current password")).toBeFocused();

  await dialog.getByLabel("Current password").fill("not this one");
  await dialog.getByLabel("New password").fill(CHOSEN);
  await page.keyboard.press("Enter");
  await expect(dialog.getByText("This is not the password that you have now.")).toBeVisible();
  await dialog.getByLabel("Current password").fill(PASSWORD);
  await page.keyboard.press("Enter");
  await expect(dialog.getByText("Your password is changed.")).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(dialog).toBeHidden();
  await expect(menu, "the focus is back where it was").toBeFocused();

  await menu.click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Username").fill("stu");
  await page.getByLabel("Password").fill(CHOSEN);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { name: "Your sessions" })).toBeVisible();
});

test("Escape and a click elsewhere close the menu", async () => {
  const page = await openPage(browser);
  await signIn(page, daemon.url, "mara");
  const menu = page.getByRole("button", { name: "Your account: Mara Mentor" });
  const signOut = page.getByRole("button", { name: "Sign out" });
  await menu.click();
  await expect(signOut).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(signOut).toBeHidden();
  await menu.click();
  await page.getByRole("heading", { name: "Your sessions" }).click();
  await expect(signOut).toBeHidden();
});

test("an admin finds every page in one bar, also on a narrow telephone", async () => {
  const page = await openPage(browser, { viewport: { width: 320, height: 640 } });
  await signIn(page, daemon.url, "ada");
  const bar = page.getByRole("navigation", { name: "Pages" });
  for (const [link, heading] of [["People", "People"], ["Health", "Health of this box"], ["Sessions", "All sessions"]] as const) {
    await bar.getByRole("link", { name: link }).click();
    await expect(page.getByRole("heading", { name: heading, exact: true })).toBeVisible();
    for (const name of ["Sessions", "People", "Health", "Devices"]) await expect(bar.getByRole("link", { name })).toBeInViewport({ ratio: 1 });
  }
  await bar.getByRole("link", { name: "Devices" }).click();
  await expect(page.getByRole("heading", { name: "Introduce this device to your school’s box" })).toBeVisible();
});

const CHOSEN = "my own four words";
