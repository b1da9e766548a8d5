// What an administrator has to care for a box with, as it is installed.
import { expect } from "@playwright/test";

import { type Box, test } from "./box.ts";
import { thePackage } from "./package.ts";
import { addPeople } from "./people.ts";

test("doctor finds nothing broken in a fresh box, and tells what breaks", async ({ installed: box }) => {
  const fresh = await examine(box);
  console.log(`    ${fresh.findings.length} findings; worth a word: ${told(fresh, "warning") || "none"}`);
  expect(told(fresh, "failure")).toBe("");
  expect(fresh.running).toBe(true);
  await box.run("chmod 000 /var/lib/visavis/tls/ca.pem; chown root /var/lib/visavis/visavis.db; systemctl stop visavis");
  const broken = await examine(box);
  expect(broken).toMatchObject({ running: false, state: "failure" });
  console.log(`    broken: ${told(broken, "failure")}`);
  expect(told(broken, "failure")).toContain("/var/lib/visavis/visavis.db");
});

test("status tells of the daemon that runs, and whether one does", async ({ installed: box }) => {
  const said = await box.run("visavis status");
  console.log(`    ${said.split("\n").join("\n    ")}`);
  await box.run("systemctl stop visavis");
  expect((await box.try("visavis status")).status, "as systemctl says it").toBe(3);
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

/** What `doctor` says, as docs/openapi.yaml has it. */
interface HealthReport {
  readonly running: boolean;
  readonly state: string;
  readonly findings: readonly { readonly check: string; readonly state: string; readonly subject: string; readonly meaning: string }[];
}

async function examine(box: Box): Promise<HealthReport> {
  return JSON.parse((await box.try("visavis doctor --json")).text) as HealthReport;
}

/** The findings of one state, in a line. */
function told({ findings }: HealthReport, state: string): string {
  return findings.filter((finding) => finding.state === state).map(({ check, subject, meaning }) => `${check}: ${subject} ${meaning}`).join("; ");
}
