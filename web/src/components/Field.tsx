import { useId } from "react";

import type { Person } from "../protocol/resources";
import { ChevronIcon } from "./icons";

export interface TextFieldProps {
  readonly label: string;
  /** Its name in the form's data. */
  readonly name: string;
  readonly defaultValue?: string;
  readonly type?: "text" | "password";
  readonly autoComplete?: string;
  readonly autoFocus?: boolean;
  readonly minLength?: number;
  readonly maxLength: number;
  readonly placeholder?: string;
  readonly invalid?: boolean;
  /** Beside the field: what it is for, or what is wrong with what it holds. */
  readonly hint?: string | undefined;
}

/** The form reads it when it is sent: password managers fill fields in without telling anybody. */
export function TextField({ label, type = "text", invalid = false, hint, ...input }: TextFieldProps) {
  const id = useId();
  const isName = input.autoComplete === "username";
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="input"
        type={type}
        required
        aria-invalid={invalid}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        {...(isName ? { autoCapitalize: "none", autoCorrect: "off", spellCheck: false } : {})}
        {...input}
      />
      {hint !== undefined && (
        <p id={`${id}-hint`} className="field-hint" role={invalid ? "alert" : undefined}>
          {hint}
        </p>
      )}
    </div>
  );
}

/** Says what it holds with every letter. */
export function SearchField({ label, onSearch }: { readonly label: string; readonly onSearch: (text: string) => void }) {
  return (
    <input
      type="search"
      className="input"
      aria-label={label}
      placeholder={label}
      autoComplete="off"
      maxLength={64}
      onChange={(event) => onSearch(event.target.value)}
    />
  );
}

/** The text of a field in a form that is sent. */
export function fieldText(form: HTMLFormElement, name: string): string {
  const value = new FormData(form).get(name);
  return typeof value === "string" ? value : "";
}

export interface SelectFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly options: readonly { readonly value: string; readonly label: string }[];
  /** Shown while nothing is chosen. */
  readonly prompt?: string;
}

export function SelectField({ label, value, onChange, options, prompt }: SelectFieldProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className="select">
        <select id={id} className="input" value={value} required onChange={(event) => onChange(event.target.value)}>
          {prompt !== undefined && (
            <option value="" disabled>
              {prompt}
            </option>
          )}
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
        <ChevronIcon />
      </div>
    </div>
  );
}

/** One option a person. */
export function optionsOf(people: readonly Person[]) {
  return people.map(({ id, display_name }) => ({ value: id, label: display_name }));
}
