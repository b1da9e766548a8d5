import { useState } from "react";

import { ApiError } from "../api/request";
import { TextField, fieldText } from "../components/Field";
import { Notice } from "../components/Notice";
import { Brand, MessagePage, Title } from "../components/Page";
import { callAddress, follow, navigate } from "../hooks/useRoute";
import { texts } from "../i18n/texts";
import type { User } from "../protocol/resources";
import { guestProblemText } from "./problemText";

export interface JoinPageProps {
  /** What the link carried; empty without one. */
  readonly token: string;
  /** Who is signed in stays who they are. */
  readonly user: User | null;
  readonly onJoin: (token: string, displayName: string) => Promise<string>;
}

/** Where links for guests lead: says who one is, and goes on to the meeting. */
export function JoinPage({ token, user, onJoin }: JoinPageProps) {
  const { join } = texts;
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<ApiError | null>(null);
  if (token === "" || refused?.code === "invitation_void") return <VoidLink signedIn={user !== null} />;
  const badName = refused?.code === "invalid_field" && user === null;

  const submit = async (form: HTMLFormElement) => {
    setBusy(true);
    setRefused(null);
    try {
      const session = await onJoin(token, user?.display_name ?? fieldText(form, "name").trim());
      // Going back is not to follow the link again.
      navigate(callAddress(session), { replacing: true });
    } catch (error) {
      setRefused(error instanceof ApiError ? error : new ApiError("other", 0, String(error)));
      setBusy(false);
    }
  };

  return (
    <main className="join">
      <Title page={join.title} />
      <form
        className="join-form"
        onSubmit={(event) => {
          event.preventDefault();
          void submit(event.currentTarget);
        }}
      >
        <Brand />
        <header>
          <h1>{join.title}</h1>
          <p className="lead">{user === null ? join.lead : join.leadSignedIn}</p>
        </header>
        {user === null && (
          <TextField
            label={join.name}
            name="name"
            autoComplete="name"
            autoFocus
            maxLength={64}
            invalid={badName}
            hint={badName ? guestProblemText(refused) : join.nameHint}
          />
        )}
        {refused !== null && !badName && <Notice kind="problem">{guestProblemText(refused)}</Notice>}
        <button type="submit" className="button button-primary button-large" disabled={busy}>
          {busy ? join.busy : user === null ? join.submit : join.submitAs(user.display_name)}
        </button>
      </form>
      <p className="hint join-privacy">{user === null ? join.privacy : texts.signIn.privacy}</p>
    </main>
  );
}

/** One text for every cause: nobody learns from it which links there are. */
function VoidLink({ signedIn }: { readonly signedIn: boolean }) {
  return (
    <MessagePage {...texts.join.void}>
      <a className="button button-quiet button-large" href="/" onClick={follow}>
        {signedIn ? texts.backToSessions : texts.signIn.submit}
      </a>
    </MessagePage>
  );
}
