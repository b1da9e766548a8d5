import { useState } from "react";

import type { ApiError } from "../api/request";
import { texts } from "../i18n/texts";
import type { Person } from "../protocol/resources";
import { useAttempt } from "./attempt";
import { SelectField, TextField, fieldText, optionsOf } from "./Field";
import { FORM } from "./FormJump";
import { Notice } from "./Notice";

export interface RequestFormProps {
  /** Null while they are not known yet. */
  readonly mentors: readonly Person[] | null;
  readonly onRequest: (mentorId: string, topic: string) => Promise<void>;
  readonly problemOf: (error: ApiError) => string;
}

export function RequestForm({ mentors, onRequest, problemOf }: RequestFormProps) {
  const { sessions } = texts;
  const [chosen, setChosen] = useState("");
  const [asked, setAsked] = useState<readonly string[]>([]);
  const { busy, problem, attempt } = useAttempt(problemOf);
  const only = mentors?.length === 1 ? mentors[0] : undefined;
  const mentor = mentors?.find(({ id }) => id === chosen) ?? only;
  const last = asked.at(-1);

  return (
    <form
      id={FORM}
      className="card request-form"
      onSubmit={(event) => {
        event.preventDefault();
        const topic = fieldText(event.currentTarget, "topic");
        if (mentor === undefined) return;
        void attempt(async () => {
          await onRequest(mentor.id, topic);
          setAsked((before) => [...before, mentor.display_name]);
        });
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
        options={optionsOf(mentors ?? [])}
        prompt={sessions.chooseMentor}
      />
      {/* A new field, and so an empty one, after each request. */}
      <TextField key={asked.length} label={sessions.topic} name="topic" placeholder={sessions.topicHint} maxLength={200} />
      {problem !== null && <Notice kind="problem">{problem}</Notice>}
      {problem === null && !busy && last !== undefined && <Notice kind="success">{sessions.requested(last)}</Notice>}
      <button type="submit" className="button button-primary" disabled={busy}>
        {busy ? sessions.requesting : sessions.request}
      </button>
    </form>
  );
}
