// From the installation of the package to its purge.
import { expect } from "@playwright/test";
import { statSync } from "node:fs";
import { get } from "node:https";

import { type Box, ADDRESS, test, until } from "./box.ts";
import { olderPackage, thePackage } from "./package.ts";
import { addPeople } from "./people.ts";
import { visit } from "./visitor.ts";

test("the package installs untouched, and the daemon is ready by itself", async ({ installed: box }) => {
  expect(await box.run("systemctl is-active visavis; systemctl is-enabled visavis")).toBe("active\nenabled");
  expect(await box.run("systemctl --failed --no-legend")).toBe("");
  await served();
});

test("it answers to the machine's name, and its certificate says so", async ({ installed: box }) => {
  const name = `${await box.run("hostname")}.local`;
  expect(name).toBe("school.local");
  const ca = box.read("/var/lib/visavis/tls/ca.pem");
  const status = await new Promise((resolve, reject) => {
    const options = { host: ADDRESS, servername: name, headers: { host: name }, ca, agent: false };
    get(options, (answer) => resolve(answer.resume().statusCode)).once("error", reject);
  });
  expect(status).toBe(200);
});

test("its sandbox leaves an exposure of at most 1.5", async ({ installed: box }) => {
  const report = await box.run("systemd-analyze security --no-pager visavis");
  const exposure = Number(/exposure level for visavis\.service: ([\d.]+)/.exec(report)?.[1]);
  console.log(`    exposure ${exposure}`);
  expect(exposure).toBeLessThanOrEqual(1.5);
});

test("it idles within 25 MiB of memory, from a binary of at most 20 MiB", async ({ installed: box }) => {
  await served();
  const memory = await resident(box);
  const binary = statSync(box.path("/usr/bin/visavis")).size / MIB;
  console.log(`    ${memory.toFixed(1)} MiB resident, a binary of ${binary.toFixed(1)} MiB`);
  expect(memory).toBeLessThanOrEqual(25);
  expect(binary).toBeLessThanOrEqual(20);
});

test("ten minutes later it still does", { tag: "@long" }, async ({ installed: box }) => {
  test.setTimeout(15 * MINUTE);
  await new Promise((resolve) => setTimeout(resolve, 10 * MINUTE));
  const memory = await resident(box);
  console.log(`    ${memory.toFixed(1)} MiB resident`);
  expect(memory).toBeLessThanOrEqual(25);
});

test("accounts that root makes in the shell leave every file to the daemon", async ({ installed: box }) => {
  await addPeople(box);
  expect(await box.run("visavis user list")).toContain("Mara Mentor");
  expect(await box.run("find /var/lib/visavis ! -user visavis")).toBe("");
});

test("a daemon that hangs is restarted by the watchdog", async ({ installed: box }) => {
  const hung = await box.daemon();
  await box.run(`kill -STOP ${hung}`);
  const began = Date.now();
  await until("another daemon", async () => ![0, hung].includes(await box.daemon()));
  await until("it is ready", async () => (await box.try("systemctl is-active visavis")).text === "active");
  console.log(`    restarted after ${((Date.now() - began) / 1000).toFixed(0)} s`);
  await served();
});

test("a daemon that is killed is started again", async ({ installed: box }) => {
  const killed = await box.daemon();
  await box.run(`kill -KILL ${killed}`);
  await until("another daemon", async () => ![0, killed].includes(await box.daemon()), 10);
  await until("it is ready", async () => (await box.try("systemctl is-active visavis")).text === "active");
  await served();
});

test("an upgrade asks nothing, and keeps accounts and what the administrator wrote", async ({ box }) => {
  await box.install(olderPackage());
  await box.configure('[rooms]\nlobby = "everyone"\n');
  await addPeople(box);
  await box.install(thePackage());
  expect(await box.run("dpkg --audit; grep lobby /etc/visavis/visavis.toml; systemctl is-active visavis")).toBe('lobby = "everyone"\nactive');
  expect(await box.run("visavis user list")).toContain("Ada Admin");
  await served();
});

test("removed, it keeps the school's data; installed again, it has them", async ({ installed: box }) => {
  await addPeople(box);
  await box.run("dpkg --remove visavis");
  expect((await box.try("systemctl is-active visavis")).text).not.toBe("active");
  expect(await box.run("ls /var/lib/visavis")).toContain("visavis.db");
  await box.install(thePackage());
  expect(await box.run("visavis user list")).toContain("Stu Student");
  await served();
});

test("purged, it leaves no file behind", async ({ box }) => {
  const before = await files(box);
  await box.install(thePackage());
  await addPeople(box);
  expect((await files(box)).length).toBeGreaterThan(before.length);
  await box.run("dpkg --purge visavis");
  expect((await files(box)).filter((file) => !before.includes(file))).toEqual([]);
});

/** The page is served at the box's address. */
async function served(): Promise<void> {
  expect(await visit(ADDRESS)).toBe("answered");
}

/** The daemon's memory, in MiB. */
async function resident(box: Box): Promise<number> {
  const status = await box.run(`cat /proc/${await box.daemon()}/status`);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

/** Every file of the disk, but for the records of dpkg itself, logs, and what was copied there to be installed. */
async function files(box: Box): Promise<string[]> {
  const found = await box.run("find / -xdev -not -path '/var/lib/dpkg/*' -not -path '/var/log/*' -not -path '/root/*'");
  return found.split("\n");
}

const MIB = 1024 * 1024;
const MINUTE = 60_000;
