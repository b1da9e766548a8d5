import { useState } from "react";

import type { ApiError } from "../api/request";
import { texts } from "../i18n/texts";
import type { Account } from "../protocol/directory";
import { useAttempt } from "./attempt";
import { Avatar } from "./Avatar";
import { Notice } from "./Notice";
import { PasswordSlip } from "./PasswordSlip";

export interface AccountRowProps {
  readonly account: Account;
  /** Nobody removes themselves. */
  readonly own: boolean;
  readonly onReset: () => Promise<string>;
  readonly onRemove: () => Promise<void>;
  readonly problemOf: (error: ApiError) => string;
}

export function AccountRow({ account, own, onReset, onRemove, problemOf }: AccountRowProps) {
  const { directory } = texts;
  const [asking, setAsking] = useState<"reset" | "remove" | null>(null);
  const [password, setPassword] = useState<string | null>(null);
  const { busy, problem, attempt } = useAttempt(problemOf);
  const name = account.display_name;
  const question = asking === null ? null : directory[asking];
  const answer = () =>
    attempt(async () => {
      if (asking === "remove") await onRemove();
      else setPassword(await onReset());
      setAsking(null);
    });
  return (
    <li className="account">
      <Avatar name={name} size="small" />
      <div className="account-text">
        <strong>{name}</strong>
        <span className="account-line">
          <span className="hint">{account.username}</span>
          <span className="pill">{texts.roles[account.role]}</span>
          {account.one_time_password && <span className="pill pill-requested">{directory.notChosen}</span>}
        </span>
      </div>
      {!own && asking === null && (
        <span className="account-actions">
          <button type="button" className="button button-quiet" aria-label={directory.reset.of(name)} onClick={() => setAsking("reset")}>
            {directory.reset.action}
          </button>
          <button type="button" className="button button-quiet" aria-label={directory.remove.of(name)} onClick={() => setAsking("remove")}>
            {directory.remove.action}
          </button>
        </span>
      )}
      {own && <span className="hint account-own">{directory.own}</span>}
      {question !== null && (
        <div className="account-question" role="group" aria-label={question.ask(name)}>
          <p>
            <strong>{question.ask(name)}</strong> {question.hint}
          </p>
          <div className="member-actions">
            {/* The harmless one is at hand for whoever came by keyboard. */}
            <button type="button" className="button button-quiet" autoFocus onClick={() => setAsking(null)}>
              {texts.members.keep}
            </button>
            <button type="button" className={`button ${asking === "remove" ? "button-leave" : "button-primary"}`} disabled={busy} onClick={() => void answer()}>
              {question.action}
            </button>
          </div>
        </div>
      )}
      {problem !== null && <Notice kind="problem">{problem}</Notice>}
      {password !== null && asking === null && <PasswordSlip title={directory.resetDone(name)} username={account.username} password={password} />}
    </li>
  );
}
