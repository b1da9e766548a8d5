import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: ".",
  outputDir: "results",
  workers: 1,
  // Without KVM a boot takes half a minute, and minutes on a busy machine.
  timeout: 0,
  reporter: [["list"]],
  forbidOnly: true,
});
