import { type MouseEvent, type ReactNode, useState } from "react";

import { texts, timeAgo } from "../i18n/texts";
import { isMember } from "../protocol/membership";
import type { MentoringSession, User } from "../protocol/resources";
import { Avatar } from "./Avatar";
import { CameraIcon, InviteIcon } from "./icons";
import { Notice } from "./Notice";

export interface SessionCardProps {
  readonly session: MentoringSession;
  readonly user: User;
  readonly joinAddress: string;
  readonly onFollow: (event: MouseEvent<HTMLAnchorElement>) => void;
  readonly onAnswer: (answer: "accept" | "decline") => Promise<void>;
  /** Null for those who may not. */
  readonly onInvite: (() => void) | null;
  /** Who belongs to it, for those who say so. */
  readonly people: ReactNode;
  /** Why the last answer was refused, in plain words. */
  readonly refused: string | null;
}

export function SessionCard({ session, user, joinAddress, onFollow, onAnswer, onInvite, people, refused }: SessionCardProps) {
  const { sessions } = texts;
  const [now] = useState(() => Date.now());
  const other = user.id === session.mentor.id ? session.student : session.mentor;
  const asksMe = session.status === "requested" && user.id === session.mentor.id;
  const when =
    session.answered_at === null ? sessions.requestedAt(timeAgo(session.requested_at, now)) : sessions.answeredAt(timeAgo(session.answered_at, now));
  return (
    <li className="session-card" data-status={session.status}>
      <Avatar name={other.display_name} size="medium" />
      <div className="session-text">
        <h2>{session.topic}</h2>
        <p>{asksMe ? `${other.display_name} ${sessions.asks}` : withWhom(session, user)}</p>
        <p className="session-meta">
          {session.room === null ? <StatusPill status={session.status} /> : <span className="pill pill-live">{live(session)}</span>}
          <span>{when}</span>
        </p>
      </div>
      <div className="session-actions">
        {session.status === "accepted" && isMember(session, user) && (
          <a className="button button-primary" href={joinAddress} onClick={onFollow}>
            <CameraIcon />
            {sessions.join}
          </a>
        )}
        {onInvite !== null && (
          <button type="button" className="button button-quiet" onClick={onInvite}>
            <InviteIcon />
            {sessions.invite}
          </button>
        )}
        {asksMe && <AnswerButtons onAnswer={onAnswer} />}
      </div>
      {refused !== null && <Notice kind="problem">{refused}</Notice>}
      {people}
    </li>
  );
}

function AnswerButtons({ onAnswer }: { readonly onAnswer: SessionCardProps["onAnswer"] }) {
  const [busy, setBusy] = useState(false);
  const give = (answer: "accept" | "decline") => {
    setBusy(true);
    void onAnswer(answer).finally(() => setBusy(false));
  };
  return (
    <>
      <button type="button" className="button button-primary" disabled={busy} onClick={() => give("accept")}>
        {texts.sessions.accept}
      </button>
      <button type="button" className="button button-quiet" disabled={busy} onClick={() => give("decline")}>
        {texts.sessions.decline}
      </button>
    </>
  );
}

function StatusPill({ status }: { readonly status: MentoringSession["status"] }) {
  return <span className={`pill pill-${status}`}>{texts.sessions.status[status]}</span>;
}

function withWhom({ mentor, student }: MentoringSession, { id }: User): string {
  if (id === mentor.id) return texts.sessions.with(student.display_name);
  if (id === student.id) return texts.sessions.with(mentor.display_name);
  return texts.sessions.between(mentor.display_name, student.display_name);
}

function live({ room }: MentoringSession): string {
  return room?.status === "active" ? texts.sessions.live : texts.sessions.open;
}
