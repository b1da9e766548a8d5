import type { ReactNode } from "react";

import { texts } from "../i18n/texts";
import { Mark } from "./icons";
import { Notice } from "./Notice";
import { Brand, Title } from "./Page";

export interface EntryFormProps {
  readonly title: string;
  readonly lead: string;
  readonly problem: string | null;
  readonly busy: boolean;
  readonly submit: string;
  readonly onSubmit: (form: HTMLFormElement) => void;
  /** The fields. */
  readonly children: ReactNode;
  /** Above the fields. */
  readonly notice?: ReactNode;
  /** Below the button. */
  readonly help?: ReactNode;
}

/** The page of whoever is not in yet: the mark on one side, one form on the other. */
export function EntryForm({ title, lead, problem, busy, submit, onSubmit, children, notice, help }: EntryFormProps) {
  return (
    <main className="sign-in">
      <Title page={title} />
      <div className="sign-in-art" aria-hidden="true">
        <Mark className="sign-in-mark" />
      </div>
      <div className="sign-in-side">
        <form
          className="sign-in-form"
          onSubmit={(event) => {
            event.preventDefault();
            onSubmit(event.currentTarget);
          }}
        >
          <Brand />
          <header>
            <h1>{title}</h1>
            <p className="lead">{lead}</p>
          </header>
          {notice}
          {children}
          {problem !== null && <Notice kind="problem">{problem}</Notice>}
          <button type="submit" className="button button-primary button-large" disabled={busy}>
            {submit}
          </button>
          {help}
        </form>
        <p className="hint sign-in-privacy">{texts.signIn.privacy}</p>
      </div>
    </main>
  );
}
