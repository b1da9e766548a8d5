import { useEffect, useState } from "react";

import { Preview } from "../components/Preview";
import { BackIcon } from "../components/icons";
import { Brand, LoadingPage, MessagePage } from "../components/Page";
import { VideoCall } from "../components/VideoCall";
import { WaitingRoom } from "../components/WaitingRoom";
import { follow } from "../hooks/useRoute";
import { useReloadOnce } from "../hooks/useReloadOnce";
import { type SessionRoom, useSessionRoom } from "../hooks/useSessionRoom";
import { useWebRTC } from "../hooks/useWebRTC";
import { listOf, texts } from "../i18n/texts";
import { mayInvite } from "../protocol/membership";
import type { User } from "../protocol/resources";
import { CallEnd } from "./CallEnd";
import { Invite } from "./Invite";
import { problemText } from "./problemText";

export interface VideoCallPageProps {
  readonly sessionId: string;
  readonly user: User;
  readonly onExpired: () => void;
}

export function VideoCallPage({ sessionId, user, onExpired }: VideoCallPageProps) {
  const [joined, setJoined] = useState(false);
  const { value, error, refresh } = useSessionRoom(sessionId, joined);
  useEffect(() => {
    if (error?.status === 401) onExpired();
  }, [error, onExpired]);

  if (value !== null) return <Meeting sessionId={sessionId} user={user} known={value} onJoin={() => setJoined(true)} onExpired={onExpired} />;
  if (error === null) return <LoadingPage />;
  const { title } = error.code === "not_found" ? texts.end.notFound : texts.crashed;
  const text = error.code === "not_found" ? texts.end.notFound.text : problemText(error);
  return (
    <MessagePage title={title} text={text}>
      {error.code !== "not_found" && (
        <button type="button" className="button button-primary button-large" onClick={refresh}>
          {texts.tryAgain}
        </button>
      )}
      <a className="button button-quiet button-large" href="/" onClick={follow}>
        {texts.backToSessions}
      </a>
    </MessagePage>
  );
}

interface MeetingProps {
  readonly sessionId: string;
  readonly user: User;
  readonly known: SessionRoom;
  readonly onJoin: () => void;
  readonly onExpired: () => void;
}

/** Preview, call, end: the three stages of a meeting. */
function Meeting({ sessionId, user, known, onJoin, onExpired }: MeetingProps) {
  const { local, call, joining, refused, actions } = useWebRTC(sessionId);
  const { session, room } = known;
  const [inviting, setInviting] = useState(false);
  const onInvite = session !== null && mayInvite(session, user) ? () => setInviting(true) : null;
  const topic = session?.topic ?? "";
  const expected = expectedName(known, user);
  const refusedText = refused === null ? null : problemText(refused);
  useReloadOnce(call);

  if (call?.end != null) {
    return <CallEnd end={call.end} guest={user.role === "guest"} joining={joining} onRejoin={(takeover) => void actions.join(takeover)} onSignIn={onExpired} />;
  }
  if (call?.waiting != null) return <WaitingRoom topic={topic} waiting={call.waiting} call={call} local={local} actions={actions} />;
  if (call !== null) {
    return (
      <>
        <VideoCall topic={topic} expected={expected} call={call} local={local} actions={actions} onInvite={onInvite} refused={refusedText} />
        {inviting && <Invite sessionId={sessionId} onStage onClose={() => setInviting(false)} />}
      </>
    );
  }
  return (
    <div className="page">
      <header className="page-header">
        <Brand />
        <a className="button button-quiet" href="/" onClick={follow} aria-label={texts.backToSessions}>
          <BackIcon />
          {texts.back}
        </a>
      </header>
      <main className="page-main">
        <Preview
          topic={topic}
          ownName={user.display_name}
          expected={expected}
          present={room.participants.filter(({ id, online }) => online && id !== user.id).map(({ display_name }) => display_name)}
          local={local}
          joining={joining}
          refused={refusedText}
          onToggle={actions.toggle}
          onChoose={actions.choose}
          onRetry={actions.retryMedia}
          onJoin={() => {
            onJoin();
            void actions.join(false);
          }}
        />
      </main>
    </div>
  );
}

function expectedName({ session, room }: SessionRoom, { id }: User): string {
  const members = session === null ? room.participants : [session.mentor, session.student];
  return listOf(members.filter((person) => person.id !== id).map(({ display_name }) => display_name));
}
