import type { FirstAdmin } from "../api/setupAPI";
import { EntryForm } from "../components/EntryForm";
import { TextField, fieldText } from "../components/Field";
import { LoadingPage, MessagePage } from "../components/Page";
import { useAttempt } from "../components/attempt";
import { follow, navigate } from "../hooks/useRoute";
import { useSetupProof } from "../hooks/useSetup";
import { texts } from "../i18n/texts";
import { accountProblemText, problemText } from "./problemText";

export interface SetupPageProps {
  /** What the link carried; empty without one. */
  readonly token: string;
  readonly onSetUp: (token: string, first: FirstAdmin) => Promise<void>;
}

/** Where the box's set-up link leads: whoever holds it becomes the first admin. */
export function SetupPage({ token, onSetUp }: SetupPageProps) {
  const { setup } = texts;
  const proof = useSetupProof(token);
  if (proof === null) return <LoadingPage />;
  if (proof.kind === "sound") return <FirstAdminForm token={token} onSetUp={onSetUp} />;
  const { code } = proof.error;
  const known = code === "already_set_up" ? setup.already : code === "setup_link_void" ? setup.void : null;
  return (
    <MessagePage title={known?.title ?? texts.crashed.title} text={known?.text ?? problemText(proof.error)}>
      <a className="button button-primary button-large" href="/" onClick={follow}>
        {texts.signIn.submit}
      </a>
    </MessagePage>
  );
}

function FirstAdminForm({ token, onSetUp }: SetupPageProps) {
  const { setup, signIn } = texts;
  const { busy, problem, attempt } = useAttempt(accountProblemText);
  const submit = (form: HTMLFormElement) =>
    attempt(async () => {
      await onSetUp(token, {
        displayName: fieldText(form, "name").trim(),
        username: fieldText(form, "username").trim(),
        password: fieldText(form, "password"),
      });
      // Going back is not to follow the link again.
      navigate("/start", { replacing: true });
    });
  return (
    <EntryForm
      title={setup.title}
      lead={setup.lead}
      problem={problem}
      busy={busy}
      submit={busy ? setup.busy : setup.submit}
      onSubmit={(form) => void submit(form)}
    >
      <TextField label={setup.name} name="name" autoComplete="name" autoFocus maxLength={64} hint={setup.nameHint} />
      <TextField label={signIn.username} name="username" autoComplete="username" maxLength={64} hint={setup.usernameHint} />
      <TextField label={signIn.password} name="password" type="password" autoComplete="new-password" minLength={8} maxLength={1024} hint={setup.passwordHint} />
    </EntryForm>
  );
}
