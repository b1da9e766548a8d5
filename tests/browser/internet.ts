// A school's router and people's homes, each a network namespace: what stands between them is only what a test lets through.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What the router shows of the box. */
export const PUBLIC_ADDRESS = "9.9.9.1";
export const PUBLIC_NAME = "school.home.arpa";
const BOX_ADDRESS = "10.77.1.2";

/** A port of the router that leads to the same port of the box. */
export interface Forwarded {
  readonly protocol: "tcp" | "udp";
  readonly port: number;
}

/** The box's own namespace is the caller's. */
export class Internet {
  readonly #folder = mkdtempSync(join(tmpdir(), "visavis-internet-"));
  readonly #namespaces: ChildProcess[] = [];

  private constructor() {}

  /** Two homes whose firewalls, like the school's router, let the forwarded ports through and nothing else. */
  static stretch(forwarded: readonly Forwarded[]): { internet: Internet; homes: readonly [string, string] } {
    const internet = new Internet();
    const router = internet.#namespace();
    link("box", "school", router);
    run("ip address add", `${BOX_ADDRESS}/24`, "dev box");
    run("ip link set box up");
    run("ip route add default via 10.77.1.1");
    inside(router, "ip address add 10.77.1.1/24 dev school", "ip link set school up", "ip link set lo up");
    inside(router, `ip address add ${PUBLIC_ADDRESS}/32 dev lo`, "sysctl -qw net.ipv4.ip_forward=1");
    const homes = ["5.5.5", "6.6.6"].map((network, index) => {
      const home = internet.#namespace();
      // An IPv6 address would come a second later, and a browser that is loading a page gives up when its network changes.
      inside(home, "sysctl -qw net.ipv6.conf.all.disable_ipv6=1", "sysctl -qw net.ipv6.conf.default.disable_ipv6=1");
      inside(router, `ip link add wan${index} type veth peer name home netns ${home}`);
      inside(router, `ip address add ${network}.1/24 dev wan${index}`, `ip link set wan${index} up`);
      inside(home, "ip link set lo up", `ip address add ${network}.2/24 dev home`, "ip link set home up");
      inside(home, `ip route add default via ${network}.1`);
      return internet.#browser(home);
    });
    const ports = forwarded.map(({ protocol, port }) => `iifname "wan*" ${protocol} dport ${port} dnat to ${BOX_ADDRESS}:${port}`);
    inside(router, `nft add table ip school; ${[
      "add chain ip school prerouting { type nat hook prerouting priority dstnat; }",
      ...ports.map((port) => `add rule ip school prerouting ip daddr ${PUBLIC_ADDRESS} ${port}`),
      "add chain ip school forward { type filter hook forward priority filter; policy drop; }",
      "add rule ip school forward ct state established,related accept",
      "add rule ip school forward ct status dnat accept",
      "add chain ip school input { type filter hook input priority filter; policy drop; }",
    ].join("; ")}`);
    return { internet, homes: homes as unknown as readonly [string, string] };
  }

  /** Ends every namespace; what stood in it is gone. */
  tearDown(): void {
    for (const namespace of this.#namespaces) namespace.kill("SIGKILL");
    execFileSync("sh", ["-c", "ip link delete box 2>/dev/null || true"]);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** A network namespace that lives as long as its process; the process's id. */
  #namespace(): number {
    const process = spawn("unshare", ["--net", "sleep", "600"], { stdio: "ignore" });
    this.#namespaces.push(process);
    const pid = process.pid ?? 0;
    const own = execFileSync("readlink", ["/proc/self/ns/net"]).toString();
    for (;;) {
      const theirs = execFileSync("readlink", [`/proc/${pid}/ns/net`]).toString();
      if (theirs !== own) return pid;
    }
  }

  /** A program that starts Chromium in a home. */
  #browser(home: number): string {
    const path = join(this.#folder, `chromium-${home}`);
    writeFileSync(path, `#!/bin/sh\nexec nsenter --net=/proc/${home}/ns/net /usr/bin/chromium "$@"\n`);
    chmodSync(path, 0o755);
    return path;
  }
}

function link(one: string, other: string, namespace: number): void {
  run(`ip link add ${one} type veth peer name ${other} netns ${namespace}`);
}

function run(...command: string[]): void {
  execFileSync("sh", ["-c", command.join(" ")]);
}

function inside(namespace: number, ...commands: string[]): void {
  for (const command of commands) {
    const [program = "", ...words] = command.split(" ");
    const args = program === "nft" ? [command.slice("nft ".length)] : words;
    execFileSync("nsenter", [`--net=/proc/${namespace}/ns/net`, program, ...args]);
  }
}
