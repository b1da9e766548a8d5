import type { ReactNode } from "react";

import { texts } from "../i18n/texts";
import {
  CameraIcon,
  CameraOffIcon,
  EndAllIcon,
  ExpandIcon,
  LeaveIcon,
  MicrophoneIcon,
  MicrophoneOffIcon,
  ScreenIcon,
  ScreenStopIcon,
  ShrinkIcon,
} from "./icons";

export interface Toggle {
  readonly on: boolean;
  readonly busy: boolean;
  readonly toggle: () => void;
}

export interface ControlBarProps {
  readonly microphone: Toggle;
  readonly camera: Toggle;
  /** Null where the browser cannot: phones share no screen. */
  readonly screen: Toggle | null;
  readonly fullScreen: Toggle | null;
  readonly onLeave: () => void;
  /** Null for those who may not. */
  readonly onEndForEveryone: (() => void) | null;
}

export function ControlBar({ microphone, camera, screen, fullScreen, onLeave, onEndForEveryone }: ControlBarProps) {
  const { call } = texts;
  return (
    <div className="control-bar" role="toolbar" aria-label={call.controls}>
      <MicrophoneControl {...microphone} />
      <CameraControl {...camera} />
      {screen !== null && (
        <Control {...screen} label={screen.on ? call.stopSharing : call.share} shortcut="s" look={screen.on ? "active" : "plain"}>
          {screen.on ? <ScreenStopIcon /> : <ScreenIcon />}
        </Control>
      )}
      {fullScreen !== null && (
        <Control {...fullScreen} label={fullScreen.on ? call.leaveFullScreen : call.fullScreen} shortcut="f" look="plain">
          {fullScreen.on ? <ShrinkIcon /> : <ExpandIcon />}
        </Control>
      )}
      <span className="control-gap" />
      <button type="button" className="control control-leave" onClick={onLeave} aria-label={call.leave}>
        <LeaveIcon />
        <span className="control-text">{call.leave}</span>
      </button>
      {onEndForEveryone !== null && (
        <button type="button" className="control control-end" onClick={onEndForEveryone} aria-label={call.endForEveryone} data-tip={call.endForEveryone}>
          <EndAllIcon />
          <span className="control-text">{call.endForEveryone}</span>
        </button>
      )}
    </div>
  );
}

export function MicrophoneControl(toggle: Toggle) {
  const label = toggle.on ? texts.call.mute : texts.call.unmute;
  return (
    <Control {...toggle} label={label} shortcut="m" look={toggle.on ? "plain" : "off"}>
      {toggle.on ? <MicrophoneIcon /> : <MicrophoneOffIcon />}
    </Control>
  );
}

export function CameraControl(toggle: Toggle) {
  const label = toggle.on ? texts.call.cameraTurnOff : texts.call.cameraTurnOn;
  return (
    <Control {...toggle} label={label} shortcut="v" look={toggle.on ? "plain" : "off"}>
      {toggle.on ? <CameraIcon /> : <CameraOffIcon />}
    </Control>
  );
}

interface ControlProps extends Toggle {
  readonly label: string;
  readonly shortcut: string;
  readonly look: "plain" | "off" | "active";
  readonly children: ReactNode;
}

function Control({ busy, toggle, label, shortcut, look, children }: ControlProps) {
  return (
    <button
      type="button"
      className={`control control-${look}`}
      aria-label={label}
      aria-keyshortcuts={shortcut}
      aria-busy={busy}
      data-tip={texts.call.withKey(label, shortcut)}
      onClick={toggle}
    >
      {children}
    </button>
  );
}
