import { useState } from "react";

import type { ApiError } from "../api/request";
import { texts } from "../i18n/texts";
import type { AccountRole, MadeAccount } from "../protocol/directory";
import { useAttempt } from "./attempt";
import { SelectField, TextField, fieldText } from "./Field";
import { FORM } from "./FormJump";
import { Notice } from "./Notice";
import { PasswordSlip } from "./PasswordSlip";

export interface AccountFormProps {
  readonly onMake: (username: string, displayName: string, role: AccountRole) => Promise<MadeAccount>;
  readonly problemOf: (error: ApiError) => string;
}

/** Adds somebody, and shows their one-time password this once. */
export function AccountForm({ onMake, problemOf }: AccountFormProps) {
  const { directory, setup, signIn } = texts;
  const [role, setRole] = useState<AccountRole>("student");
  const [made, setMade] = useState<readonly MadeAccount[]>([]);
  const { busy, problem, attempt } = useAttempt(problemOf);
  const last = made.at(-1);
  return (
    <form
      id={FORM}
      className="card request-form"
      onSubmit={(event) => {
        event.preventDefault();
        const form = event.currentTarget;
        void attempt(async () => {
          const account = await onMake(fieldText(form, "username").trim(), fieldText(form, "name").trim(), role);
          setMade((before) => [...before, account]);
        });
      }}
    >
      <header>
        <h2>{directory.add}</h2>
        <p className="hint">{directory.addLead}</p>
      </header>
      {/* New fields, and so empty ones, after each. */}
      <TextField key={`name-${made.length}`} label={directory.name} name="name" autoComplete="off" maxLength={64} />
      <TextField key={`username-${made.length}`} label={signIn.username} name="username" autoComplete="off" maxLength={64} hint={setup.usernameHint} />
      <SelectField label={directory.role} value={role} onChange={(value) => setRole(value as AccountRole)} options={ROLES} />
      {problem !== null && <Notice kind="problem">{problem}</Notice>}
      <button type="submit" className="button button-primary" disabled={busy}>
        {busy ? directory.adding : directory.addNow}
      </button>
      {last !== undefined && problem === null && (
        <PasswordSlip key={last.user.id} title={directory.made(last.user.display_name)} username={last.user.username} password={last.password} />
      )}
    </form>
  );
}

const ROLES = (["student", "mentor", "admin"] as const).map((value) => ({ value, label: texts.roles[value] }));
