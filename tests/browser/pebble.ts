// pebble, an ACME server for tests, with a name server that sends it to the box.
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { get } from "node:https";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

import type { Pair } from "./authorities.ts";
import { BOX } from "./daemon.ts";

export class Pebble {
  private constructor(private readonly programs: readonly ChildProcess[]) {}

  /** Answers under the name of `certificate`, and looks for challenges at `tlsPort` of the box. */
  static async start(folder: string, certificate: Pair, tlsPort: number): Promise<Pebble> {
    const config = join(folder, "pebble.json");
    const [directory, management] = [`${BOX}:${DIRECTORY_PORT}`, `${BOX}:${MANAGEMENT_PORT}`];
    const keys = { certificate: certificate.cert, privateKey: certificate.key };
    writeFileSync(config, JSON.stringify({ pebble: { listenAddress: directory, managementListenAddress: management, ...keys, tlsPort, httpPort: 1 } }));
    const names = spawn("pebble-challtestsrv", [
      ...["-defaultIPv4", BOX, "-defaultIPv6", "", "-dns01", `${BOX}:8053`, "-management", `${BOX}:8055`],
      ...["-http01", "", "-https01", "", "-tlsalpn01", ""],
    ], { stdio: "ignore" });
    const environment = { ...process.env, PEBBLE_VA_NOSLEEP: "1", PEBBLE_WFE_NONCEREJECT: "0" };
    const server = spawn("pebble", ["-dnsserver", `${BOX}:8053`, "-config", config], { stdio: "ignore", env: environment });
    const pebble = new Pebble([names, server]);
    await pebble.root();
    return pebble;
  }

  /** The authority that signs, in PEM. It is another one at each start. */
  async root(): Promise<string> {
    for (let attempt = 0; attempt < 200; attempt += 1) {
      const root = await ask(`https://${BOX}:${MANAGEMENT_PORT}/roots/0`).catch(() => undefined);
      if (root !== undefined) return root;
      await wait(100);
    }
    throw new Error("pebble does not start: apt-get install pebble");
  }

  async stop(): Promise<void> {
    for (const program of this.programs) {
      if (program.exitCode !== null) continue;
      const ended = new Promise((resolve) => program.once("exit", resolve));
      program.kill("SIGTERM");
      await ended;
    }
  }
}

/** Its own certificate is no matter here: what it signs is what is looked at. */
function ask(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { rejectUnauthorized: false, agent: false }, (answer) => {
      let text = "";
      answer.on("data", (chunk: Buffer) => (text += chunk.toString()));
      answer.once("end", () => resolve(text)).once("error", reject);
    }).once("error", reject);
  });
}

export const DIRECTORY_PORT = 14000;
const MANAGEMENT_PORT = 15000;
