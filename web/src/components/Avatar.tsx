export interface AvatarProps {
  readonly name: string;
  readonly size: "small" | "medium" | "large";
  /** Rings that breathe, while somebody is waited for. */
  readonly pulsing?: boolean;
}

/** Initials on a colour that stays with the name. */
export function Avatar({ name, size, pulsing = false }: AvatarProps) {
  return (
    <span className={`avatar avatar-${size}`} data-tone={tone(name)} data-pulsing={pulsing} aria-hidden="true">
      {initials(name)}
    </span>
  );
}

export function initials(name: string): string {
  const words = name.split(/\s+/u).filter((word) => word !== "");
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) => firstLetter(word ?? ""));
  return letters.join("").toLocaleUpperCase();
}

function firstLetter(word: string): string {
  return /[\p{L}\p{N}]/u.exec(word)?.[0] ?? "";
}

function tone(name: string): number {
  return Array.from(name).reduce((sum, character) => (sum * 31 + (character.codePointAt(0) ?? 0)) % 9973, 7) % TONES;
}

const TONES = 6;
