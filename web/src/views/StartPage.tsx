import { Title } from "../components/Page";
import { PageHeader } from "../components/PageHeader";
import type { OwnAccount } from "../hooks/useLogin";
import { follow } from "../hooks/useRoute";
import { useTrustPage } from "../hooks/useTrustPage";
import { texts } from "../i18n/texts";
import type { User } from "../protocol/resources";
import { accountProblemText } from "./problemText";

export interface StartPageProps {
  readonly user: User;
  readonly account: OwnAccount;
}

/** What the first admin does next, right after the set-up. */
export function StartPage({ user, account }: StartPageProps) {
  const { start } = texts;
  const { people, devices, session, health } = start.steps;
  const needsTrust = useTrustPage() !== null;
  return (
    <div className="page">
      <Title page={start.title} />
      <PageHeader user={user} page="start" account={account} problemOf={accountProblemText} onFollow={follow} />
      <main className="start">
        <header className="sessions-head">
          <h1>{start.title}</h1>
          <p className="lead">{start.lead}</p>
        </header>
        <ol className="start-steps">
          <li className="start-step">
            <h2>{people.title}</h2>
            <p>{people.text}</p>
            <a className="button button-primary" href="/people" onClick={follow}>
              {people.action}
            </a>
          </li>
          {needsTrust && (
            <li className="start-step">
              <h2>{devices.title}</h2>
              <p>{devices.text}</p>
              <code className="start-address">{`http://${location.hostname}/`}</code>
            </li>
          )}
          <li className="start-step">
            <h2>{session.title}</h2>
            <p>{session.text}</p>
            <a className="button button-quiet" href="/" onClick={follow}>
              {session.action}
            </a>
          </li>
          <li className="start-step">
            <h2>{health.title}</h2>
            <p>{health.text}</p>
            <a className="button button-quiet" href="/health" onClick={follow}>
              {health.action}
            </a>
          </li>
        </ol>
      </main>
    </div>
  );
}
