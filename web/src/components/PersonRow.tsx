import { useState } from "react";

import type { PeerConnectionState } from "../call/peer";
import type { Moderation } from "../hooks/useWebRTC";
import { texts } from "../i18n/texts";
import type { Participant } from "../protocol/signal";
import { Avatar } from "./Avatar";
import { MicrophoneOffIcon, MoreIcon } from "./icons";

export interface PersonRowProps {
  readonly participant: Participant;
  readonly own: boolean;
  readonly moderator: boolean;
  readonly microphoneOn: boolean;
  /** Null for oneself. */
  readonly state: PeerConnectionState | "away" | null;
  /** Null for those who may not. */
  readonly moderation: Moderation | null;
}

/** Closed, with its actions, or asking whether to remove. */
type Open = "closed" | "actions" | "removing";

export function PersonRow({ participant, own, moderator, microphoneOn, state, moderation }: PersonRowProps) {
  const { people, call } = texts;
  const name = participant.display_name;
  const [open, setOpen] = useState<Open>("closed");
  return (
    <li className="person">
      <div className="person-line">
        <Avatar name={name} size="small" />
        <span className="person-words">
          <span className="person-name">{own ? people.you(name) : name}</span>
          <span className="person-detail">
            {texts.roles[participant.role]}
            {state !== null && (
              <span className="person-state" data-state={state}>
                {people.connection[state]}
              </span>
            )}
          </span>
        </span>
        {moderator && <span className="person-badge">{people.moderator}</span>}
        {!microphoneOn && (
          <span className="off-mark" role="img" aria-label={call.microphoneOff} title={call.microphoneOff}>
            <MicrophoneOffIcon />
          </span>
        )}
        {moderation !== null && (
          <button
            type="button"
            className="people-icon-button"
            aria-label={people.manage(name)}
            aria-expanded={open !== "closed"}
            onClick={() => setOpen(open === "closed" ? "actions" : "closed")}
          >
            <MoreIcon />
          </button>
        )}
      </div>
      {moderation !== null && open === "actions" && (
        <div className="person-actions">
          {participant.role !== "student" && (
            <button
              type="button"
              className="button button-quiet"
              onClick={() => {
                moderation.moderate(participant.participant_id, !moderator);
                setOpen("closed");
              }}
            >
              {moderator ? people.unmakeModerator : people.makeModerator}
            </button>
          )}
          <button type="button" className="button button-quiet button-danger" onClick={() => setOpen("removing")}>
            {people.remove}
          </button>
        </div>
      )}
      {moderation !== null && open === "removing" && (
        <div className="person-question" role="group" aria-label={people.removeAsk(name)}>
          <p>
            <strong>{people.removeAsk(name)}</strong> {participant.role === "guest" ? people.removeGuestHint : people.removeHint}
          </p>
          <div className="person-actions">
            {/* The harmless one is at hand for whoever came by keyboard. */}
            <button type="button" className="button button-quiet" autoFocus onClick={() => setOpen("closed")}>
              {people.keep}
            </button>
            <button type="button" className="button button-leave" onClick={() => moderation.kick(participant.participant_id)}>
              {people.removeNow}
            </button>
          </div>
        </div>
      )}
    </li>
  );
}
