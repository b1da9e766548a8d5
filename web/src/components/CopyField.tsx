import { useId, useRef, useState } from "react";

import { texts } from "../i18n/texts";
import { CheckIcon, CopyIcon } from "./icons";

export interface CopyFieldProps {
  readonly label: string;
  readonly text: string;
  readonly hint: string;
}

/** A text to take along. Where the clipboard is out of reach it is selected, for copying by hand. */
export function CopyField({ label, text, hint }: CopyFieldProps) {
  const { invite } = texts;
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  const [outcome, setOutcome] = useState<"none" | "copied" | "selected">("none");

  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setOutcome("copied");
    } catch {
      field.current?.focus();
      field.current?.select();
      setOutcome("selected");
    }
  };

  return (
    <div className="field copy-field">
      <label htmlFor={id}>{label}</label>
      <div className="copy-line">
        <input ref={field} id={id} className="input" readOnly value={text} onFocus={({ currentTarget }) => currentTarget.select()} />
        {/* What comes next is at hand, and in view. */}
        <button type="button" className="button button-primary" autoFocus onClick={() => void copy()}>
          {outcome === "copied" ? <CheckIcon /> : <CopyIcon />}
          {outcome === "copied" ? invite.copied : invite.copy}
        </button>
      </div>
      <p className="field-hint" role="status">
        {outcome === "selected" ? invite.copyByHand : hint}
      </p>
    </div>
  );
}
