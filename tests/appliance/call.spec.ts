// A call of two homes that reach each other by nothing but the box, while the box is serviced.
import { type Browser, type Page, expect } from "@playwright/test";

import { trust } from "../browser/daemon.ts";
import { Internet, PUBLIC_ADDRESS, PUBLIC_NAME } from "../browser/internet.ts";
import { callStats, expectFrames, expectStatus, meet, openBrowser } from "../browser/people.ts";
import { type Box, test as base } from "./box.ts";
import { olderPackage, thePackage } from "./package.ts";
import { addPeople } from "./people.ts";
import { Visitor } from "./visitor.ts";

/** Two people at home, each with a browser and a network of their own. */
const test = base.extend<{ homes: readonly [Browser, Browser] }>({
  homes: async ({}, use) => {
    const { internet, homes } = Internet.stretch([{ protocol: "tcp", port: 443 }, { protocol: "udp", port: 3478 }]);
    const open = (executablePath: string) => openBrowser({ executablePath, args: [RESOLVE] });
    const browsers = [await open(homes[0]), await open(homes[1])] as const;
    await use(browsers);
    for (const browser of browsers) await browser.close();
    internet.tearDown();
  },
});

test("a relayed call goes on over a restart of the daemon, and no visitor is refused", async ({ homes, installed: box }) => {
  const call = await begin(box, homes);
  await survives(box, call, () => box.run("systemctl restart visavis"));
});

test("a relayed call goes on over an upgrade, and no visitor is refused", { tag: "@long" }, async ({ homes, box }) => {
  await box.install(olderPackage());
  const call = await begin(box, homes);
  await survives(box, call, () => box.install(thePackage()));
  expect(await box.run("dpkg-query --show --showformat='${Version}' visavis")).not.toBe("0.0.1");
});

/** Both people in a meeting, each seeing the other through the relay. */
async function begin(box: Box, homes: readonly [Browser, Browser]): Promise<readonly Page[]> {
  await box.configure(`[server]\npublic-name = "${PUBLIC_NAME}"\n`);
  await addPeople(box);
  trust(box.path("/var/lib/visavis/tls/ca.pem"), `box ${box.pid}`);
  const { mentor, student } = await meet(homes, { url: `https://${PUBLIC_NAME}` });
  const people = [mentor, student];
  await seeEachOtherByRelay(people);
  return people;
}

/** The service takes place while both are in the call and others come and go. */
async function survives(box: Box, people: readonly Page[], service: () => Promise<unknown>): Promise<void> {
  const seats = await box.rows(SEATS);
  const visitor = new Visitor(BOX_AT_HOME);
  await service();
  const back = Date.now();
  await Promise.all(people.map((person) => expectFrames(person)));
  const took = Date.now() - back;
  await Promise.all(people.map((person) => expectStatus(person, "connected")));
  const tally = await visitor.leave();
  console.log(`    media were back ${took} ms after the service; visitors: ${JSON.stringify(tally)}`);
  expect(took, "relayed media are back").toBeLessThan(10_000);
  expect(tally).toMatchObject({ refused: 0, silent: 0 });
  await seeEachOtherByRelay(people);
  await expect.poll(() => box.rows(SEATS), "the same people in the same seats").toEqual(seats);
}

async function seeEachOtherByRelay(people: readonly Page[]): Promise<void> {
  for (const person of people) {
    await expectFrames(person);
    const { local, remote } = await callStats(person);
    expect([local, remote]).toEqual(["relay", "relay"]);
  }
}

const SEATS = "SELECT id, left_at, online FROM video_call_participants ORDER BY id";
const BOX_AT_HOME = "10.77.1.2";
/** The homes have no name server. For TURN over UDP Chromium asks with a dot at the end. */
const RESOLVE = `--host-resolver-rules=MAP ${PUBLIC_NAME} ${PUBLIC_ADDRESS}, MAP ${PUBLIC_NAME}. ${PUBLIC_ADDRESS}`;
