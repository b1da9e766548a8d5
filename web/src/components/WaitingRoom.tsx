import { useMemo } from "react";

import type { CallSnapshot, Waiting } from "../call/call";
import type { LocalMediaSnapshot } from "../call/media";
import { useStreamOf } from "../hooks/useMediaElement";
import { useShortcuts } from "../hooks/useShortcuts";
import { useWakeLock } from "../hooks/useWakeLock";
import type { CallActions } from "../hooks/useWebRTC";
import { texts } from "../i18n/texts";
import type { Role } from "../protocol/signal";
import { Avatar } from "./Avatar";
import { CameraControl, MicrophoneControl } from "./ControlBar";
import { MediaNotice } from "./MediaNotice";
import { Notice } from "./Notice";
import { Title } from "./Page";
import { Video } from "./Video";
import { LeaveIcon } from "./icons";

export interface WaitingRoomProps {
  readonly topic: string;
  readonly waiting: Waiting;
  readonly call: CallSnapshot;
  readonly local: LocalMediaSnapshot;
  readonly actions: CallActions;
}

/** Before the door: who waits sees why, sees themselves, and may go. */
export function WaitingRoom({ topic, waiting, call, local, actions }: WaitingRoomProps) {
  const { lobby } = texts;
  const { title, text } = reason(waiting, call.you.role);
  const stream = useStreamOf(local.camera.track);
  const { toggle } = actions;
  useShortcuts(useMemo(() => ({ m: () => toggle("microphone"), v: () => toggle("camera") }), [toggle]));
  const device = (kind: "microphone" | "camera") => ({ on: local[kind].on, busy: local[kind].busy, toggle: () => toggle(kind) });
  useWakeLock();

  return (
    <main className="waiting-room on-stage">
      <Title page={title} />
      <div className="waiting-room-inner">
        <p className="waiting-room-topic">{topic}</p>
        <figure className="tile waiting-room-view" aria-label={lobby.ownView}>
          <Video stream={stream} testId="local-camera" label={lobby.ownView} className="tile-video tile-mirrored" />
          {stream === null && (
            <div className="tile-cover">
              <Avatar name={call.you.display_name} size="large" />
            </div>
          )}
          <figcaption className="tile-label">
            <span className="tile-name">{call.you.display_name}</span>
            <span className="tile-role">{texts.roles[call.you.role]}</span>
          </figcaption>
        </figure>
        <div className="waiting-room-words" role="status" data-testid="call-status" data-state={call.status}>
          <span className="waiting-room-dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          <h1>{title}</h1>
          <p>{text}</p>
        </div>
        <div className="waiting-room-controls" role="toolbar" aria-label={texts.call.controls}>
          <MicrophoneControl {...device("microphone")} />
          <CameraControl {...device("camera")} />
          <button type="button" className="control control-leave" onClick={actions.leave} aria-label={texts.call.leave}>
            <LeaveIcon />
            <span>{texts.call.leave}</span>
          </button>
        </div>
        <MediaNotice local={local} onRetry={actions.retryMedia} />
        {call.socketLost && <Notice kind="warning">{texts.call.socketLostWaiting}</Notice>}
      </div>
    </main>
  );
}

function reason({ reason: why, seatedBefore }: Waiting, role: Role): { readonly title: string; readonly text: string } {
  const { lobby } = texts;
  if (why === "not_admitted") return lobby.notAdmitted;
  if (seatedBefore) return lobby.paused;
  return role === "student" ? lobby.forStudents : lobby.forOthers;
}
