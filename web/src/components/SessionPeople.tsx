import { type ReactNode, useState } from "react";

import type { ApiError } from "../api/request";
import { texts } from "../i18n/texts";
import type { Member, MentoringSession, Person } from "../protocol/resources";
import { useAttempt } from "./attempt";
import { SelectField, TextField, fieldText } from "./Field";
import { Notice } from "./Notice";

export interface SessionPeopleProps {
  readonly session: MentoringSession;
  readonly onAdd: (username: string, role: AddedRole) => Promise<void>;
  readonly onRemove: (userId: string) => Promise<void>;
  readonly problemOf: (error: ApiError) => string;
}

type AddedRole = Exclude<Member["role"], "guest">;

/** Who belongs to a session, for those who say so; closed until somebody asks. */
export function SessionPeople({ session, onAdd, onRemove, problemOf }: SessionPeopleProps) {
  const { members, roles } = texts;
  return (
    <details className="session-people">
      <summary>
        {members.title} <span className="hint">{members.count(session.members.length + 2)}</span>
      </summary>
      <ul aria-label={members.list(session.topic)}>
        <Row person={session.mentor} role={roles.mentor} />
        <Row person={session.student} role={roles.student} />
        {session.members.map((member) => (
          <RemovableRow key={member.id} member={member} onRemove={onRemove} problemOf={problemOf} />
        ))}
      </ul>
      <AddForm onAdd={onAdd} problemOf={problemOf} />
    </details>
  );
}

function Row({ person, role, children }: { readonly person: Person; readonly role: string; readonly children?: ReactNode }) {
  return (
    <li>
      <div className="member-line">
        <span className="member-name">{person.display_name}</span>
        <span className="hint">{role}</span>
      </div>
      {children}
    </li>
  );
}

interface RemovableRowProps extends Pick<SessionPeopleProps, "onRemove" | "problemOf"> {
  readonly member: Member;
}

function RemovableRow({ member, onRemove, problemOf }: RemovableRowProps) {
  const { members, roles } = texts;
  const name = member.display_name;
  const [asking, setAsking] = useState(false);
  const { busy, problem, attempt } = useAttempt(problemOf);
  if (!asking) {
    return (
      <Row person={member} role={roles[member.role]}>
        <button type="button" className="button button-quiet" aria-label={members.removeOne(name)} onClick={() => setAsking(true)}>
          {members.remove}
        </button>
      </Row>
    );
  }
  return (
    <li className="member-question" role="group" aria-label={members.removeAsk(name)}>
      <p>
        <strong>{members.removeAsk(name)}</strong> {members.removeHint}
      </p>
      <div className="member-actions">
        {/* The harmless one is at hand for whoever came by keyboard. */}
        <button type="button" className="button button-quiet" autoFocus onClick={() => setAsking(false)}>
          {members.keep}
        </button>
        <button type="button" className="button button-leave" disabled={busy} onClick={() => void attempt(() => onRemove(member.id))}>
          {members.remove}
        </button>
      </div>
      {problem !== null && <Notice kind="problem">{problem}</Notice>}
    </li>
  );
}

function AddForm({ onAdd, problemOf }: Pick<SessionPeopleProps, "onAdd" | "problemOf">) {
  const { members } = texts;
  const [role, setRole] = useState<AddedRole>("student");
  const [added, setAdded] = useState<readonly string[]>([]);
  const { busy, problem, attempt } = useAttempt(problemOf);
  const last = added.at(-1);
  return (
    <form
      className="member-form"
      onSubmit={(event) => {
        event.preventDefault();
        const username = fieldText(event.currentTarget, "username").trim();
        void attempt(async () => {
          await onAdd(username, role);
          setAdded((before) => [...before, username]);
        });
      }}
    >
      {/* A new field, and so an empty one, after each. */}
      <TextField key={added.length} label={members.username} name="username" autoComplete="off" maxLength={64} />
      <SelectField label={members.as} value={role} onChange={(value) => setRole(value as AddedRole)} options={ROLES} />
      <button type="submit" className="button button-quiet" disabled={busy}>
        {busy ? members.adding : members.add}
      </button>
      {problem !== null && <Notice kind="problem">{problem}</Notice>}
      {problem === null && last !== undefined && <Notice kind="success">{members.added(last)}</Notice>}
    </form>
  );
}

const ROLES = (["student", "mentor"] as const).map((value) => ({ value, label: texts.members.roles[value] }));
