import { type Browser, expect, test } from "@playwright/test";

import { Daemon } from "./daemon.ts";
import { type Forwarded, Internet, PUBLIC_ADDRESS, PUBLIC_NAME } from "./internet.ts";
import { callStats, expectFrames, meet, openBrowser } from "./people.ts";

const HTTPS: Forwarded = { protocol: "tcp", port: 443 };
const TURN: Forwarded = { protocol: "udp", port: 3478 };

// The box need not know the router's outside address, which may change every night.
for (const { forwarded, over, turn } of [
  { forwarded: [HTTPS], over: "tls", turn: "" },
  { forwarded: [HTTPS, TURN], over: "udp", turn: `external-addresses = ["${PUBLIC_ADDRESS}"]` },
] as const) {
  const ports = forwarded.map(({ protocol, port }) => `${port}/${protocol}`).join(" and ");
  test(`behind a router that forwards ${ports} two homes meet through the relay, over ${over}`, async () => {
    const { internet, homes } = Internet.stretch(forwarded);
    const browsers: Browser[] = [];
    const daemon = await Daemon.start({
      port: 443,
      server: `public-name = "${PUBLIC_NAME}"`,
      turn: `listen-udp = ["0.0.0.0:3478"]\nlisten-tcp = ["0.0.0.0:3478"]\n${turn}`,
    });
    try {
      for (const home of homes) browsers.push(await openBrowser({ executablePath: home, args: [RESOLVE] }));
      const [one, other] = browsers as [Browser, Browser];
      const { mentor, student } = await meet([one, other], daemon, `https://${PUBLIC_NAME}`);
      for (const page of [mentor, student]) {
        await expectFrames(page, 60);
        const { local, remote, relayProtocol } = await callStats(page);
        expect([local, remote, relayProtocol]).toEqual(["relay", "relay", over]);
      }
    } finally {
      for (const browser of browsers) await browser.close();
      await daemon.stop();
      internet.tearDown();
    }
  });
}

/** The homes have no name server. For TURN over UDP Chromium asks with a dot at the end. */
const RESOLVE = `--host-resolver-rules=MAP ${PUBLIC_NAME} ${PUBLIC_ADDRESS}, MAP ${PUBLIC_NAME}. ${PUBLIC_ADDRESS}`;
