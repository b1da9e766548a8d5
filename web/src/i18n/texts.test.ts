import { describe, expect, it } from "vitest";

import { en } from "./en";
import { dayAndTime, listOf, timeAgo } from "./texts";

describe("the table", () => {
  it("has no empty text", () => {
    expect(leaves(en).filter(([, text]) => typeof text === "string" && text.trim() === "")).toEqual([]);
  });

  it("fills in what it is given, wherever it is a function", () => {
    const filled = leaves(en).flatMap(([path, text]) => {
      if (typeof text !== "function") return [];
      const made = JSON.stringify((text as (...args: unknown[]) => unknown)("Mara", "Stu"));
      return made.includes("Mara") || made.includes("MARA") ? [] : [path];
    });
    expect(filled).toEqual([]);
  });
});

describe("times", () => {
  const now = Date.parse("2026-03-01T12:00:00Z");

  it.each([
    ["2026-03-01T11:59:40Z", "just now"],
    ["2026-03-01T11:45:00Z", "15 minutes ago"],
    ["2026-03-01T09:30:00Z", "2 hours ago"],
    ["2026-02-28T11:00:00Z", "yesterday"],
    ["2026-01-01T12:00:00Z", "last month"],
  ])("%s is %s", (time, text) => {
    expect(timeAgo(time, now)).toBe(text);
  });
});

it("names a day and a time in the person's own time zone", () => {
  const local = new Date(2026, 2, 4, 14, 30);
  expect(dayAndTime(local.toISOString())).toBe("Wed 4 Mar, 14:30");
});

it("lists names as people do", () => {
  expect(listOf(["Mara", "Stu", "Ada"])).toBe("Mara, Stu and Ada");
});

function leaves(value: unknown, path = ""): [path: string, text: unknown][] {
  if (typeof value !== "object" || value === null) return [[path, value]];
  return Object.entries(value).flatMap(([key, child]) => leaves(child, `${path}.${key}`));
}
