// What `visavis doctor` finds, as the API answers it: `HealthReport` of `docs/openapi.yaml`.
import { array, type Decoder, nullable, oneOf, record, string } from "./decode";

export type HealthState = "ok" | "note" | "warning" | "failure";

/** One thing that was looked at. */
export interface Finding {
  /** What stands before its first dot is the family. */
  readonly check: string;
  readonly state: HealthState;
  readonly subject: string;
  readonly meaning: string;
  readonly remedy: string | null;
}

export interface HealthReport {
  readonly visavis: string;
  readonly examined_at: string;
  readonly state: HealthState;
  readonly findings: readonly Finding[];
}

/** Findings under one heading. */
export interface FindingGroup {
  /** A family, or `care` for what needs somebody, from wherever it is. */
  readonly family: string;
  readonly findings: readonly Finding[];
}

const state: Decoder<HealthState> = oneOf("ok", "note", "warning", "failure");

export const healthReport: Decoder<HealthReport> = record<HealthReport>({
  visavis: string,
  examined_at: string,
  state,
  findings: array(record<Finding>({ check: string, state, subject: string, meaning: string, remedy: nullable(string) })),
});

/** What needs somebody's care, the worst first; then the rest by family, in the daemon's order. */
export function grouped(findings: readonly Finding[]): readonly FindingGroup[] {
  const needsCare = ({ state }: Finding) => state === "failure" || state === "warning";
  const care = [...findings.filter(({ state }) => state === "failure"), ...findings.filter(({ state }) => state === "warning")];
  const families = new Map<string, Finding[]>(care.length === 0 ? [] : [["care", care]]);
  for (const finding of findings.filter((finding) => !needsCare(finding))) {
    const family = familyOf(finding);
    families.set(family, [...(families.get(family) ?? []), finding]);
  }
  return [...families].map(([family, found]) => ({ family, findings: found }));
}

export function familyOf({ check }: Finding): string {
  return check.split(".", 1)[0] ?? check;
}
