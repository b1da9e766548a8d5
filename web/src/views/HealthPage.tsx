import { useEffect } from "react";

import { HealthTable } from "../components/HealthTable";
import { Notice } from "../components/Notice";
import { Title } from "../components/Page";
import { PageHeader } from "../components/PageHeader";
import { WithCode } from "../components/WithCode";
import { useHealth } from "../hooks/useHealth";
import type { OwnAccount } from "../hooks/useLogin";
import { follow } from "../hooks/useRoute";
import { dayAndTime, texts } from "../i18n/texts";
import type { HealthReport } from "../protocol/health";
import type { User } from "../protocol/resources";
import { accountProblemText, problemText } from "./problemText";

export interface HealthPageProps {
  readonly user: User;
  readonly account: OwnAccount;
  readonly onExpired: () => void;
}

/** What `visavis doctor` finds, for admins. */
export function HealthPage({ user, account, onExpired }: HealthPageProps) {
  const { report, error, busy, examine } = useHealth();
  useEffect(() => {
    if (error?.status === 401) onExpired();
  }, [error, onExpired]);

  return (
    <div className="page">
      <Title page={texts.health.title} />
      <PageHeader user={user} page="health" account={account} problemOf={accountProblemText} onFollow={follow} />
      <main className="health" aria-busy={busy}>
        <header className="health-head">
          <div>
            <h1>{texts.health.title}</h1>
            <p className="eyebrow" role="status">
              {busy ? texts.health.busy : report !== null && texts.health.examined(dayAndTime(report.examined_at), report.visavis)}
            </p>
          </div>
          <button type="button" className="button button-quiet" onClick={examine} disabled={busy}>
            {texts.health.again}
          </button>
        </header>
        {error !== null && <Notice kind="warning">{problemText(error)}</Notice>}
        {report === null && error === null && <span className="skeleton" />}
        {report !== null && (
          <>
            <Verdict report={report} />
            <HealthTable findings={report.findings} />
            <p className="health-hint"><WithCode text={texts.health.hint} /></p>
          </>
        )}
      </main>
    </div>
  );
}

function Verdict({ report: { state } }: { readonly report: HealthReport }) {
  const { title, text } = texts.health.verdicts[state];
  const kind = state === "failure" ? "problem" : state === "warning" ? "warning" : "success";
  return (
    <Notice kind={kind} title={title}>
      {text}
    </Notice>
  );
}
