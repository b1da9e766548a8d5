import { useState } from "react";

import { ApiError } from "../api/request";
import { texts } from "../i18n/texts";
import type { Person } from "../protocol/resources";
import { SelectField, TextField, fieldText } from "./Field";
import { FORM } from "./FormJump";
import { Notice } from "./Notice";

export interface RequestFormProps {
  /** Null while they are not known yet. */
  readonly mentors: readonly Person[] | null;
  readonly onRequest: (mentorId: string, topic: string) => Promise<void>;
  readonly problemOf: (error: ApiError) => string;
}

type Outcome = { readonly kind: "success" | "problem"; readonly text: string } | null;

export function RequestForm({ mentors, onRequest, problemOf }: RequestFormProps) {
  const { sessions } = texts;
  const [chosen, setChosen] = useState("");
  const [sent, setSent] = useState(0);
  const [busy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<Outcome>(null);
  const only = mentors?.length === 1 ? mentors[0] : undefined;
  const mentor = mentors?.find(({ id }) => id === chosen) ?? only;

  const submit = async (form: HTMLFormElement) => {
    if (mentor === undefined) return;
    setBusy(true);
    setOutcome(null);
    try {
      await onRequest(mentor.id, fieldText(form, "topic"));
      setSent((count) => count + 1);
      setOutcome({ kind: "success", text: sessions.requested(mentor.display_name) });
    } catch (error) {
      setOutcome({ kind: "problem", text: error instanceof ApiError ? problemOf(error) : texts.problems.other });
    }
    setBusy(false);
  };

  return (
    <form
      id={FORM}
      className="card request-form"
      onSubmit={(event) => {
        event.preventDefault();
        void submit(event.currentTarget);
      }}
    >
      <header>
        <h2>{sessions.requestTitle}</h2>
        <p className="hint">{mentors?.length === 0 ? sessions.noMentors : sessions.requestLead}</p>
      </header>
      <SelectField
        label={sessions.mentor}
        value={mentor?.id ?? ""}
        onChange={setChosen}
        options={(mentors ?? []).map(({ id, display_name }) => ({ value: id, label: display_name }))}
        prompt={sessions.chooseMentor}
      />
      {/* A new field, and so an empty one, after each request. */}
      <TextField key={sent} label={sessions.topic} name="topic" placeholder={sessions.topicHint} maxLength={200} />
      {outcome !== null && <Notice kind={outcome.kind}>{outcome.text}</Notice>}
      <button type="submit" className="button button-primary" disabled={busy}>
        {busy ? sessions.requesting : sessions.request}
      </button>
    </form>
  );
}
