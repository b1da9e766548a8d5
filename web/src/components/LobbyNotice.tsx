import type { Moderation } from "../hooks/useWebRTC";
import { listOf, texts } from "../i18n/texts";
import type { Participant } from "../protocol/signal";
import { Avatar } from "./Avatar";

export interface LobbyNoticeProps {
  readonly waiting: readonly Participant[];
  readonly moderation: Moderation;
  /** Opens the whole list. */
  readonly onShow: () => void;
}

/** Tells a moderator, without getting in the way, who asks to come in. */
export function LobbyNotice({ waiting, moderation, onShow }: LobbyNoticeProps) {
  const { lobby } = texts;
  const [first] = waiting;
  const names = waiting.map(({ display_name }) => display_name);
  return (
    <section className="lobby-notice on-stage" data-empty={first === undefined} role="status" aria-live="polite">
      {first !== undefined && (
        <>
          <span className="lobby-faces">
            {waiting.slice(0, FACES).map(({ participant_id, display_name }) => (
              <Avatar key={participant_id} name={display_name} size="small" />
            ))}
          </span>
          <p className="lobby-names">{waitingText(names)}</p>
          <span className="lobby-actions">
            {waiting.length === 1 ? (
              <button type="button" className="button button-quiet" aria-label={lobby.denyOne(first.display_name)} onClick={() => moderation.deny(first.participant_id)}>
                {lobby.deny}
              </button>
            ) : (
              <button type="button" className="button button-quiet" onClick={onShow}>
                {lobby.show}
              </button>
            )}
            <AdmitAll waiting={waiting} moderation={moderation} />
          </span>
        </>
      )}
    </section>
  );
}

/** One button for everybody who waits; with one alone it names them. */
export function AdmitAll({ waiting, moderation }: Pick<LobbyNoticeProps, "waiting" | "moderation">) {
  const { lobby } = texts;
  const [first] = waiting;
  const single = waiting.length === 1 && first !== undefined;
  return (
    <button
      type="button"
      className="button button-primary"
      aria-label={single ? lobby.admitOne(first.display_name) : undefined}
      onClick={() => moderation.admit(waiting.map(({ participant_id }) => participant_id))}
    >
      {single ? lobby.admit : lobby.admitAll}
    </button>
  );
}

function waitingText(names: readonly string[]): string {
  const { lobby, call } = texts;
  if (names.length > NAMED) return call.peopleWaiting(names.length);
  return names.length === 1 ? lobby.isWaiting(listOf(names)) : lobby.areWaiting(listOf(names));
}

const FACES = 3;
const NAMED = 2;
