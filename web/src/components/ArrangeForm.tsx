import { useState } from "react";

import type { ApiError } from "../api/request";
import { texts } from "../i18n/texts";
import type { Person } from "../protocol/resources";
import { useAttempt } from "./attempt";
import { SelectField, TextField, fieldText, optionsOf } from "./Field";
import { FORM } from "./FormJump";
import { Notice } from "./Notice";

export interface ArrangeFormProps {
  /** Null for mentors, who arrange sessions of their own. */
  readonly mentors: readonly Person[] | null;
  /** Empty while they are not known yet. */
  readonly students: readonly Person[];
  readonly onArrange: (mentorId: string | null, studentId: string, topic: string) => Promise<void>;
  readonly problemOf: (error: ApiError) => string;
}

/** Staff make a session with a student: it counts as accepted, and both may join at once. */
export function ArrangeForm({ mentors, students, onArrange, problemOf }: ArrangeFormProps) {
  const { sessions } = texts;
  const [mentorId, setMentorId] = useState("");
  const [studentId, setStudentId] = useState("");
  const [made, setMade] = useState<readonly string[]>([]);
  const { busy, problem, attempt } = useAttempt(problemOf);
  const chosen = (people: readonly Person[], id: string) => people.find((person) => person.id === id) ?? (people.length === 1 ? people[0] : undefined);
  const mentor = mentors === null ? null : chosen(mentors, mentorId);
  const student = chosen(students, studentId);
  const last = made.at(-1);

  return (
    <form
      id={FORM}
      className="card request-form"
      onSubmit={(event) => {
        event.preventDefault();
        const topic = fieldText(event.currentTarget, "topic");
        if (student === undefined || mentor === undefined) return;
        void attempt(async () => {
          await onArrange(mentor?.id ?? null, student.id, topic);
          setMade((before) => [...before, student.display_name]);
        });
      }}
    >
      <header>
        <h2>{sessions.arrangeTitle}</h2>
        <p className="hint">{students.length === 0 ? sessions.noStudents : sessions.arrangeLead}</p>
      </header>
      {mentors !== null && (
        <SelectField label={sessions.mentor} value={mentor?.id ?? ""} onChange={setMentorId} options={optionsOf(mentors)} prompt={sessions.chooseMentor} />
      )}
      <SelectField label={sessions.student} value={student?.id ?? ""} onChange={setStudentId} options={optionsOf(students)} prompt={sessions.chooseStudent} />
      {/* A new field, and so an empty one, after each. */}
      <TextField key={made.length} label={sessions.topic} name="topic" placeholder={sessions.topicHint} maxLength={200} />
      {problem !== null && <Notice kind="problem">{problem}</Notice>}
      {problem === null && last !== undefined && <Notice kind="success">{sessions.arranged(last)}</Notice>}
      <button type="submit" className="button button-primary" disabled={busy}>
        {busy ? sessions.arranging : sessions.arrange}
      </button>
    </form>
  );
}
