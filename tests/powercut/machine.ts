// A virtual machine whose plug can be pulled: QEMU without KVM, so that it runs wherever the tests do.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { type Socket, connect } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

const MADE = join(import.meta.dirname, "../../target/powercut");

export interface Parts {
  /** A folder for its socket and what its console says. */
  readonly folder: string;
  /** The file that is its disk. */
  readonly disk: string;
  /** A file that it sees, read-only, as `/dev/vdb`. */
  readonly inserted: string;
  /** The port of this machine that leads to its port 443. */
  readonly port: number;
}

export class Machine {
  /** From power to shell, in seconds. */
  booted = 0;

  private constructor(
    private readonly qemu: ChildProcess,
    private readonly shell: Socket,
  ) {}

  /** Returns once its shell listens. */
  static async boot({ folder, disk, inserted, port }: Parts): Promise<Machine> {
    const began = Date.now();
    const socket = join(folder, "shell");
    rmSync(socket, { force: true });
    const qemu = spawn("qemu-system-x86_64", [
      ...["-accel", "tcg,thread=multi", "-cpu", "max,-la57,-svm", "-m", "512", "-smp", "2"],
      ...["-nodefaults", "-display", "none", "-no-reboot"],
      ...["-kernel", join(MADE, "vmlinuz"), "-initrd", join(MADE, "initrd"), "-append", COMMAND_LINE],
      // What the guest has flushed is in the file; what only its own page cache holds is gone with the process.
      ...["-drive", `file=${disk},if=virtio,format=raw,cache=writeback`],
      ...["-drive", `file=${inserted},if=virtio,format=raw,readonly=on`],
      ...["-serial", `file:${join(folder, "console")}`, "-device", "virtio-serial-pci"],
      ...["-chardev", `socket,id=shell,path=${socket},server=on,wait=off`, "-device", "virtserialport,chardev=shell,name=tests"],
      ...["-netdev", `user,id=net,hostfwd=tcp:127.0.0.1:${port}-:443`, "-device", "virtio-net-pci,netdev=net", "-device", "virtio-rng-pci"],
    ], { stdio: ["ignore", "inherit", "inherit"] });
    const machine = new Machine(qemu, await reach(socket, qemu));
    // What is sent before the guest has opened its end is lost, so ask until it answers.
    while (await machine.run("true", 1000).catch(() => undefined) === undefined) {
      if (qemu.exitCode === null && Date.now() - began < BOOT_MAX) continue;
      await machine.cut();
      throw new Error(`the machine does not boot: ${readFileSync(join(folder, "console")).subarray(-2000).toString()}`);
    }
    machine.booted = (Date.now() - began) / 1000;
    return machine;
  }

  /** What a root shell says to a command, if it does not fail. */
  async run(command: string, milliseconds = 120_000): Promise<string> {
    const mark = `mark-${Math.random().toString(36).slice(2)}`;
    const ended = new RegExp(`^${mark} (\\d+)\\n`, "m");
    let said = "";
    const hear = (chunk: Buffer) => (said += chunk.toString());
    this.shell.on("data", hear);
    try {
      this.shell.write(`{ ${command}\n} 2>&1 </dev/null; printf '\\n%s %s\\n' ${mark} $?\n`);
      const end = Date.now() + milliseconds;
      for (let found = ended.exec(said); ; found = ended.exec(said)) {
        if (found) {
          const text = said.slice(0, found.index).trim();
          if (found[1] !== "0") throw new Error(`\`${command}\` ended with ${found[1]}:\n${text}`);
          return text;
        }
        if (Date.now() > end) throw new Error(`\`${command}\` does not end; so far:\n${said}`);
        await wait(20);
      }
    } finally {
      this.shell.off("data", hear);
    }
  }

  /** Pulls the plug. */
  async cut(): Promise<void> {
    if (this.qemu.exitCode !== null || this.qemu.signalCode !== null) return;
    const ended = once(this.qemu, "exit");
    this.qemu.kill("SIGKILL");
    await ended;
    this.shell.destroy();
  }
}

async function reach(path: string, qemu: ChildProcess): Promise<Socket> {
  for (;;) {
    if (qemu.exitCode !== null) throw new Error(`qemu ended with ${qemu.exitCode}`);
    const socket = connect(path);
    const error = await Promise.race([once(socket, "connect").then(() => undefined), once(socket, "error")]);
    if (!error) return socket.on("error", () => undefined);
    await wait(50);
  }
}

// On a busy host the emulated timer may be late for the kernel's own check, which would then panic.
const COMMAND_LINE = "root=/dev/vda rw console=ttyS0 net.ifnames=0 panic=1 no_timer_check";
const BOOT_MAX = 900_000;
