// Certificate authorities, whom they sign for, and how browsers come to trust them: by policy, as a school's computers do.
import { X509Certificate } from "node:crypto";
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { BOX } from "./daemon.ts";

/** PEM files. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** A new authority, as a school may have one. */
export function makeAuthority(folder: string): Pair {
  const pair = { cert: join(folder, "school.pem"), key: join(folder, "school.key") };
  openssl("req", "-x509", ...NEW_KEY, "-keyout", pair.key, "-out", pair.cert, "-days", "30", "-subj", "/CN=School CA");
  return pair;
}

/** A certificate for `name`, whether or not the authority may sign it; its chain holds the authority. */
export function sign(authority: Pair, name: string, folder: string): Pair {
  const pair = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  const request = join(folder, `${name}.csr`);
  const extensions = join(folder, `${name}.ext`);
  writeFileSync(extensions, `subjectAltName = DNS:${name}\nextendedKeyUsage = serverAuth\nauthorityKeyIdentifier = keyid\n`);
  openssl("req", "-new", ...NEW_KEY, "-keyout", pair.key, "-out", request, "-subj", `/CN=${name}`);
  const by = ["-CA", authority.cert, "-CAkey", authority.key, "-CAcreateserial", "-CAserial", join(folder, "serial")];
  openssl("x509", "-req", "-in", request, ...by, "-days", "30", "-extfile", extensions, "-out", pair.cert);
  appendFileSync(pair.cert, readFileSync(authority.cert));
  return pair;
}

/** Has browsers that start from now on trust these authorities. */
export function trustByPolicy(certificates: readonly string[]): void {
  const der = certificates.map((file) => new X509Certificate(readFileSync(file)).raw.toString("base64"));
  write("/etc/chromium/policies/managed", "authorities.json", { CACertificates: der });
  write("/etc/firefox/policies", "policies.json", { policies: { Certificates: { Install: certificates } } });
}

/** Has names lead to the box. */
export function name(...names: readonly string[]): void {
  inNamespace();
  appendFileSync("/etc/hosts", `${BOX} ${names.join(" ")}\n`);
}

function write(folder: string, file: string, policy: object): void {
  inNamespace();
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, file), JSON.stringify(policy));
}

/** `run` lays a throw-away layer over /etc. */
function inNamespace(): void {
  if (process.env["VISAVIS_NAMESPACE"] !== "inside") throw new Error("this changes /etc: start the tests with tests/browser/run");
}

function openssl(...args: readonly string[]): void {
  execFileSync("openssl", [...args], { stdio: ["ignore", "ignore", "pipe"] });
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
