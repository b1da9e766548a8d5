import { useCallback, useEffect, useMemo, useRef, useState } from "react";

/** Plays a stream in a media element; `blocked` if the browser wants a gesture first. */
export function useMediaElement<E extends HTMLMediaElement>(stream: MediaStream | null) {
  const element = useRef<E>(null);
  const [blocked, setBlocked] = useState(false);

  const play = useCallback(() => {
    element.current?.play().then(
      () => setBlocked(false),
      (error: unknown) => setBlocked(error instanceof Error && error.name === "NotAllowedError"),
    );
  }, []);

  useEffect(() => {
    const media = element.current;
    if (media === null) return undefined;
    media.srcObject = stream;
    if (stream !== null) play();
    return () => {
      media.srcObject = null;
    };
  }, [stream, play]);

  return { element, blocked, play };
}

/** A stream of one track, the same as long as the track is. */
export function useStreamOf(track: MediaStreamTrack | null): MediaStream | null {
  return useMemo(() => (track === null ? null : new MediaStream([track])), [track]);
}
