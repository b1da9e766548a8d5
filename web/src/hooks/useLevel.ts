import { useEffect, useState } from "react";

import { LevelMeter } from "../call/level";
import { useStore } from "./useStore";

/** How loud a microphone is, 0 to 1; 0 without one. */
export function useLevel(microphone: MediaStreamTrack | null): number {
  const [meter, setMeter] = useState<LevelMeter | null>(null);

  useEffect(() => {
    if (microphone === null) return undefined;
    const opened = new LevelMeter(microphone);
    // eslint-disable-next-line react-hooks/set-state-in-effect -- the meter listens to the microphone: it must live and die with the effect
    setMeter(opened);
    return () => {
      setMeter(null);
      opened.dispose();
    };
  }, [microphone]);

  return useStore(meter, 0);
}

/** True for a while after somebody muted was loud enough to be speaking. */
export function useMutedTalking(microphone: MediaStreamTrack | null, muted: boolean): boolean {
  const level = useLevel(muted ? microphone : null);
  const [talking, setTalking] = useState(false);
  const loud = level >= SPEAKING;
  if (loud && !talking) setTalking(true);

  useEffect(() => {
    if (loud || !talking) return undefined;
    const timer = setTimeout(() => setTalking(false), HINT_MS);
    return () => clearTimeout(timer);
  }, [loud, talking]);

  return muted && talking;
}

const SPEAKING = 0.6;
const HINT_MS = 4_000;
