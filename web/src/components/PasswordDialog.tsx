import { useState } from "react";

import type { ApiError } from "../api/request";
import { texts } from "../i18n/texts";
import type { User } from "../protocol/resources";
import { useAttempt } from "./attempt";
import { Dialog } from "./Dialog";
import { TextField, fieldText } from "./Field";
import { Notice } from "./Notice";

export interface PasswordDialogProps {
  readonly user: User;
  readonly onChoose: (current: string, chosen: string) => Promise<void>;
  readonly problemOf: (error: ApiError) => string;
  readonly onClose: () => void;
}

/** Another password of one's own, proved by the one that was. */
export function PasswordDialog({ user, onChoose, problemOf, onClose }: PasswordDialogProps) {
  const { change, busy: saving } = texts.password;
  const [done, setDone] = useState(false);
  const { busy, problem, attempt } = useAttempt(problemOf);
  return (
    <Dialog title={change.title} lead={change.lead} onClose={onClose}>
      {done ? (
        <>
          <Notice kind="success">{change.done}</Notice>
          <button type="button" className="button button-primary" autoFocus onClick={onClose}>
            {texts.close}
          </button>
        </>
      ) : (
        <form
          className="request-form"
          onSubmit={(event) => {
            event.preventDefault();
            const form = event.currentTarget;
            void attempt(async () => {
              await onChoose(fieldText(form, "current"), fieldText(form, "chosen"));
              setDone(true);
            });
          }}
        >
          <input type="text" name="username" autoComplete="username" value={user.username} readOnly hidden />
          <TextField label={change.current} name="current" type="password" autoComplete="current-password" autoFocus maxLength={1024} />
          <TextField label={change.chosen} name="chosen" type="password" autoComplete="new-password" minLength={8} maxLength={1024} hint={texts.setup.passwordHint} />
          {problem !== null && <Notice kind="problem">{problem}</Notice>}
          <button type="submit" className="button button-primary" disabled={busy}>
            {busy ? saving : change.submit}
          </button>
        </form>
      )}
    </Dialog>
  );
}
