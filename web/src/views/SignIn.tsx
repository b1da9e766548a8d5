import { TextField, fieldText } from "../components/Field";
import { EntryForm } from "../components/EntryForm";
import { Notice } from "../components/Notice";
import { TrustLink } from "../components/TrustLink";
import { WithCode } from "../components/WithCode";
import { useAttempt } from "../components/attempt";
import { useSetupNeeded } from "../hooks/useSetup";
import { texts } from "../i18n/texts";
import { problemText } from "./problemText";

export interface SignInProps {
  readonly onSignIn: (username: string, password: string) => Promise<void>;
}

export function SignIn({ onSignIn }: SignInProps) {
  const { signIn, setup } = texts;
  const suggested = new URLSearchParams(location.search).get("user") ?? "";
  const isNew = useSetupNeeded();
  const { busy, problem, attempt } = useAttempt(problemText);

  return (
    <EntryForm
      title={signIn.title}
      lead={signIn.lead}
      problem={problem}
      busy={busy}
      submit={busy ? signIn.busy : signIn.submit}
      onSubmit={(form) => void attempt(() => onSignIn(fieldText(form, "username").trim(), fieldText(form, "password")))}
      notice={
        isNew && (
          <Notice kind="warning" title={setup.needed.title}>
            <WithCode text={setup.needed.text} />
          </Notice>
        )
      }
      help={
        <>
          <p className="hint">{signIn.help}</p>
          <TrustLink />
        </>
      }
    >
      <TextField label={signIn.username} name="username" defaultValue={suggested} autoComplete="username" autoFocus={suggested === ""} maxLength={64} />
      <TextField
        label={signIn.password}
        name="password"
        type="password"
        autoComplete="current-password"
        autoFocus={suggested !== ""}
        maxLength={1024}
        invalid={problem === texts.problems.invalid_credentials}
      />
    </EntryForm>
  );
}
