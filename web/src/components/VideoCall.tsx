import { useCallback, useMemo, useState } from "react";

import type { CallSnapshot } from "../call/call";
import type { LocalMediaSnapshot } from "../call/media";
import type { PeerSnapshot } from "../call/peer";
import type { Quality } from "../call/quality";
import { useFullScreen } from "../hooks/useFullScreen";
import { useIdle } from "../hooks/useIdle";
import { useMutedTalking } from "../hooks/useLevel";
import { useStreamOf } from "../hooks/useMediaElement";
import { useShortcuts } from "../hooks/useShortcuts";
import { useWakeLock } from "../hooks/useWakeLock";
import type { CallActions } from "../hooks/useWebRTC";
import { texts } from "../i18n/texts";
import { ControlBar, type Toggle } from "./ControlBar";
import { LobbyNotice } from "./LobbyNotice";
import { MediaNotice } from "./MediaNotice";
import { Notice } from "./Notice";
import { Title } from "./Page";
import { PeoplePanel } from "./PeoplePanel";
import { RemoteAudio } from "./RemoteAudio";
import { Stage } from "./Stage";
import { StatusBadge } from "./StatusBadge";
import { LocalTile } from "./Tile";
import { LockIcon } from "./icons";

export interface VideoCallProps {
  readonly topic: string;
  /** Who is waited for while nobody is there. */
  readonly expected: string;
  readonly call: CallSnapshot;
  readonly local: LocalMediaSnapshot;
  readonly actions: CallActions;
  /** Null for those who may not. */
  readonly onInvite: (() => void) | null;
  /** The last thing the daemon refused, in plain words. */
  readonly refused: string | null;
}

export function VideoCall({ topic, expected, call, local, actions, onInvite, refused }: VideoCallProps) {
  const { status, you, peers, lobby } = call;
  const alone = peers.length === 0;
  const news = useMediaNews(local);
  const people = usePeoplePanel();
  const quiet = useIdle(CONTROLS_FADE_MS, alone || news.unread || people.open || lobby.length > 0);
  const talking = useMutedTalking(local.microphone.track, !local.microphone.on);
  const cameraStream = useStreamOf(local.camera.track);
  const controls = useControls(local, actions, people.toggle);
  useWakeLock();

  return (
    <main className="call" data-quiet={quiet} data-alone={alone} data-people={people.open}>
      <Title page={lobby.length === 0 ? topic : texts.call.titleWaiting(topic, lobby.length)} />
      <h1 className="visually-hidden">{texts.call.label(topic)}</h1>
      <Stage peers={peers} expected={expected} atDoor={lobby.length > 0} entering={status === "loading"} />
      {peers.map(({ participant, streams }) => (
        <RemoteAudio key={participant.participant_id} stream={streams.microphone} />
      ))}
      <LocalTile name={you.display_name} role={you.role} stream={cameraStream} microphoneOn={local.microphone.on} />
      <div className="call-top">
        <StatusBadge status={status} quality={worstQuality(peers)} relayed={peers.some(({ relayed }) => relayed)} />
        {call.locked && (
          <span className="call-locked" role="img" aria-label={texts.call.locked} title={texts.call.locked}>
            <LockIcon />
          </span>
        )}
        <span className="call-topic">{topic}</span>
      </div>
      <div className="call-notices">
        {news.unread && <MediaNotice local={local} onRetry={actions.retryMedia} onDismiss={news.dismiss} />}
        {local.screenProblem !== null && <Notice kind="warning">{texts.media.screenFailed}</Notice>}
        {refused !== null && <Notice kind="problem">{refused}</Notice>}
        {call.refused !== null && <Notice kind="warning">{texts.call.refused[call.refused]}</Notice>}
        {call.socketLost && <Notice kind="warning">{texts.call.socketLost}</Notice>}
        <LobbyNotice waiting={people.open ? NOBODY : lobby} moderation={actions.moderation} onShow={people.toggle} />
      </div>
      <div className="call-hints" role="status">
        {local.screen !== null && <p className="call-hint">{texts.call.youShare}</p>}
        {talking && <p className="call-hint">{texts.call.mutedTalking}</p>}
      </div>
      <ControlBar
        {...controls}
        people={{ on: people.open, busy: false, toggle: people.toggle, waiting: lobby.length }}
        onLeave={actions.leave}
        onEndForEveryone={call.moderator ? () => void actions.endForEveryone() : null}
      />
      {people.open && (
        <PeoplePanel call={call} microphoneOn={local.microphone.on} moderation={actions.moderation} onInvite={onInvite} onClose={people.toggle} />
      )}
    </main>
  );
}

function usePeoplePanel() {
  const [open, setOpen] = useState(false);
  const toggle = useCallback(() => setOpen((before) => !before), []);
  return { open, toggle };
}

/** What is wrong with the devices, unless it was read before: in the preview, or here. A new attempt makes it news again. */
function useMediaNews({ camera, microphone }: LocalMediaSnapshot) {
  const problems = `${camera.problem ?? ""} ${microphone.problem ?? ""}`.trim();
  const [read, setRead] = useState(problems);
  if (problems === "" && read !== "") setRead("");
  return { unread: problems !== read, dismiss: () => setRead(problems) };
}

function useControls(local: LocalMediaSnapshot, actions: CallActions, togglePeople: () => void) {
  const fullScreen = useFullScreen();
  const { toggle, toggleScreen } = actions;
  const toggleFullScreen = fullScreen.toggle;
  useShortcuts(
    useMemo(
      () => ({
        m: () => toggle("microphone"),
        v: () => toggle("camera"),
        s: CAN_SHARE_SCREEN ? toggleScreen : () => undefined,
        f: toggleFullScreen,
        p: togglePeople,
      }),
      [toggle, toggleScreen, toggleFullScreen, togglePeople],
    ),
  );
  const device = (kind: "microphone" | "camera"): Toggle => ({
    on: local[kind].on,
    busy: local[kind].busy,
    toggle: () => toggle(kind),
  });
  return {
    microphone: device("microphone"),
    camera: device("camera"),
    screen: CAN_SHARE_SCREEN ? { on: local.screen !== null, busy: false, toggle: toggleScreen } : null,
    fullScreen: fullScreen.supported ? { on: fullScreen.active, busy: false, toggle: toggleFullScreen } : null,
  };
}

function worstQuality(peers: readonly PeerSnapshot[]): Quality | null {
  const rated = peers.map(({ quality }) => quality);
  return (["poor", "fair", "good"] as const).find((quality) => rated.includes(quality)) ?? null;
}

const NOBODY = [] as const;
/** Typed as always there; phones and plain http have none. */
const CAN_SHARE_SCREEN = (navigator.mediaDevices as Partial<MediaDevices> | undefined)?.getDisplayMedia !== undefined;
const CONTROLS_FADE_MS = 3_000;
