// text_form.tsx: a form with one text: its state, its submission and its problem.

import { type FormEvent, useId, useState } from "react";

import { useServices } from "./context";

/** Posts `text` to `path`; `saved` receives the answer. `said` names the problem if there is no answer,
 * or a refusal without a reason. */
export function useTextForm<T>(path: string, text: string, saved: (value: T) => void, said: { unanswered: string; refused: string }) {
  const { lumen } = useServices();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const field = useId();

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    if (text.trim() === "") return setProblem("Enter a text first.");
    setBusy(true);
    setProblem("");
    const answer = await lumen.post<T>(path, { text });
    setBusy(false);
    if (answer.kind === "ok") {
      saved(answer.value);
    } else if (answer.kind === "unavailable") {
      setProblem(said.unanswered);
    } else if (answer.kind !== "signed-out") {
      setProblem(("detail" in answer && answer.detail) || said.refused);
    }
  };
  return { field, busy, problem, submit: (event: FormEvent) => void submit(event) };
}

/** Exists before its text, so that screen readers announce the text. */
export function Problem({ field, text }: { field: string; text: string }) {
  return <div role="alert" id={`${field}-problem`}>{text !== "" && <p className="problem">{text}</p>}</div>;
}
