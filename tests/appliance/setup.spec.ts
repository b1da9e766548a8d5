// The first minutes with a box: whoever installed it becomes its first admin in a browser.
import { expect } from "@playwright/test";

import { PASSWORD, trust } from "../browser/daemon.ts";
import { openBrowser, openPage } from "../browser/people.ts";
import { ADDRESS, test } from "./box.ts";

test("the set-up link leads from the box to the first admin, once", async ({ installed: box }) => {
  const link = new RegExp(`https://${ADDRESS}/setup#[\\w-]+`);
  await expect.poll(() => box.run(JOURNAL), "whoever reads the journal finds it").toMatch(link);
  await expect.poll(() => box.run(CONSOLE), "and who sits before the box").toMatch(link);
  const shown = link.exec(await box.run("visavis setup-link"))?.[0] ?? "no link";
  expect(await box.run("find /var/lib/visavis ! -user visavis")).toBe("");
  trust(box.path("/var/lib/visavis/tls/ca.pem"), `box ${box.pid}`);
  const browser = await openBrowser();
  try {
    const page = await openPage(browser);
    await page.goto(shown);
    await page.getByLabel("Your name").fill("Grace Head");
    await page.getByLabel("Username").fill("grace");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Set up and sign in" }).click();
    await expect(page.getByRole("heading", { name: "Your box is ready" })).toBeVisible();
  } finally {
    await browser.close();
  }
  expect(await box.run("visavis user list")).toMatch(/grace\s+admin\s+Grace Head/);
  expect(await box.run("visavis setup-link")).toContain("has an admin already");
  await expect.poll(() => box.run(CONSOLE)).not.toContain("/setup#");
});

const JOURNAL = "journalctl --unit=visavis --output=json";
/** What the login prompt begins with. */
const CONSOLE = "script --quiet --command 'agetty --show-issue' /dev/null";
