import { useEffect, useState } from "react";

import { AccountForm } from "../components/AccountForm";
import { AccountRow } from "../components/AccountRow";
import { SearchField } from "../components/Field";
import { FormJump } from "../components/FormJump";
import { Notice } from "../components/Notice";
import { Title } from "../components/Page";
import { PageHeader } from "../components/PageHeader";
import { InviteIcon } from "../components/icons";
import { useDirectory } from "../hooks/useDirectory";
import type { OwnAccount } from "../hooks/useLogin";
import { follow } from "../hooks/useRoute";
import { texts } from "../i18n/texts";
import type { User } from "../protocol/resources";
import { accountProblemText, problemText } from "./problemText";

export interface PeoplePageProps {
  readonly user: User;
  readonly account: OwnAccount;
  readonly onExpired: () => void;
}

/** Who has an account, for admins: add, look for, give a new password, remove. */
export function PeoplePage({ user, account, onExpired }: PeoplePageProps) {
  const { directory } = texts;
  const { accounts, more, error, search, showMore, make, resetPassword, remove } = useDirectory();
  const [searched, setSearched] = useState("");
  useEffect(() => {
    if (error?.status === 401) onExpired();
  }, [error, onExpired]);
  const alone = searched === "" && accounts?.length === 1;

  return (
    <div className="page">
      <Title page={directory.title} />
      <PageHeader user={user} page="people" account={account} problemOf={accountProblemText} onFollow={follow} />
      <main className="sessions" data-with-form="true">
        <section className="sessions-main">
          <div className="sessions-top">
            <header className="sessions-head">
              <h1>{directory.title}</h1>
            </header>
            <FormJump text={directory.addNow} label={directory.add} />
          </div>
          <SearchField
            label={directory.search}
            onSearch={(text) => {
              setSearched(text);
              search(text);
            }}
          />
          {error !== null && <Notice kind="warning">{problemText(error)}</Notice>}
          {accounts === null && error === null && <span className="skeleton" />}
          {accounts !== null && accounts.length > 0 && (
            <ul className="accounts card" aria-label={directory.title}>
              {accounts.map((account) => (
                <AccountRow
                  key={account.id}
                  account={account}
                  own={account.id === user.id}
                  onReset={() => resetPassword(account.id)}
                  onRemove={() => remove(account.id)}
                  problemOf={accountProblemText}
                />
              ))}
            </ul>
          )}
          {more && (
            <button type="button" className="button button-quiet" onClick={showMore}>
              {directory.more}
            </button>
          )}
          {accounts?.length === 0 && <Empty {...directory.noneFound} />}
          {alone && <Empty {...directory.empty} />}
        </section>
        <AccountForm onMake={make} problemOf={accountProblemText} />
      </main>
    </div>
  );
}

function Empty({ title, text }: { readonly title: string; readonly text: string }) {
  return (
    <div className="empty">
      <InviteIcon className="icon empty-icon" />
      <h2>{title}</h2>
      <p>{text}</p>
    </div>
  );
}
