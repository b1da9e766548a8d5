// The plug is pulled while a school works: what the box acknowledged must be there when the power is back.
import { expect, test } from "@playwright/test";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { thePackage } from "../appliance/package.ts";
import { PASSWORD, PEOPLE } from "../browser/daemon.ts";
import { type Acknowledged, Load } from "./load.ts";
import { Machine, type Parts } from "./machine.ts";

const ROUNDS = Number(process.env["POWERCUT_ROUNDS"] ?? 20);
const SEED = Number(process.env["POWERCUT_SEED"] ?? Date.now() % 1_000_000);

let parts: Parts;
let machine: Machine | undefined;

test.beforeEach(async () => {
  const folder = mkdtempSync(join(tmpdir(), "machine-"));
  const disk = join(folder, "disk");
  execFileSync("cp", ["--sparse=always", join(import.meta.dirname, "../../target/powercut/disk"), disk]);
  parts = { folder, disk, inserted: thePackage(), port: 8443 };
});
test.afterEach(async () => {
  await machine?.cut();
  rmSync(parts.folder, { recursive: true, force: true });
});

test(`nothing that was acknowledged is lost in ${ROUNDS} power cuts`, async () => {
  console.log(`    seed ${SEED}: POWERCUT_SEED=${SEED} pulls the plug after as many writes again`);
  const load = await school();
  const dice = new Dice(SEED);
  for (let round = 1; round <= ROUNDS; round += 1) {
    const lost = await cutOff(load, 1 + dice.below(WORDS_MAX), `cut ${round}`);
    expect(lost, "acknowledged, and lost").toEqual([]);
  }
});

test("a daemon that acknowledges before its log is on the disk is found out", async () => {
  const load = await school();
  await preload(join(import.meta.dirname, "forgetful.c"));
  const dice = new Dice(SEED);
  let lost: string[] = [];
  for (let round = 1; round <= 5 && lost.length === 0; round += 1) {
    lost = await cutOff(load, 1 + dice.below(WORDS_MAX), `cut ${round} of the forgetful daemon`);
  }
  expect(lost.length, "acknowledged, and lost").toBeGreaterThan(0);
});

/** A machine with the package and people, who have signed in. */
async function school(): Promise<Load> {
  machine = await Machine.boot(parts);
  console.log(`    boot ${machine.booted.toFixed(0)} s`);
  // A disk ends at a whole sector, the package does not.
  const bytes = statSync(parts.inserted).size;
  await machine.run(`head --bytes=${bytes} /dev/vdb > /root/visavis.deb; dpkg --install /root/visavis.deb`);
  for (const { username, name, role } of PEOPLE) {
    await machine.run(`echo '${PASSWORD}' | visavis user add ${username} --role ${role} --name '${name}'`);
  }
  await machine.run("sync");
  const load = new Load(parts.port);
  await load.signIn();
  return load;
}

/** From now on the daemon starts with this library before its own. */
async function preload(source: string): Promise<void> {
  const library = join(parts.folder, "preloaded.so");
  execFileSync("gcc", ["-shared", "-fPIC", "-O2", "-o", library, source]);
  await machine?.run(`base64 --decode > /usr/lib/preloaded.so <<'END'\n${readFileSync(library).toString("base64")}\nEND`);
  await machine?.run("mkdir -p /etc/systemd/system/visavis.service.d");
  await machine?.run("printf '[Service]\\nEnvironment=LD_PRELOAD=/usr/lib/preloaded.so\\n' > /etc/systemd/system/visavis.service.d/preload.conf");
  await machine?.run("systemctl daemon-reload; systemctl restart visavis; grep preloaded /proc/$(pidof visavis)/maps; sync");
}

/** Pulls the plug once so many writes were acknowledged, while others are on their way; boots again, and says what is missing. */
async function cutOff(load: Load, words: number, what: string): Promise<string[]> {
  const began = Date.now();
  let heard = 0;
  let cut: Promise<void> | undefined;
  const ends = await load.write(() => {
    heard += 1;
    if (heard === words) cut = machine?.cut();
  });
  await cut;
  const took = Date.now() - began;
  expect(heard, `writes that the box acknowledged before ${ends.join(", ")}`).toBeGreaterThanOrEqual(words);
  machine = await Machine.boot(parts);
  // Nobody starts the daemon by hand.
  await machine.run("until systemctl is-active --quiet visavis; do sleep 0.2; done");
  expect(await machine.run(`sqlite3 ${DATABASE} 'PRAGMA integrity_check'`)).toBe("ok");
  const kept = new Map((await machine.run(`sqlite3 ${DATABASE} 'SELECT id, status FROM mentoring_sessions'`)).split("\n").map(row));
  const lost = missing(load.acknowledged, kept);
  console.log(`    ${what} after ${took} ms: ${heard} writes acknowledged, ${lost.length} lost; boot ${machine.booted.toFixed(0)} s`);
  expect(await load.whoAmI()).toBe("stu");
  await load.tidy();
  return lost;
}

function missing(acknowledged: Acknowledged, kept: Map<string, string>): string[] {
  const lost = [...acknowledged].filter(([id, status]) => !kept.has(id) || (status === "declined" && kept.get(id) !== status));
  return lost.map(([id, status]) => `${id} ${status}`);
}

function row(line: string): [string, string] {
  const [id = "", status = ""] = line.split("|");
  return [id, status];
}

/** Numbers from a seed (mulberry32). */
class Dice {
  constructor(private state: number) {}

  below(bound: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  }
}

const WORDS_MAX = 400;
const DATABASE = "/var/lib/visavis/visavis.db";
