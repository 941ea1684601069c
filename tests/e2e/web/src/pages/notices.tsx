import { type FormEvent, useId, useState } from "react";

import type { NoticesAnswer } from "../api_types";
import { useServices, useWatched } from "../context";
import { ROLES, timeOf } from "../shell";

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
  const { lumen } = useServices();
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const field = useId();

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    if (text.trim() === "") return setProblem("Enter a text first.");
    setBusy(true);
    setProblem("");
    const answer = await lumen.post<NoticesAnswer>("/notices/add/", { text });
    setBusy(false);
    if (answer.kind === "ok") {
      setText("");
      set(answer.value);
    } else if (answer.kind === "unavailable") {
      setProblem("Not added: there was no answer. Your text is kept here. Try again in a moment.");
    } else if (answer.kind !== "signed-out") {
      setProblem(("detail" in answer && answer.detail) || "Not added: your role may not write notices.");
    }
  };

  return (
    <form onSubmit={(event) => void submit(event)} noValidate>
      <label htmlFor={field}>New notice</label>
      <div className="line">
        <input id={field} maxLength={200} value={text} aria-invalid={problem !== ""} aria-describedby={`${field}-problem`} onChange={(event) => setText(event.target.value)} />
        <button type="submit" className="quiet" aria-disabled={busy}>Add notice</button>
      </div>
      <div role="alert" id={`${field}-problem`}>{problem !== "" && <p className="problem">{problem}</p>}</div>
    </form>
  );
}
