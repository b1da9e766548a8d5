// What an administrator has to care for a box with, as it is installed.
import { expect } from "@playwright/test";

import { test } from "./box.ts";
import { thePackage } from "./package.ts";
import { addPeople } from "./people.ts";

test("doctor finds nothing broken in a fresh box", async ({ installed: box }) => {
  const { status, text } = await box.try("visavis doctor --json");
  console.log(`    ${text.replaceAll(/\s+/g, " ").slice(0, 300)}`);
  expect(status, text).toBe(0);
  JSON.parse(text);
});

test("status tells of the daemon that runs", async ({ installed: box }) => {
  const said = await box.run("visavis status");
  console.log(`    ${said.split("\n").join("\n    ")}`);
  await box.run("systemctl stop visavis");
  expect((await box.try("visavis status")).status).not.toBe(0);
});

test("a backup made in use brings a school back to a new box", async ({ installed: box }) => {
  await addPeople(box);
  await box.run("visavis backup /root/school.tar");
  await box.run("dpkg --purge visavis");
  await box.install(thePackage());
  expect(await box.run("visavis user list")).not.toContain("Mara Mentor");
  await box.run("systemctl stop visavis; visavis restore /root/school.tar; systemctl start visavis");
  expect(await box.run("visavis user list")).toContain("Mara Mentor");
  expect(await box.run("find /var/lib/visavis ! -user visavis")).toBe("");
});
