// A box with nobody in it: from the set-up link in its log to a call, without a terminal.
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { type Browser, type Page, expect, test } from "@playwright/test";

import { Daemon, PASSWORD } from "./daemon.ts";
import { expectStatus, joinMeeting, openBrowser, openPage } from "./people.ts";

let daemon: Daemon;
let browser: Browser;

test.beforeAll(async () => {
  daemon = await Daemon.start({ port: 8443, empty: true });
  browser = await openBrowser();
});

test.afterAll(async () => {
  await browser.close();
  await daemon.stop();
});

test("a box is set up by its link, gets people and a session, and two of them meet", async () => {
  test.setTimeout(180_000);
  const admin = await openPage(browser, { viewport: DESKTOP });
  await admin.goto(`${daemon.url}/`);
  await expect(admin.getByText("This box is not set up yet")).toBeVisible();
  await picture(admin, "sign-in");
  await admin.goto(`${daemon.url}/setup`);
  await expect(admin.getByRole("heading", { name: "This is not the set-up link" })).toBeVisible();
  await picture(admin, "setup-void");

  const link = await setupLink();
  await admin.goto(link);
  await expect(admin.getByRole("heading", { name: "Set up this box" })).toBeVisible();
  expect(admin.url(), "the token leaves the address").toBe(`${daemon.url}/setup`);
  await picture(admin, "setup");
  await admin.getByLabel("Your name").fill("Ada Admin");
  await admin.getByLabel("Username").fill("two words");
  await admin.getByLabel("Password").fill(PASSWORD);
  await admin.getByRole("button", { name: "Set up and sign in" }).click();
  await expect(admin.getByText("A username has letters")).toBeVisible();
  await admin.getByLabel("Username").fill("ada");
  await admin.getByRole("button", { name: "Set up and sign in" }).click();
  await expect(admin.getByRole("heading", { name: "Your box is ready" })).toBeVisible();
  await picture(admin, "start");
  await admin.getByRole("link", { name: "Sessions" }).first().click();
  await expect(admin.getByRole("heading", { name: "No sessions yet" })).toBeVisible();
  await picture(admin, "sessions-empty");

  await admin.getByRole("link", { name: "Add people" }).click();
  await expect(admin.getByRole("heading", { name: "Nobody else yet" })).toBeVisible();
  await picture(admin, "people-empty");
  const passwords = { mara: await add(admin, "Mara Mentor", "mara", "mentor"), stu: await add(admin, "Stu Student", "stu", "student") };
  await picture(admin, "people");

  const student = await firstSignIn("stu", passwords.stu);
  const mentor = await firstSignIn("mara", passwords.mara);
  await mentor.getByLabel("Topic").fill("Fractions");
  await picture(mentor, "sessions-mentor");
  await mentor.getByRole("button", { name: "Arrange session" }).click();
  await expect(mentor.getByText("The session with Stu Student is ready.")).toBeVisible();
  await joinMeeting(mentor, "Fractions");
  await expectStatus(mentor, "waiting");
  await joinMeeting(student, "Fractions");
  await expectStatus(mentor, "connected");
  await expectStatus(student, "connected");

  const other = await openPage(browser, { viewport: DESKTOP });
  await other.goto(link);
  await expect(other.getByRole("heading", { name: "This box is already set up" })).toBeVisible();
  await picture(other, "setup-already");
  await other.goto(`${daemon.url}/`);
  await expect(other.getByRole("heading", { name: "Welcome back" })).toBeVisible();
  await expect(other.getByText("This box is not set up yet")).toBeHidden();
});

test("an admin gives somebody a new password, looks for them, and removes them", async () => {
  const admin = await openPage(browser, { viewport: DESKTOP });
  await admin.goto(`${daemon.url}/?user=ada`);
  await admin.getByLabel("Password").fill(PASSWORD);
  await admin.getByRole("button", { name: "Sign in" }).click();
  await admin.getByRole("link", { name: "People" }).click();
  await add(admin, "Nora North", "nora", "student");
  await admin.getByLabel("Look for a name").fill("NORTH");
  await expect(admin.getByRole("list", { name: "People" }).getByRole("listitem")).toHaveCount(1);
  await admin.getByRole("button", { name: "New password for Nora North" }).click();
  await picture(admin, "people-question");
  await admin.getByRole("button", { name: "New password", exact: true }).click();
  await expect(admin.getByText("Nora North has a new password.")).toBeVisible();
  await admin.getByRole("button", { name: "Remove Nora North" }).click();
  await admin.getByRole("group", { name: "Remove Nora North for good?" }).getByRole("button", { name: "Remove" }).click();
  await expect(admin.getByRole("heading", { name: "Nobody found" })).toBeVisible();
});

async function setupLink(): Promise<string> {
  await expect.poll(() => daemon.log).toContain("event=setup_link");
  const link = daemon.log.split("\n").map((line) => /https:\/\/10\.77\.0\.1:8443\/setup#[\w-]+/.exec(line)?.[0]);
  return link.find((found) => found !== undefined) ?? "";
}

/** Answers the one-time password. */
async function add(admin: Page, name: string, username: string, role: string): Promise<string> {
  await admin.getByLabel("Name", { exact: true }).fill(name);
  await admin.getByLabel("Username").fill(username);
  await admin.getByLabel("Role").selectOption(role);
  await admin.getByRole("button", { name: "Add", exact: true }).click();
  await expect(admin.getByText(`${name} can sign in now.`)).toBeVisible();
  await expect(admin.getByRole("list", { name: "People" }).getByText(name)).toBeVisible();
  return admin.getByLabel("Password for the first sign-in").inputValue();
}

async function firstSignIn(username: string, password: string): Promise<Page> {
  const page = await openPage(browser, { viewport: DESKTOP });
  await page.goto(`${daemon.url}/?user=${username}`);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByText("Choose your own: nobody else knows it.")).toBeVisible();
  await picture(page, "password");
  await page.getByLabel("Password you were given").fill(password);
  await page.getByLabel("Your own password").fill(PASSWORD);
  await page.getByRole("button", { name: "Save and go on" }).click();
  await expect(page.getByRole("heading", { name: "Your sessions" })).toBeVisible();
  return page;
}

/** For people to look at, where they ask for it: in the light, in the dark and on a telephone. */
async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env["VISAVIS_PICTURES"];
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  const shoot = (kind: string) => page.screenshot({ path: join(folder, `setup-${name}-${kind}.png`), fullPage: true });
  await shoot("light");
  await page.emulateMedia({ colorScheme: "dark" });
  await shoot("dark");
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 390, height: 844 });
  await shoot("phone");
  await page.setViewportSize(DESKTOP);
}

const DESKTOP = { width: 1280, height: 900 };
