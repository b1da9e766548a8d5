// nginx in front of a daemon, as its documentation would have it: TLS, WebSockets, and who the browser is.
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";

import type { Pair } from "./authorities.ts";
import { BOX } from "./daemon.ts";

export class Nginx {
  private constructor(readonly process: ChildProcess) {}

  /** Listens on `port` and passes on to the daemon's. */
  static async start(folder: string, { port, to, certificate }: { port: number; to: number; certificate: Pair }): Promise<Nginx> {
    const config = join(folder, "nginx.conf");
    writeFileSync(config, text(folder, port, to, certificate));
    const child = spawn("/usr/sbin/nginx", ["-c", config, "-p", folder, "-e", join(folder, "error.log")], { stdio: "inherit" });
    const nginx = new Nginx(child);
    await answers(port, child);
    return nginx;
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null) return;
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill("SIGTERM");
    await ended;
  }
}

function text(folder: string, port: number, to: number, { cert, key }: Pair): string {
  const scratch = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return `daemon off;
user root;
worker_processes 1;
pid ${folder}/nginx.pid;
events {}
http {
  access_log off;
  ${scratch.map((what) => `${what}_temp_path ${folder}/${what};`).join("\n  ")}
  map $http_upgrade $connection_upgrade { default upgrade; '' close; }
  server {
    listen ${BOX}:${port} ssl;
    ssl_certificate ${cert};
    ssl_certificate_key ${key};
    location / {
      proxy_pass http://127.0.0.1:${to};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_read_timeout 1h;
    }
  }
}
`;
}

async function answers(port: number, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 200 && child.exitCode === null; attempt += 1) {
    const connected = await new Promise<boolean>((resolve) => {
      const socket = connect(port, BOX, () => resolve(true)).on("error", () => resolve(false));
      socket.on("connect", () => socket.destroy());
    });
    if (connected) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nginx does not answer on port ${port}`);
}
