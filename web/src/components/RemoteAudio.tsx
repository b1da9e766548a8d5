import { useEffect } from "react";

import { useMediaElement } from "../hooks/useMediaElement";
import { texts } from "../i18n/texts";
import { SpeakerIcon } from "./icons";

export interface RemoteAudioProps {
  readonly stream: MediaStream | null;
}

/** A voice. Asks for a tap where the browser plays nothing without one. */
export function RemoteAudio({ stream }: RemoteAudioProps) {
  const { element, blocked, play } = useMediaElement<HTMLAudioElement>(stream);

  useEffect(() => {
    if (!blocked) return undefined;
    addEventListener("pointerdown", play);
    return () => removeEventListener("pointerdown", play);
  }, [blocked, play]);

  return (
    <>
      <audio ref={element} autoPlay />
      {blocked && (
        <button type="button" className="button button-primary tap-to-hear" onClick={play}>
          <SpeakerIcon />
          {texts.call.tapToHear}
        </button>
      )}
    </>
  );
}
