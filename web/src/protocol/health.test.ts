import { describe, expect, it } from "vitest";

import { type Finding, grouped, type HealthState, healthReport } from "./health";

describe("a report of the box's health", () => {
  it("is read field by field, and what a newer daemon adds is left behind", () => {
    const sent = {
      visavis: "0.1.0",
      examined_at: "2026-11-25T16:00:00Z",
      running: true,
      state: "warning",
      findings: [{ check: "disk.space", state: "warning", subject: "/data", meaning: "nearly full", remedy: "free some", since: 1 }],
    };
    expect(healthReport(sent)).toEqual({
      visavis: "0.1.0",
      examined_at: "2026-11-25T16:00:00Z",
      state: "warning",
      findings: [{ check: "disk.space", state: "warning", subject: "/data", meaning: "nearly full", remedy: "free some" }],
    });
    expect(() => healthReport({ ...sent, state: "fine" })).toThrow("state");
  });

  it("shows first what needs somebody's care, the worst on top, and each finding once", () => {
    const findings = [found("names.local", "ok"), found("names.public", "warning"), found("disk.space", "note"), found("relay.udp", "failure"), found("relay.tcp", "ok")];
    const shown = grouped(findings).map(({ family, findings }) => [family, findings.map(({ check }) => check)]);
    expect(shown).toEqual([
      ["care", ["relay.udp", "names.public"]],
      ["names", ["names.local"]],
      ["disk", ["disk.space"]],
      ["relay", ["relay.tcp"]],
    ]);
  });

  it("has no heading for trouble where there is none", () => {
    expect(grouped([found("daemon", "ok")]).map(({ family }) => family)).toEqual(["daemon"]);
    expect(grouped([])).toEqual([]);
  });
});

function found(check: string, state: HealthState): Finding {
  return { check, state, subject: "", meaning: "", remedy: null };
}
