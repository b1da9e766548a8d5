import type { LocalMediaSnapshot } from "../call/media";
import type { MediaProblem } from "../call/mediaProblem";
import { texts } from "../i18n/texts";
import { Notice } from "./Notice";

export interface MediaNoticeProps {
  readonly local: LocalMediaSnapshot;
  readonly onRetry: () => void;
  readonly onDismiss?: () => void;
}

/** Why camera or microphone do not run, in plain words, with what to do; nothing if both could. */
export function MediaNotice({ local, onRetry, onDismiss }: MediaNoticeProps) {
  const { camera, microphone } = local;
  const problem = camera.problem ?? microphone.problem;
  if (problem === null) return null;
  const which = camera.problem === microphone.problem ? "both" : camera.problem === null ? "microphone" : "camera";
  const { title, remedy } = texts.media;
  const heading = title[problem];
  return (
    <Notice
      kind="warning"
      onDismiss={onDismiss}
      title={typeof heading === "string" ? heading : heading[which]}
      action={
        RETRYABLE.includes(problem) && (
          <button type="button" className="button button-quiet" onClick={onRetry}>
            {texts.tryAgain}
          </button>
        )
      }
    >
      {remedy[problem]}
    </Notice>
  );
}

const RETRYABLE: readonly MediaProblem[] = ["denied", "missing", "in_use", "lost", "unknown"];
