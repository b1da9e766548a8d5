import type { ReactNode } from "react";

import type { PeerSnapshot } from "../call/peer";
import type { Role } from "../protocol/signal";
import { texts } from "../i18n/texts";
import { Avatar } from "./Avatar";
import { MicrophoneOffIcon, ScreenIcon } from "./icons";
import { Video } from "./Video";

export interface RemoteTileProps {
  readonly peer: PeerSnapshot;
  /** One of several, or beside a shared screen. */
  readonly small: boolean;
}

/** Somebody else: picture or initials, name and role, and what is off. */
export function RemoteTile({ peer, small }: RemoteTileProps) {
  const { participant, media, streams } = peer;
  const shown = media.camera && streams.camera !== null && peer.connection !== "connecting";
  return (
    <figure className="tile remote-tile" data-small={small} data-camera={shown} data-connection={peer.connection} aria-label={participant.display_name}>
      <Video stream={streams.camera} testId="remote-camera" label={participant.display_name} className="tile-video" />
      {!shown && (
        <div className="tile-cover">
          <Avatar name={participant.display_name} size={small ? "medium" : "large"} pulsing={peer.connection === "connecting"} />
          {!small && <PeerHint peer={peer} />}
        </div>
      )}
      {shown && peer.connection !== "connected" && <div className="tile-veil">{!small && <PeerHint peer={peer} />}</div>}
      <figcaption className="tile-label">
        <span className="tile-name">{participant.display_name}</span>
        <span className="tile-role">{texts.roles[participant.role]}</span>
        {!media.microphone && <OffMark label={texts.call.microphoneOff} icon={<MicrophoneOffIcon />} />}
        {!media.camera && <span className="visually-hidden">{texts.call.cameraOff}</span>}
      </figcaption>
    </figure>
  );
}

export interface ScreenTileProps {
  readonly name: string;
  readonly stream: MediaStream | null;
}

/** A shared screen, whole: nothing of it is cut off. */
export function ScreenTile({ name, stream }: ScreenTileProps) {
  return (
    <figure className="tile screen-tile" aria-label={texts.call.sharesScreen(name)}>
      <Video stream={stream} testId="remote-screen" label={texts.call.sharesScreen(name)} className="tile-screen" />
      <figcaption className="tile-label">
        <ScreenIcon />
        <span className="tile-name">{texts.call.sharesScreen(name)}</span>
      </figcaption>
    </figure>
  );
}

export interface LocalTileProps {
  readonly name: string;
  readonly role: Role;
  readonly stream: MediaStream | null;
  readonly microphoneOn: boolean;
}

export function LocalTile({ name, role, stream, microphoneOn }: LocalTileProps) {
  return (
    <figure className="tile local-tile" data-camera={stream !== null} aria-label={texts.call.you}>
      <Video stream={stream} testId="local-camera" label={texts.call.you} className="tile-video tile-mirrored" />
      {stream === null && (
        <div className="tile-cover">
          <Avatar name={name} size="medium" />
        </div>
      )}
      <figcaption className="tile-label">
        <span className="tile-name">{texts.call.you}</span>
        <span className="tile-role">{texts.roles[role]}</span>
        {!microphoneOn && <OffMark label={texts.call.microphoneOff} icon={<MicrophoneOffIcon />} />}
      </figcaption>
    </figure>
  );
}

function PeerHint({ peer }: { readonly peer: PeerSnapshot }) {
  const name = peer.participant.display_name;
  const { call } = texts;
  switch (peer.connection) {
    case "connecting":
      return <p className="tile-hint">{peer.attached ? call.connectingTo(name) : call.peerAway(name)}</p>;
    case "reconnecting":
      return <p className="tile-hint">{peer.attached ? call.peerReconnecting(name) : call.peerAway(name)}</p>;
    case "failed":
      return (
        <p className="tile-hint" role="alert">
          {call.peerFailed(name)}
          <span>{call.peerFailedHint}</span>
        </p>
      );
    case "connected":
      return peer.media.camera ? null : <p className="tile-hint">{call.cameraOff}</p>;
  }
}

function OffMark({ label, icon }: { readonly label: string; readonly icon: ReactNode }) {
  return (
    <span className="off-mark" role="img" aria-label={label} title={label}>
      {icon}
    </span>
  );
}
