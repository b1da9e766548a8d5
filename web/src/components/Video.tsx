import { useMediaElement } from "../hooks/useMediaElement";

export interface VideoProps {
  readonly stream: MediaStream | null;
  readonly testId: string;
  readonly label: string;
  readonly className: string;
}

/** Pictures alone: voices have elements of their own, so that a tile may come and go without a gap in the sound. */
export function Video({ stream, testId, label, className }: VideoProps) {
  const { element } = useMediaElement<HTMLVideoElement>(stream);
  return <video ref={element} className={className} data-testid={testId} aria-label={label} muted autoPlay playsInline />;
}
