import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

import { precompress } from "./scripts/precompress.ts";

export default defineConfig({
  plugins: [react(), precompress()],
  logLevel: "warn",
  build: {
    target: ["chrome111", "firefox114", "safari16.4"],
    // The daemon's policy forbids inline data in scripts; small files stay files.
    assetsInlineLimit: 0,
    // Every browser of `target` knows modulepreload.
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  test: { include: ["src/**/*.test.{ts,tsx}"] },
});
