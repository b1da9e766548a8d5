import { defineConfig } from "@playwright/test";

import { type BoxOptions } from "./box.ts";

const releases = (process.env["VISAVIS_RELEASES"] ?? "bookworm trixie").split(" ");

export default defineConfig<object, BoxOptions>({
  testDir: ".",
  outputDir: "results",
  workers: 1,
  timeout: 120_000,
  expect: { timeout: 15_000 },
  reporter: [["list"]],
  forbidOnly: true,
  projects: releases.map((release) => ({ name: release, use: { release } })),
});
