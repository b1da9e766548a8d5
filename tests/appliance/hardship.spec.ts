// A box in bad hands: no network, no disk, no clock.
import { expect } from "@playwright/test";
import { execFileSync } from "node:child_process";
import { copyFileSync, writeFileSync } from "node:fs";
import { connect } from "node:tls";

import { ADDRESS, Box, test, until } from "./box.ts";
import { thePackage } from "./package.ts";
import { addPeople } from "./people.ts";
import { visit } from "./visitor.ts";

test("a box that starts without a network is reached as soon as there is one", async ({ release }) => {
  const box = await withoutNetwork(async () => {
    const started = await Box.boot(release);
    await started.install(thePackage());
    expect(await started.run("systemctl is-active visavis")).toBe("active");
    return started;
  });
  expect(await visit(ADDRESS)).toBe("answered");
  await box.halt();
});

test("an address that comes later is in the certificate within a minute or so", { tag: "@long" }, async ({ release }) => {
  const box = await withoutNetwork(async () => {
    const started = await Box.boot(release);
    await started.install(thePackage());
    return started;
  });
  expect(await distrust(box)).toContain("does not match certificate's altnames");
  await until("the certificate names the address", async () => (await distrust(box)) === undefined, 75);
  await box.halt();
});

test("a full disk stops neither the page nor a restart, and is forgotten once there is room", async ({ release }) => {
  const box = await Box.boot(release, { disk: "64m" });
  await box.install(thePackage());
  await addPeople(box);
  await box.try("dd if=/dev/zero of=/root/filling bs=1M");
  await box.try("dd if=/dev/zero of=/root/rest bs=512");
  expect(await box.run("df --output=avail / | tail -1")).toBe("0");
  await box.run("systemctl restart visavis");
  expect(await visit(ADDRESS)).toBe("answered");
  const refused = await box.try("visavis user add late --role student", "correct horse\n");
  expect(refused.status, refused.text).not.toBe(0);
  console.log(`    ${refused.text.split("\n").join(" ")}`);
  await box.run("rm /root/filling /root/rest; visavis user add late --role student", "correct horse\n");
  expect(await box.run("find /var/lib/visavis ! -user visavis")).toBe("");
  await box.halt();
});

test("a clock that was years behind at the first start costs nobody their trust", { tag: "@long" }, async ({ box }) => {
  const clock = await falseClock(box);
  clock("-1500d");
  await box.install(thePackage());
  expect(await box.run("systemctl is-active visavis")).toBe("active");
  expect(await distrust(box)).toBe("certificate has expired");
  clock("+0");
  await until("the certificate is valid today", async () => (await distrust(box)) === undefined, 75);
});

/** Pulls the cable meanwhile. */
async function withoutNetwork<T>(meanwhile: () => Promise<T>): Promise<T> {
  execFileSync("ip", ["address", "delete", `${ADDRESS}/24`, "dev", "lan"]);
  execFileSync("ip", ["link", "set", "lan", "down"]);
  try {
    return await meanwhile();
  } finally {
    execFileSync("ip", ["address", "add", `${ADDRESS}/24`, "dev", "lan"]);
    execFileSync("ip", ["link", "set", "lan", "up"]);
  }
}

/** Why a device that has the box's authority would not trust it; nothing if it would. */
function distrust(box: Box): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: ADDRESS, port: 443, ca: box.read("/var/lib/visavis/tls/ca.pem") }, () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once("error", (error) => resolve(error.message));
  });
}

/** Gives the daemon that is to be installed a wall clock that a test may set. */
async function falseClock(box: Box): Promise<(to: string) => void> {
  const files = execFileSync("dpkg", ["-L", "libfaketime"]).toString().split("\n");
  copyFileSync(files.find((file) => file.endsWith("libfaketimeMT.so.1")) ?? "", box.path("/usr/lib/libfaketime.so"));
  const clock = box.path("/usr/lib/clock");
  const environment = ["LD_PRELOAD=/usr/lib/libfaketime.so", "FAKETIME_TIMESTAMP_FILE=/usr/lib/clock", "FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1"];
  await box.run("mkdir -p /etc/systemd/system/visavis.service.d");
  writeFileSync(box.path("/etc/systemd/system/visavis.service.d/clock.conf"), `[Service]\nEnvironment=${environment.join(" ")}\n`);
  return (to) => writeFileSync(clock, to);
}
