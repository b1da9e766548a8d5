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
  PeopleIcon,
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
  readonly people: PeopleToggle;
  readonly onLeave: () => void;
  /** Null for those who may not. */
  readonly onEndForEveryone: (() => void) | null;
}

export interface PeopleToggle extends Toggle {
  /** How many wait to be let in. */
  readonly waiting: number;
}

export function ControlBar({ microphone, camera, screen, fullScreen, people, onLeave, onEndForEveryone }: ControlBarProps) {
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
      <PeopleControl {...people} />
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

function PeopleControl({ waiting, ...toggle }: PeopleToggle) {
  const { call } = texts;
  const label = waiting === 0 ? call.people : `${call.people}, ${call.peopleWaiting(waiting)}`;
  return (
    <Control {...toggle} label={label} shortcut="p" look={toggle.on ? "active" : "plain"} expanded={toggle.on}>
      <PeopleIcon />
      {waiting > 0 && (
        <span className="control-badge" aria-hidden="true">
          {waiting}
        </span>
      )}
    </Control>
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
  /** Where the control opens something. */
  readonly expanded?: boolean;
  readonly children: ReactNode;
}

function Control({ busy, toggle, label, shortcut, look, expanded, children }: ControlProps) {
  return (
    <button
      type="button"
      className={`control control-${look}`}
      aria-label={label}
      aria-keyshortcuts={shortcut}
      aria-busy={busy}
      aria-expanded={expanded}
      data-tip={texts.call.withKey(label, shortcut)}
      onClick={toggle}
    >
      {children}
    </button>
  );
}
