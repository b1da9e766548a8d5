// Each source of certificates, in browsers that ignore nothing: refused before its authority is trusted, welcome after.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type Server, createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Browser, expect, test } from "@playwright/test";

import { type Pair, makeAuthority, name, sign, trustByPolicy } from "./authorities.ts";
import { BOX, Daemon } from "./daemon.ts";
import { Nginx } from "./nginx.ts";
import { DIRECTORY_PORT, Pebble } from "./pebble.ts";
import { meet, openBrowser, openFirefox, openPage, press, signIn } from "./people.ts";

const [SCHOOL, LOCAL, ISSUED, ISSUER] = ["calls.school.example", "box.local", "acme.school.example", "ca.school.example"];
const [FILES, OWN, PLAIN, PROXIED, ACME, PROXY, FORGED, ALLOWED] = [8443, 8444, 8080, 8445, 8446, 9443, 9444, 9445];
const REFUSED = /ERR_CERT_AUTHORITY_INVALID|SEC_ERROR_UNKNOWN_ISSUER/;
/** Not for want of trust: the name is outside the constraints. */
const OUTSIDE = /ERR_CERT_INVALID|SEC_ERROR_CERT_NOT_IN_NAME_SPACE/;

let folder: string;
let school: Pair;
let own: Daemon;
let pebble: Pebble;
const running: { stop(): Promise<void> }[] = [];
let browsers: Record<string, Browser>;

test.describe.configure({ mode: "serial", timeout: 180_000 });

test.beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "visavis-certificates-"));
  name(SCHOOL, LOCAL, ISSUED, ISSUER, "other.local", "www.example.com");
  school = makeAuthority(folder);
  const certificate = sign(school, SCHOOL, folder);
  const named = `public-name = "${SCHOOL}"`;
  const files = `source = "files"\ncert-file = "${certificate.cert}"\nkey-file = "${certificate.key}"`;
  running.push(await Daemon.start({ port: FILES, server: named, tls: files }));
  own = await Daemon.start({
    port: OWN,
    server: `public-name = "${LOCAL}"`,
    tls: 'source = "local-ca"',
    http: `redirect-listen = ["0.0.0.0:${PLAIN}"]`,
  });
  running.push(own);
  const behind = 'redirect-listen = []\ntrusted-proxies = ["127.0.0.1/32"]';
  running.push(await Daemon.start({ port: PROXIED, server: named, tls: 'source = "off"', http: behind }));
  running.push(await Nginx.start(folder, { port: PROXY, to: PROXIED, certificate }));
  pebble = await Pebble.start(folder, sign(school, ISSUER, folder), ACME);
  running.push(pebble);
  running.push(await issued());
  const authority = { cert: own.authority, key: own.authority.replace("ca.pem", "ca.key") };
  running.push(await serve(sign(authority, "www.example.com", folder), FORGED));
  running.push(await serve(sign(authority, "other.local", folder), ALLOWED));
  browsers = { Chromium: await openBrowser(), Firefox: await openFirefox() };
});
test.afterAll(async () => {
  for (const browser of Object.values(browsers)) await browser.close();
  for (const thing of running.reverse()) await thing.stop();
  rmSync(folder, { recursive: true, force: true });
});

for (const browser of ["Chromium", "Firefox"]) {
  test(`${browser} refuses every certificate whose authority it does not know`, async () => {
    const page = await openPage(browsers[browser]!);
    for (const url of [`https://${SCHOOL}:${FILES}/`, `https://${LOCAL}:${OWN}/`, `https://${SCHOOL}:${PROXY}/`, `https://${ISSUED}:${ACME}/`]) {
      await expect(page.goto(url), url).rejects.toThrow(REFUSED);
    }
  });

  test(`${browser} is told over plain HTTP how to trust the box, whichever page it asked for`, async () => {
    const page = await openPage(browsers[browser]!);
    await page.goto(`http://${LOCAL}:${PLAIN}/?user=mara`);
    await expect(page.getByText("This device does not trust the box yet.")).toBeVisible();
    expect(page.url(), "it stays").toBe(`http://${LOCAL}:${PLAIN}/?user=mara`);
    const fingerprint = /fingerprint=([0-9A-F ]{79})/.exec(own.log)?.[1] ?? "none";
    expect((await page.getByLabel("SHA-256 fingerprint").innerText()).split(/\s+/).join(" ")).toBe(fingerprint);
  });
}

test("authorities are installed by policy", async () => {
  for (const browser of Object.values(browsers)) await browser.close();
  const root = join(folder, "acme.pem");
  writeFileSync(root, await pebble.root());
  trustByPolicy([school.cert, own.authority, root]);
  browsers = { Chromium: await openBrowser(), Firefox: await openFirefox() };
});

for (const browser of ["Chromium", "Firefox"]) {
  test(`${browser} trusts a school's own certificate files`, async () => {
    await signIn(await openPage(browsers[browser]!), `https://${SCHOOL}:${FILES}`, "mara");
  });

  test(`${browser} trusts what an ACME server issued`, async () => {
    await signIn(await openPage(browsers[browser]!), `https://${ISSUED}:${ACME}`, "mara");
  });

  test(`${browser} that trusts the box's authority is taken on from plain HTTP to the page it asked for`, async () => {
    const page = await openPage(browsers[browser]!);
    await page.goto(`http://${LOCAL}:${PLAIN}/?user=mara`, { waitUntil: "commit" });
    await page.waitForURL(`https://${LOCAL}:${OWN}/?user=mara`);
    await page.goto(`http://${LOCAL}:${PLAIN}/trust`);
    await expect(page.getByText("This device trusts the box.")).toBeVisible();
    await page.getByRole("link", { name: "Go on to visavis" }).click();
    await page.waitForURL(`https://${LOCAL}:${OWN}/`);
    await signIn(page, `https://${LOCAL}:${OWN}`, "mara");
    await page.goto(`https://${BOX}:${OWN}/trust`);
    await expect(page.getByText("You reached this page securely.")).toBeVisible();
  });

  test(`${browser} refuses what the box's authority signs for another site, and takes a local name`, async () => {
    const page = await openPage(browsers[browser]!);
    await page.goto(`https://other.local:${ALLOWED}/`);
    await expect(page.getByText("signed by the box")).toBeVisible();
    await expect(page.goto(`https://www.example.com:${FORGED}/`)).rejects.toThrow(OUTSIDE);
  });
}

test("Chromium and Firefox meet through nginx", async () => {
  const daemon = running[2] as Daemon;
  const { mentor, student } = await meet([browsers["Chromium"]!, browsers["Firefox"]!], daemon, `https://${SCHOOL}:${PROXY}`);
  await press(mentor, "End for everyone");
  await expect(student.getByRole("heading", { name: "The meeting has ended" })).toBeVisible();
});

/** A daemon whose certificate has come from pebble. */
async function issued(): Promise<Daemon> {
  const directory = `acme-directory = "https://${ISSUER}:${DIRECTORY_PORT}/dir"\nacme-ca-file = "${school.cert}"`;
  const daemon = await Daemon.start({ port: ACME, server: `public-name = "${ISSUED}"`, tls: `source = "acme"\n${directory}` });
  await expect.poll(() => daemon.log, { timeout: 30_000 }).toContain("event=certificate_renewed");
  return daemon;
}

/** A site with this certificate. */
function serve({ cert, key }: Pair, port: number): Promise<{ stop(): Promise<void> }> {
  const site: Server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (_, answer) => answer.end("signed by the box"));
  const stop = () => {
    site.closeAllConnections();
    return new Promise<void>((resolve) => site.close(() => resolve()));
  };
  return new Promise((resolve) => site.listen(port, BOX, () => resolve({ stop })));
}
