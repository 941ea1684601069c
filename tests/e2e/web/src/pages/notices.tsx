import { useState } from "react";

import type { NoticesAnswer } from "../api_types";
import { useWatched } from "../context";
import { ROLES, timeOf } from "../shell";
import { Problem, useTextForm } from "../text_form";

/** The notices of the laboratory: another backend, with the same login. */
export function Notices() {
  const { answer, set } = useWatched<NoticesAnswer>("/notices/");
  if (answer?.kind !== "ok") return null;
  const { notices, may_write } = answer.value;
  return (
    <section className="card notices" aria-labelledby="notices">
      <h2 id="notices">Notices</h2>
      <ul>
        {notices.map((notice) => (
          <li key={`${notice.at} ${notice.text}`}>
            {notice.text}
            <small>{notice.own ? "You" : (ROLES[notice.role] ?? notice.role)}, {timeOf(notice.at)}</small>
          </li>
        ))}
      </ul>
      {may_write && <NewNotice set={set} />}
    </section>
  );
}

function NewNotice({ set }: { set: (answer: NoticesAnswer) => void }) {
  const [text, setText] = useState("");
  const saved = (answer: NoticesAnswer) => {
    setText("");
    set(answer);
  };
  const { field, busy, problem, submit } = useTextForm("/notices/add/", text, saved, {
    unanswered: "Not added: there was no answer. Your text is kept here. Try again in a moment.",
    refused: "Not added: your role may not write notices.",
  });

  return (
    <form onSubmit={submit} noValidate>
      <label htmlFor={field}>New notice</label>
      <div className="line">
        <input id={field} maxLength={200} value={text} aria-invalid={problem !== ""} aria-describedby={`${field}-problem`} onChange={(event) => setText(event.target.value)} />
        <button type="submit" className="quiet" aria-disabled={busy}>Add notice</button>
      </div>
      <Problem field={field} text={problem} />
    </form>
  );
}
