// A real daemon on a folder of its own, with the people of the tests in it.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:net";

const BINARY = join(import.meta.dirname, "../../target/release/visavis");
/** The address of the interface that `run` makes: browsers offer no loopback candidates. */
export const BOX = "10.77.0.1";
export const PASSWORD = "correct horse";
export const PEOPLE = [
  { username: "mara", name: "Mara Mentor", role: "mentor" },
  { username: "stu", name: "Stu Student", role: "student" },
  { username: "ada", name: "Ada Admin", role: "admin" },
] as const;

export interface DaemonOptions {
  readonly port: number;
  /** Keys of `[turn]`: where it listens over UDP and TCP. */
  readonly turn?: string;
  readonly rooms?: string;
  /** Nobody in it, as after the installation. */
  readonly empty?: boolean;
  /** More keys of `[server]`. */
  readonly server?: string;
  /** Keys of `[tls]`; whoever gives any sees to it that the certificate is trusted. */
  readonly tls?: string;
  /** More keys of `[http]`. */
  readonly http?: string;
}

/** A running daemon; ports are free because every run has a network namespace of its own. */
export class Daemon {
  readonly folder = mkdtempSync(join(tmpdir(), "visavis-browser-"));
  readonly #config = join(this.folder, "visavis.toml");
  #process: ChildProcess | undefined;
  #log = "";

  private constructor(readonly options: DaemonOptions) {}

  static async start(options: DaemonOptions): Promise<Daemon> {
    const daemon = new Daemon(options);
    writeFileSync(daemon.#config, daemon.#text());
    for (const { username, name, role } of options.empty === true ? [] : PEOPLE) {
      daemon.command("user", "add", username, "--role", role, "--name", name);
    }
    await daemon.resume();
    if (options.tls === undefined) trust(daemon.authority, `port ${options.port}`);
    return daemon;
  }

  /** The certificate of its own authority. */
  get authority(): string {
    return join(this.folder, "data/tls/ca.pem");
  }

  get url(): string {
    return `https://${BOX}:${this.options.port}`;
  }

  /** What the daemon wrote so far. */
  get log(): string {
    return this.#log;
  }

  /** Starts the process, again after `kill`. */
  async resume(): Promise<void> {
    const child = spawn(BINARY, ["serve", "--config", this.#config], { stdio: ["ignore", "ignore", "pipe"] });
    child.stderr.on("data", (chunk: Buffer) => (this.#log += chunk.toString()));
    this.#process = child;
    await answers(this.options.port, () => child.exitCode === null, () => this.#log);
  }

  async stop(): Promise<void> {
    await this.kill("SIGTERM");
    rmSync(this.folder, { recursive: true, force: true });
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  }

  /** The rows of a query, as objects. */
  rows(sql: string): Record<string, unknown>[] {
    const out = execFileSync("sqlite3", ["-json", join(this.folder, "data/visavis.db"), sql]).toString();
    return out.trim() === "" ? [] : (JSON.parse(out) as Record<string, unknown>[]);
  }

  private command(...args: string[]): void {
    execFileSync(BINARY, [...args, "--config", this.#config], { input: `${PASSWORD}\n`, stdio: ["pipe", "ignore", "inherit"] });
  }

  #text(): string {
    const { port, rooms = "", server = "", tls = "", http = "redirect-listen = []" } = this.options;
    const turn = this.options.turn ?? `listen-udp = ["0.0.0.0:${port - 5000}"]\nlisten-tcp = ["0.0.0.0:${port - 5000}"]`;
    const data = join(this.folder, "data");
    mkdirSync(data, { mode: 0o700 });
    return `[server]
data-dir = "${data}"
${server}
[http]
listen = ["0.0.0.0:${port}"]
${http}
[tls]
${tls}
[turn]
${turn}
listen-tls = []
[rooms]
${rooms}
`;
  }
}

/** Makes browsers of this HOME trust the authority: no flag that ignores certificates. */
export function trust(certificate: string, name: string): void {
  const database = join(process.env["HOME"] ?? "", ".pki/nssdb");
  mkdirSync(database, { recursive: true });
  const certutil = (...args: string[]) => execFileSync("certutil", ["-d", `sql:${database}`, ...args], { stdio: "ignore" });
  try {
    certutil("-L");
  } catch {
    certutil("-N", "--empty-password");
  }
  certutil("-A", "-n", name, "-t", "C,,", "-i", certificate);
}

async function answers(port: number, alive: () => boolean, log: () => string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (!alive()) break;
    const connected = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
      socket.on("connect", () => socket.destroy());
    });
    if (connected) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the daemon does not answer on port ${port}:\n${log()}`);
}
