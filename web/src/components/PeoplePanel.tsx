import { useEffect, useRef } from "react";

import type { CallSnapshot } from "../call/call";
import type { Moderation } from "../hooks/useWebRTC";
import { texts } from "../i18n/texts";
import type { Participant } from "../protocol/signal";
import { Avatar } from "./Avatar";
import { AdmitAll } from "./LobbyNotice";
import { PersonRow } from "./PersonRow";
import { CloseIcon, InviteIcon, LockIcon } from "./icons";

export interface PeoplePanelProps {
  readonly call: CallSnapshot;
  readonly microphoneOn: boolean;
  readonly moderation: Moderation;
  /** Null for those who may not. */
  readonly onInvite: (() => void) | null;
  readonly onClose: () => void;
}

/** Who is here and who waits; for those who moderate, what they may do about it. Beside the call, never in its way. */
export function PeoplePanel({ call, microphoneOn, moderation, onInvite, onClose }: PeoplePanelProps) {
  const { people } = texts;
  const heading = useRef<HTMLHeadingElement>(null);
  // Whoever opened it by keyboard goes on inside, and afterwards where they were.
  useEffect(() => {
    const before = document.activeElement;
    heading.current?.focus();
    return () => {
      if (before instanceof HTMLElement) before.focus({ preventScroll: true });
    };
  }, []);

  return (
    <aside
      className="people on-stage"
      aria-label={people.title}
      onKeyDown={({ key }) => {
        if (key === "Escape") onClose();
      }}
    >
      <header className="people-head">
        <h2 ref={heading} tabIndex={-1}>
          {people.title}
        </h2>
        <button type="button" className="people-icon-button" aria-label={people.close} onClick={onClose}>
          <CloseIcon />
        </button>
      </header>
      <div className="people-body">
        {call.lobby.length > 0 && <WaitingList waiting={call.lobby} moderation={moderation} />}
        <section>
          <h3>{people.inMeeting(call.peers.length + 1)}</h3>
          <ul className="people-list" aria-label={people.inMeeting(call.peers.length + 1)}>
            <PersonRow participant={call.you} own moderator={call.moderator} microphoneOn={microphoneOn} state={null} moderation={null} />
            {call.peers.map((peer) => (
              <PersonRow
                key={peer.participant.participant_id}
                participant={peer.participant}
                own={false}
                moderator={peer.moderator}
                microphoneOn={peer.media.microphone}
                state={peer.attached || peer.connection === "connected" ? peer.connection : "away"}
                moderation={call.moderator ? moderation : null}
              />
            ))}
          </ul>
        </section>
      </div>
      {onInvite !== null && (
        <button type="button" className="people-lock" onClick={onInvite}>
          <InviteIcon />
          <span className="person-words">
            <span className="person-name">{texts.invite.title}</span>
          </span>
        </button>
      )}
      {call.moderator ? (
        <LockSwitch locked={call.locked} onLock={moderation.lock} />
      ) : (
        call.locked && (
          <p className="people-locked">
            <LockIcon />
            {texts.call.locked}
          </p>
        )
      )}
    </aside>
  );
}

interface WaitingListProps {
  readonly waiting: readonly Participant[];
  readonly moderation: Moderation;
}

function WaitingList({ waiting, moderation }: WaitingListProps) {
  const { lobby, people } = texts;
  return (
    <section>
      <div className="people-section-head">
        <h3>{people.waiting(waiting.length)}</h3>
        {waiting.length > 1 && <AdmitAll waiting={waiting} moderation={moderation} />}
      </div>
      <ul className="people-list" aria-label={people.waiting(waiting.length)}>
        {waiting.map(({ participant_id, display_name, role }) => (
          <li key={participant_id} className="person">
            <div className="person-line">
              <Avatar name={display_name} size="small" />
              <span className="person-words">
                <span className="person-name">{display_name}</span>
                <span className="person-detail">{texts.roles[role]}</span>
              </span>
            </div>
            <div className="person-actions">
              <button type="button" className="button button-quiet" aria-label={lobby.denyOne(display_name)} onClick={() => moderation.deny(participant_id)}>
                {lobby.deny}
              </button>
              <button type="button" className={waiting.length > 1 ? "button button-quiet button-accent" : "button button-primary"} aria-label={lobby.admitOne(display_name)} onClick={() => moderation.admit([participant_id])}>
                {lobby.admit}
              </button>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

function LockSwitch({ locked, onLock }: { readonly locked: boolean; readonly onLock: (locked: boolean) => void }) {
  const { people } = texts;
  return (
    <button type="button" role="switch" aria-checked={locked} className="people-lock" onClick={() => onLock(!locked)}>
      <LockIcon />
      <span className="person-words">
        <span className="person-name">{people.lock}</span>
        <span className="person-detail">{people.lockHint}</span>
      </span>
      <span className="switch" aria-hidden="true" />
    </button>
  );
}
