import { useState } from "react";

import { ApiError } from "../api/request";
import { TextField, fieldText } from "../components/Field";
import { Mark } from "../components/icons";
import { Notice } from "../components/Notice";
import { Brand, Title } from "../components/Page";
import { texts } from "../i18n/texts";
import { problemText } from "./problemText";

export interface SignInProps {
  readonly onSignIn: (username: string, password: string) => Promise<void>;
}

export function SignIn({ onSignIn }: SignInProps) {
  const { signIn } = texts;
  const suggested = new URLSearchParams(location.search).get("user") ?? "";
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  const submit = async (form: HTMLFormElement) => {
    setBusy(true);
    setProblem(null);
    try {
      await onSignIn(fieldText(form, "username").trim(), fieldText(form, "password"));
    } catch (error) {
      setProblem(error instanceof ApiError ? problemText(error) : texts.problems.other);
      setBusy(false);
    }
  };

  return (
    <main className="sign-in">
      <Title page={signIn.submit} />
      <div className="sign-in-art" aria-hidden="true">
        <Mark className="sign-in-mark" />
      </div>
      <div className="sign-in-side">
        <form
          className="sign-in-form"
          onSubmit={(event) => {
            event.preventDefault();
            void submit(event.currentTarget);
          }}
        >
          <Brand />
          <header>
            <h1>{signIn.title}</h1>
            <p className="lead">{signIn.lead}</p>
          </header>
          <TextField label={signIn.username} name="username" defaultValue={suggested} autoComplete="username" autoFocus={suggested === ""} maxLength={64} />
          <TextField
            label={signIn.password}
            name="password"
            type="password"
            autoComplete="current-password"
            autoFocus={suggested !== ""}
            maxLength={1024}
            invalid={problem !== null}
          />
          {problem !== null && <Notice kind="problem">{problem}</Notice>}
          <button type="submit" className="button button-primary button-large" disabled={busy}>
            {busy ? signIn.busy : signIn.submit}
          </button>
          <p className="hint">{signIn.help}</p>
        </form>
        <p className="hint sign-in-privacy">{signIn.privacy}</p>
      </div>
    </main>
  );
}
