import { texts } from "../i18n/texts";
import { Notice } from "./Notice";

/** What the box needs an admin to see to, each in plain words; codes of a newer daemon by their name. */
export function AdminWarnings({ codes }: { readonly codes: readonly string[] }) {
  const { warnings } = texts;
  return codes.map((code) => {
    const known = (warnings as Readonly<Record<string, unknown>>)[code];
    const { title, text } = isWarning(known) ? known : warnings.other(code);
    return (
      <Notice key={code} kind={URGENT.includes(code) ? "problem" : "warning"} title={title}>
        {text}
      </Notice>
    );
  });
}

function isWarning(value: unknown): value is { readonly title: string; readonly text: string } {
  return typeof value === "object" && value !== null && "title" in value && "text" in value;
}

/** Nothing can be stored any more. */
const URGENT: readonly string[] = ["disk_full", "read_only"];
