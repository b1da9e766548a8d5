import { MessagePage } from "../components/Page";
import { follow } from "../hooks/useRoute";
import { texts } from "../i18n/texts";
import type { CallSnapshot } from "../call/call";

export interface CallEndProps {
  readonly end: NonNullable<CallSnapshot["end"]>;
  /** Guests have no account to come back with. */
  readonly guest: boolean;
  readonly joining: boolean;
  readonly onRejoin: (takeover: boolean) => void;
  readonly onSignIn: () => void;
}

/** Why the call is over, and what can be done about it. */
export function CallEnd({ end, guest, joining, onRejoin, onSignIn }: CallEndProps) {
  const { end: words } = texts;
  const action = (label: string, act: () => void) => (
    <button type="button" className="button button-primary button-large" disabled={joining} onClick={act}>
      {label}
    </button>
  );
  switch (end.kind) {
    case "room_ended": {
      const { title, text } = end.reason === "ended_by_staff" ? words.endedByStaff : words.ended;
      return <End title={title} text={text} />;
    }
    case "left":
      return <End {...words.left}>{action(words.rejoin, () => onRejoin(false))}</End>;
    case "replaced":
      return <End {...words.replaced}>{action(words.takeBack, () => onRejoin(true))}</End>;
    case "seat_taken":
      return <End {...words.seatTaken}>{action(words.takeOver, () => onRejoin(true))}</End>;
    case "room_full":
      return <End {...words.roomFull}>{action(texts.tryAgain, () => onRejoin(false))}</End>;
    case "not_found":
      return <End {...words.notFound} />;
    case "kicked":
      if (guest) return <MessagePage {...words.kickedGuest} />;
      return <End {...words.kicked}>{action(words.askAgain, () => onRejoin(false))}</End>;
    case "denied":
      return <End {...words.denied} />;
    case "signed_out":
      return <End {...words.signedOut}>{action(words.signInAgain, onSignIn)}</End>;
    case "version_unsupported":
      return <End {...words.version}>{action(words.reload, () => location.reload())}</End>;
    case "policy_violation":
    case "message_too_big":
      return <End {...words.refused}>{action(words.reload, () => location.reload())}</End>;
  }
}

interface EndProps {
  readonly title: string;
  readonly text: string;
  readonly children?: React.ReactNode;
}

function End({ title, text, children }: EndProps) {
  return (
    <MessagePage title={title} text={text}>
      {children}
      <a className={children === undefined ? "button button-primary button-large" : "button button-quiet button-large"} href="/" onClick={follow}>
        {texts.backToSessions}
      </a>
    </MessagePage>
  );
}
