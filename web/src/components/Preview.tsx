import type { DeviceKind, LocalDevice, LocalMediaSnapshot } from "../call/media";
import { useLevel } from "../hooks/useLevel";
import { useStreamOf } from "../hooks/useMediaElement";
import { listOf, texts } from "../i18n/texts";
import { Avatar } from "./Avatar";
import { CameraControl, MicrophoneControl } from "./ControlBar";
import { SelectField } from "./Field";
import { LevelBar } from "./LevelBar";
import { MediaNotice } from "./MediaNotice";
import { Notice } from "./Notice";
import { Title } from "./Page";
import { Video } from "./Video";

export interface PreviewProps {
  readonly topic: string;
  readonly ownName: string;
  readonly expected: string;
  /** Who sits in the room already. */
  readonly present: readonly string[];
  readonly local: LocalMediaSnapshot;
  readonly joining: boolean;
  readonly refused: string | null;
  readonly onToggle: (kind: DeviceKind) => void;
  readonly onChoose: (kind: DeviceKind, deviceId: string) => void;
  readonly onRetry: () => void;
  readonly onJoin: () => void;
}

/** See and hear yourself before anybody else does. */
export function Preview({ topic, ownName, expected, present, local, joining, refused, onToggle, onChoose, onRetry, onJoin }: PreviewProps) {
  const { preview } = texts;
  const { camera, microphone } = local;
  const problem = camera.problem ?? microphone.problem;
  return (
    <div className="preview">
      <Title page={topic} />
      <div className="preview-picture">
        <PreviewPicture local={local} ownName={ownName} />
        <div className="preview-controls" role="toolbar" aria-label={texts.call.controls}>
          <MicrophoneControl on={microphone.on} busy={microphone.busy} toggle={() => onToggle("microphone")} />
          <CameraControl on={camera.on} busy={camera.busy} toggle={() => onToggle("camera")} />
        </div>
      </div>
      <div className="preview-side">
        <header>
          <p className="eyebrow">{preview.with(expected)}</p>
          <h1>{preview.title}</h1>
          <p className="preview-topic">{topic}</p>
        </header>
        <p className="presence" role="status" data-present={present.length > 0}>
          <span className="presence-dot" />
          {presence(present)}
        </p>
        <MediaNotice local={local} onRetry={onRetry} />
        {problem !== null && <p className="preview-hint">{preview.joinWithout}</p>}
        <div className="preview-devices">
          <DeviceField kind="camera" device={camera} label={preview.camera} onChoose={onChoose} />
          <DeviceField kind="microphone" device={microphone} label={preview.microphone} onChoose={onChoose} />
          {microphone.track !== null && <Level microphone={microphone} />}
        </div>
        {refused !== null && <Notice kind="problem">{refused}</Notice>}
        <div className="preview-action">
          <button type="button" className="button button-primary button-large" onClick={onJoin} disabled={joining}>
            {joining ? preview.joining : preview.join}
          </button>
        </div>
      </div>
    </div>
  );
}

function PreviewPicture({ local, ownName }: { readonly local: LocalMediaSnapshot; readonly ownName: string }) {
  const { camera } = local;
  const stream = useStreamOf(camera.track);
  const { preview } = texts;
  if (stream !== null) return <Video stream={stream} testId="local-camera" label={texts.call.you} className="tile-video tile-mirrored" />;
  return (
    <div className="tile-cover">
      <Avatar name={ownName} size="large" pulsing={camera.busy} />
      <p className="tile-hint">
        {camera.busy ? preview.starting : preview.cameraOff}
        {camera.busy && <span>{preview.allow}</span>}
      </p>
    </div>
  );
}

interface DeviceFieldProps {
  readonly kind: DeviceKind;
  readonly device: LocalDevice;
  readonly label: string;
  readonly onChoose: (kind: DeviceKind, deviceId: string) => void;
}

function DeviceField({ kind, device, label, onChoose }: DeviceFieldProps) {
  const options = device.choices.map((choice, index) => ({
    value: choice.deviceId,
    label: choice.label === "" ? texts.preview.unnamedDevice(index + 1) : choice.label,
  }));
  if (options.length === 0) return null;
  const known = options.some(({ value }) => value === device.deviceId);
  return (
    <SelectField
      label={label}
      value={known ? (device.deviceId ?? "") : ""}
      onChange={(deviceId) => onChoose(kind, deviceId)}
      options={options}
      prompt={texts.preview.chooseDevice}
    />
  );
}

function Level({ microphone }: { readonly microphone: LocalDevice }) {
  const level = useLevel(microphone.on ? microphone.track : null);
  return <LevelBar label={texts.preview.level} level={level} />;
}

function presence(names: readonly string[]): string {
  const { preview } = texts;
  if (names.length === 0) return preview.alone;
  return names.length === 1 ? preview.present(listOf(names)) : preview.presentMany(listOf(names));
}
