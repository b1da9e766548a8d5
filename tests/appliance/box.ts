// A whole box: Debian with systemd as PID 1, in namespaces of its own, on the network of the tests.
import { test as base } from "@playwright/test";
import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { thePackage } from "./package.ts";

const HERE = import.meta.dirname;
const ROOTS = join(HERE, "../../target/appliance");
/** The address of the interface that `run` makes. */
export const ADDRESS = "10.77.0.1";

export interface BoxOptions {
  /** Which Debian, by its code name. */
  readonly release: string;
}

/** Tests on a fresh `box`, or on one where the package is `installed`. */
export const test = base.extend<{ box: Box; installed: Box }, BoxOptions>({
  release: ["bookworm", { option: true, scope: "worker" }],
  box: async ({ release }, use) => {
    const box = await Box.boot(release);
    await use(box);
    await box.halt();
  },
  installed: async ({ box }, use) => {
    await box.install(thePackage());
    await use(box);
  },
});

export interface BootOptions {
  /** How much the box may write, as tmpfs takes it. */
  readonly disk?: string;
}

/** What a command in the box said, and how it ended. */
export interface Outcome {
  readonly status: number | null;
  /** Standard output and standard error, as they came. */
  readonly text: string;
}

export class Box {
  private constructor(
    readonly release: string,
    private readonly init: ChildProcess,
    /** Of its PID 1, as the tests see it. */
    readonly pid: number,
  ) {}

  /** Returns once systemd has started everything. */
  static async boot(release: string, { disk = "1g" }: BootOptions = {}): Promise<Box> {
    const cgroup = process.env["VISAVIS_CGROUP"] ?? "";
    const child = spawn(join(HERE, "boot"), [join(ROOTS, release), cgroup, disk], { stdio: ["ignore", "ignore", "pipe"] });
    let complaint = "";
    child.stderr.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
    const first = await until(`${release} has a PID 1`, () => {
      if (child.exitCode !== null) throw new Error(`${release} does not boot: ${complaint}`);
      return firstChild(child.pid ?? 0);
    });
    const box = new Box(release, child, first);
    const state = await until(`systemd of ${release} is done`, async () => {
      const { text } = await box.try("systemctl is-system-running");
      return ["running", "degraded", "maintenance"].find((end) => end === text);
    });
    if (state === "running") return box;
    const failed = await box.try("systemctl --failed --no-legend");
    await box.halt();
    throw new Error(`${release} is ${state}: ${failed.text}`);
  }

  /** Ends everything in it at once. */
  async halt(): Promise<void> {
    const ended = new Promise((resolve) => this.init.once("exit", resolve));
    this.init.kill("SIGKILL");
    await ended;
    await until(`${this.release} has ended`, () => !existsSync(`/proc/${this.pid}`));
  }

  /** What a root shell in the box says to a command. */
  try(command: string, input = ""): Promise<Outcome> {
    const namespaces = ["--mount", "--pid", "--uts", "--ipc", "--cgroup", "--root", "--wd"];
    const shell = ["env", "-i", "PATH=/usr/sbin:/usr/bin", "HOME=/root", "DEBIAN_FRONTEND=noninteractive", "sh", "-c", command];
    const child = spawn("nsenter", [`--target=${this.pid}`, ...namespaces, "--", ...shell]);
    child.stdin.on("error", () => undefined).end(input);
    return new Promise((resolve, reject) => {
      let text = "";
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
      child.once("error", reject).once("close", (status) => resolve({ status, text: text.trim() }));
    });
  }

  /** What it says, if it does not fail. */
  async run(command: string, input = ""): Promise<string> {
    const { status, text } = await this.try(command, input);
    if (status !== 0) throw new Error(`\`${command}\` ended with ${status}:\n${text}`);
    return text;
  }

  /** What an administrator does with a downloaded package; a box under test has no network, so without apt. */
  async install(file: string): Promise<string> {
    copyFileSync(file, this.path("/root/visavis.deb"));
    return this.run("dpkg --install /root/visavis.deb");
  }

  /** Edits the configuration as an administrator does, and restarts the daemon. */
  async configure(toml: string): Promise<void> {
    writeFileSync(this.path("/etc/visavis/visavis.toml"), toml);
    await this.run("visavis check-config /etc/visavis/visavis.toml && systemctl restart visavis");
  }

  /** The daemon's process, as the box sees it. */
  async daemon(): Promise<number> {
    return Number(await this.run("systemctl show --property=MainPID --value visavis"));
  }

  /** Where the tests see a file of the box. */
  path(inside: string): string {
    return `/proc/${this.pid}/root${inside}`;
  }

  read(inside: string): string {
    return readFileSync(this.path(inside), "utf8");
  }

  /** The rows of a query, as objects. */
  async rows(sql: string): Promise<Record<string, unknown>[]> {
    const out = await this.run("sqlite3 -json /var/lib/visavis/visavis.db", sql);
    return out === "" ? [] : (JSON.parse(out) as Record<string, unknown>[]);
  }
}

/** Waits for the first truth of a question that is asked over and over. */
export async function until<T>(what: string, ask: () => T | Promise<T>, seconds = 60): Promise<NonNullable<T>> {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
    const answer = await ask();
    if (answer) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`waited ${seconds} s in vain: ${what}`);
}

function firstChild(parent: number): number | undefined {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, "utf8");
  return Number(children.split(" ")[0]) || undefined;
}
