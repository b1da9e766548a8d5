export interface LevelBarProps {
  readonly label: string;
  /** 0 to 1. */
  readonly level: number;
}

export function LevelBar({ label, level }: LevelBarProps) {
  const lit = Math.round(level * STEPS);
  return (
    <div className="level-bar" role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={STEPS} aria-valuenow={lit}>
      {Array.from({ length: STEPS }, (_, step) => (
        <span key={step} data-lit={step < lit} />
      ))}
    </div>
  );
}

const STEPS = 16;
