import { renderToStaticMarkup } from "react-dom/server";
import { expect, it } from "vitest";

import type { Finding } from "../protocol/health";
import { HealthTable } from "./HealthTable";

it("says the state of each finding in words, its remedy, and what is to be typed", () => {
  const page = table({ check: "disk.space", state: "warning", subject: "/data", meaning: "nearly full", remedy: "run `df -h`" });
  expect(page).toContain('data-state="warning"');
  expect(page).toContain('<span class="visually-hidden">Warning</span>');
  expect(page).toContain("Needs your care");
  expect(page).toContain('<span class="health-of">Disk</span>/data');
  expect(page).toContain("Nearly full.");
  expect(page).toContain("Run <code>df -h</code>.");
});

it("shows families of a newer daemon by their own name, and nothing where nothing need be done", () => {
  const page = table({ check: "weather.rain", state: "ok", subject: "roof", meaning: "dry", remedy: null });
  expect(page).toContain(">weather</th>");
  expect(page).not.toContain("health-remedy");
});

it("takes no markup from the daemon", () => {
  expect(table({ check: "x", state: "ok", subject: "<b>", meaning: "<i>", remedy: "`<u>`" })).not.toMatch(/<[biu]>/);
});

function table(finding: Finding): string {
  return renderToStaticMarkup(<HealthTable findings={[finding]} />);
}
