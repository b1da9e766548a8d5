import { EntryForm } from "../components/EntryForm";
import { TextField, fieldText } from "../components/Field";
import { useAttempt } from "../components/attempt";
import { texts } from "../i18n/texts";
import type { User } from "../protocol/resources";
import { accountProblemText } from "./problemText";

export interface PasswordPageProps {
  readonly user: User;
  readonly onChoose: (current: string, chosen: string) => Promise<void>;
  readonly onSignOut: () => void;
}

/** Whoever signed in with a one-time password chooses their own here, before anything else. */
export function PasswordPage({ user, onChoose, onSignOut }: PasswordPageProps) {
  const { password, account } = texts;
  const { busy, problem, attempt } = useAttempt(accountProblemText);
  return (
    <EntryForm
      title={password.title(user.display_name)}
      lead={password.lead}
      problem={problem}
      busy={busy}
      submit={busy ? password.busy : password.submit}
      onSubmit={(form) => void attempt(() => onChoose(fieldText(form, "current"), fieldText(form, "chosen")))}
      help={
        <button type="button" className="button button-quiet" onClick={onSignOut}>
          {account.signOut}
        </button>
      }
    >
      <input type="text" name="username" autoComplete="username" value={user.username} readOnly hidden />
      <TextField label={password.current} name="current" type="password" autoComplete="current-password" autoFocus maxLength={1024} hint={password.currentHint} />
      <TextField label={password.chosen} name="chosen" type="password" autoComplete="new-password" minLength={8} maxLength={1024} hint={texts.setup.passwordHint} />
    </EntryForm>
  );
}
