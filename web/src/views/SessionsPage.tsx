import { useEffect, useState } from "react";

import { AdminWarnings } from "../components/AdminWarnings";
import { ArrangeForm } from "../components/ArrangeForm";
import { FormJump } from "../components/FormJump";
import { Notice } from "../components/Notice";
import { Title } from "../components/Page";
import { PageHeader } from "../components/PageHeader";
import { RequestForm } from "../components/RequestForm";
import { SessionCard } from "../components/SessionCard";
import { SessionPeople } from "../components/SessionPeople";
import { CalendarIcon } from "../components/icons";
import type { OwnAccount } from "../hooks/useLogin";
import { useMentors } from "../hooks/useMentors";
import { callAddress, follow } from "../hooks/useRoute";
import { type Sessions, useSessions } from "../hooks/useSessions";
import { useStudents } from "../hooks/useStudents";
import { useWarnings } from "../hooks/useWarnings";
import { texts } from "../i18n/texts";
import { mayInvite, mayManage } from "../protocol/membership";
import type { MentoringSession, User } from "../protocol/resources";
import { Invite } from "./Invite";
import { accountProblemText, memberProblemText, problemText } from "./problemText";

export interface SessionsPageProps {
  readonly user: User;
  readonly account: OwnAccount;
  readonly onExpired: () => void;
}

export function SessionsPage({ user, account, onExpired }: SessionsPageProps) {
  const { value: sessions, error, request, arrange, answer, addMember, removeMember, refused } = useSessions();
  const [inviting, setInviting] = useState<string | null>(null);
  const warnings = useWarnings(user);
  const title = titleFor(user);
  const asks = user.role === "student";
  const some = sessions !== null && sessions.length > 0;
  const arranges = user.role === "mentor" || user.role === "admin";
  useEffect(() => {
    if (error?.status === 401) onExpired();
  }, [error, onExpired]);

  return (
    <div className="page">
      <Title page={title} />
      <PageHeader user={user} page="sessions" account={account} problemOf={accountProblemText} onFollow={follow} />
      <main className="sessions" data-with-form={asks || arranges}>
        <section className="sessions-main">
          <div className="sessions-top">
            <header className="sessions-head">
              <p className="eyebrow">{texts.sessions.greeting(user.display_name)}</p>
              <h1>{title}</h1>
            </header>
            {asks && some && <FormJump text={texts.sessions.toRequest} label={texts.sessions.requestTitle} />}
            {arranges && some && <FormJump text={texts.sessions.toArrange} label={texts.sessions.arrangeTitle} />}
          </div>
          <AdminWarnings codes={warnings} />
          {error !== null && <Notice kind="warning">{sessions === null ? problemText(error) : texts.sessions.stale}</Notice>}
          {sessions === null && error === null && <SessionsSkeleton />}
          {sessions?.length === 0 && <EmptySessions user={user} />}
          {some && (
            <ul className="session-list" aria-label={texts.sessions.listLabel}>
              {inOrder(sessions, user).map((session) => (
                <SessionCard
                  key={session.id}
                  session={session}
                  user={user}
                  joinAddress={callAddress(session.id)}
                  onFollow={follow}
                  onInvite={mayInvite(session, user) ? () => setInviting(session.id) : null}
                  people={
                    session.status === "accepted" && mayManage(session, user) ? (
                      <SessionPeople
                        session={session}
                        onAdd={(username, role) => addMember(session.id, username, role)}
                        onRemove={(userId) => removeMember(session.id, userId)}
                        problemOf={memberProblemText}
                      />
                    ) : null
                  }
                  onAnswer={(given) => answer(session.id, given)}
                  refused={refused?.id === session.id ? problemText(refused.error) : null}
                />
              ))}
            </ul>
          )}
        </section>
        {asks && <RequestAside onRequest={request} />}
        {arranges && <ArrangeAside user={user} onArrange={arrange} />}
      </main>
      {inviting !== null && <Invite sessionId={inviting} onStage={false} onClose={() => setInviting(null)} />}
    </div>
  );
}

/** Admins see the sessions of everybody. */
function titleFor({ role }: User): string {
  const { title, guestTitle, allTitle } = texts.sessions;
  if (role === "admin") return allTitle;
  return role === "guest" ? guestTitle : title;
}

function RequestAside({ onRequest }: { readonly onRequest: (mentorId: string, topic: string) => Promise<void> }) {
  const { value: mentors } = useMentors();
  return <RequestForm mentors={mentors} onRequest={onRequest} problemOf={problemText} />;
}

function ArrangeAside({ user, onArrange }: { readonly user: User; readonly onArrange: Sessions["arrange"] }) {
  const { value: mentors } = useMentors();
  const { value: students } = useStudents();
  return <ArrangeForm mentors={user.role === "admin" ? (mentors ?? []) : null} students={students ?? []} onArrange={onArrange} problemOf={problemText} />;
}

function EmptySessions({ user }: { readonly user: User }) {
  const { title, text } = texts.sessions.empty[user.role];
  return (
    <div className="empty">
      <CalendarIcon className="icon empty-icon" />
      <h2>{title}</h2>
      <p>{text}</p>
      {user.role === "admin" && (
        <a className="button button-quiet" href="/people" onClick={follow}>
          {texts.start.steps.people.action}
        </a>
      )}
    </div>
  );
}

function SessionsSkeleton() {
  return (
    <div className="skeletons" role="status">
      <span className="visually-hidden">{texts.loading}</span>
      <span className="skeleton" />
      <span className="skeleton" />
    </div>
  );
}

/** What waits for this person comes first; within that, the server's order: newest first. */
function inOrder(sessions: readonly MentoringSession[], { role }: User): readonly MentoringSession[] {
  const order = role === "mentor" ? ["requested", "accepted", "declined"] : ["accepted", "requested", "declined"];
  return sessions.toSorted((a, b) => order.indexOf(a.status) - order.indexOf(b.status));
}
