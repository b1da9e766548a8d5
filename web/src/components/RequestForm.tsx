import { useState } from "react";

import { ApiError } from "../api/request";
import { texts } from "../i18n/texts";
import type { Person } from "../protocol/resources";
import { SelectField, TextField } from "./Field";
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
  const [topic, setTopic] = useState("");
  const [busy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<Outcome>(null);
  const only = mentors?.length === 1 ? mentors[0] : undefined;
  const mentor = mentors?.find(({ id }) => id === chosen) ?? only;

  const submit = async () => {
    if (mentor === undefined) return;
    setBusy(true);
    setOutcome(null);
    try {
      await onRequest(mentor.id, topic);
      setTopic("");
      setOutcome({ kind: "success", text: sessions.requested(mentor.display_name) });
    } catch (error) {
      setOutcome({ kind: "problem", text: error instanceof ApiError ? problemOf(error) : texts.problems.other });
    }
    setBusy(false);
  };

  return (
    <form
      className="card request-form"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
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
      <TextField label={sessions.topic} value={topic} onChange={setTopic} placeholder={sessions.topicHint} maxLength={200} />
      {outcome !== null && <Notice kind={outcome.kind}>{outcome.text}</Notice>}
      <button type="submit" className="button button-primary" disabled={busy}>
        {busy ? sessions.requesting : sessions.request}
      </button>
    </form>
  );
}
