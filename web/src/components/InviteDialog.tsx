import { useState } from "react";

import type { ApiError } from "../api/request";
import type { Invitations } from "../hooks/useInvitations";
import { dayAndTime, texts } from "../i18n/texts";
import type { Invitation } from "../protocol/resources";
import { CopyField } from "./CopyField";
import { Dialog } from "./Dialog";
import { SelectField } from "./Field";
import { Notice } from "./Notice";

export interface InviteDialogProps {
  readonly invitations: Invitations;
  /** In a call it is as dark as the stage. */
  readonly onStage: boolean;
  readonly problemOf: (error: ApiError) => string;
  readonly onClose: () => void;
}

/** Makes links for guests, shows each once, and takes them back. */
export function InviteDialog({ invitations, onStage, problemOf, onClose }: InviteDialogProps) {
  const { invite } = texts;
  return (
    <Dialog title={invite.title} lead={invite.lead} onStage={onStage} onClose={onClose}>
      <MakeLink busy={invitations.busy} onMake={invitations.make} />
      {invitations.refused !== null && <Notice kind="problem">{problemOf(invitations.refused)}</Notice>}
      {invitations.link !== null && <CopyField key={invitations.link} label={invite.link} text={invitations.link} hint={invite.once} />}
      {invitations.open !== null && <OpenLinks open={invitations.open} busy={invitations.busy} onTakeBack={invitations.takeBack} />}
    </Dialog>
  );
}

function MakeLink({ busy, onMake }: { readonly busy: boolean; readonly onMake: Invitations["make"] }) {
  const { invite } = texts;
  const [uses, setUses] = useState("1");
  const [validFor, setValidFor] = useState<Validity>("day");
  return (
    <form
      className="invite-form"
      onSubmit={(event) => {
        event.preventDefault();
        void onMake(Number(uses), HOURS[validFor]);
      }}
    >
      <SelectField label={invite.forHowMany} value={uses} onChange={setUses} options={COUNTS} />
      <SelectField label={invite.validFor} value={validFor} onChange={(value) => setValidFor(value as Validity)} options={VALIDITIES} />
      <button type="submit" className="button button-primary" disabled={busy}>
        {busy ? invite.making : invite.make}
      </button>
    </form>
  );
}

interface OpenLinksProps {
  readonly open: readonly Invitation[];
  readonly busy: boolean;
  readonly onTakeBack: Invitations["takeBack"];
}

function OpenLinks({ open, busy, onTakeBack }: OpenLinksProps) {
  const { invite } = texts;
  return (
    <section className="invite-open">
      <h3>{invite.openLinks}</h3>
      {open.length === 0 && <p className="hint">{invite.noneOpen}</p>}
      <ul aria-label={invite.openLinks}>
        {open.map(({ id, uses_left, expires_at }) => (
          <li key={id}>
            <span>
              <strong>{invite.usesLeft(uses_left)}</strong>
              <span className="hint">{invite.until(dayAndTime(expires_at))}</span>
            </span>
            <button
              type="button"
              className="button button-quiet"
              disabled={busy}
              aria-label={invite.takeBackOne(dayAndTime(expires_at))}
              onClick={() => void onTakeBack(id)}
            >
              {invite.takeBack}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

type Validity = keyof typeof texts.invite.hours;
const HOURS: Readonly<Record<Validity, number>> = { day: 24, week: 7 * 24, month: 30 * 24 };
const VALIDITIES = (Object.keys(HOURS) as Validity[]).map((value) => ({ value, label: texts.invite.hours[value] }));
const USES_MAX = 20;
const COUNTS = Array.from({ length: USES_MAX }, (_, index) => ({ value: String(index + 1), label: texts.invite.count(index + 1) }));
