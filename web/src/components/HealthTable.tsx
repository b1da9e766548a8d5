import { texts } from "../i18n/texts";
import { type Finding, familyOf, grouped, type HealthState } from "../protocol/health";
import { WithCode } from "./WithCode";
import { AlertIcon, CheckIcon, CloseIcon, InfoIcon } from "./icons";

/** Everything that was looked at: what needs care on top, the rest by family. */
export function HealthTable({ findings }: { readonly findings: readonly Finding[] }) {
  return (
    <table className="health-table">
      <caption className="visually-hidden">{texts.health.title}</caption>
      <thead className="visually-hidden">
        <tr>
          <th scope="col">{texts.health.columns.state}</th>
          <th scope="col">{texts.health.columns.subject}</th>
          <th scope="col">{texts.health.columns.meaning}</th>
        </tr>
      </thead>
      {grouped(findings).map(({ family, findings: found }) => (
        <tbody key={family} data-care={family === "care"}>
          <tr>
            <th scope="rowgroup" colSpan={3} className="health-family">
              {familyTitle(family)}
            </th>
          </tr>
          {found.map((finding, index) => (
            <Row key={`${finding.check} ${index}`} finding={finding} withFamily={family === "care"} />
          ))}
        </tbody>
      ))}
    </table>
  );
}

function Row({ finding, withFamily }: { readonly finding: Finding; readonly withFamily: boolean }) {
  const { state, subject, meaning, remedy } = finding;
  return (
    <tr className="health-row" data-state={state} data-check={finding.check}>
      <td className="health-state">
        <StateIcon state={state} />
        <span className="visually-hidden">{texts.health.states[state]}</span>
      </td>
      <th scope="row" className="health-subject">
        {withFamily && <span className="health-of">{familyTitle(familyOf(finding))}</span>}
        {subject}
      </th>
      <td className="health-meaning">
        {sentence(meaning)}
        {remedy !== null && <p className="health-remedy"><WithCode text={sentence(remedy)} /></p>}
      </td>
    </tr>
  );
}

function StateIcon({ state }: { readonly state: HealthState }) {
  switch (state) {
    case "ok":
      return <CheckIcon />;
    case "note":
      return <InfoIcon />;
    case "warning":
      return <AlertIcon />;
    case "failure":
      return <CloseIcon />;
  }
}

/** Families of a newer daemon by their own name. */
function familyTitle(family: string): string {
  return (texts.health.families as Readonly<Record<string, string>>)[family] ?? family;
}

/** The daemon's words follow what was looked at; here they stand for themselves. */
function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1) + (text.endsWith(".") ? "" : ".");
}
