import { useState } from "react";

import type { Report } from "../api_types";
import { useServices, useWatched } from "../context";
import { Badge, Heading, Link, Loading, dayOf, timeOf } from "../shell";
import { Problem, useTextForm } from "../text_form";
import { Denied, Missing } from "./denied";

export function ReportPage({ number }: { number: number }) {
  const { answer, set } = useWatched<Report>(`/api/reports/${number}/`);
  if (answer === null) return <Loading />;
  if (answer.kind === "missing") return <Missing />;
  if (answer.kind !== "ok") return <Denied detail={answer.kind === "denied" ? answer.detail : ""} />;
  const report = answer.value;
  return (
    <>
      <p className="back"><Link to="/worklist">Worklist</Link></p>
      <div className="head">
        <Heading title={`Study ${report.number}`}>{report.patient}</Heading>
        <Badge state={report.state} />
      </div>
      <Facts report={report} />
      <div className="card report">
        <section aria-labelledby="findings">
          <h2 id="findings">Findings</h2>
          {report.may.write_findings ? (
            <Step report={report} set={set} path="findings" label="Findings of the examination" button="Save findings" from={report.findings} />
          ) : (
            <Prose text={report.findings} none="The examination has not been performed yet." />
          )}
          {report.performed_by !== "" && <p className="by">Performed by {report.performed_by}</p>}
        </section>
        <section aria-labelledby="impression">
          <h2 id="impression">Impression</h2>
          {report.may.sign ? (
            <Step report={report} set={set} path="signature" label="Your impression" button="Sign report" from="" />
          ) : (
            <Prose text={report.impression} none={report.state === "performed" ? "Waiting for a physician." : "None yet."} />
          )}
          {report.signed_at !== null && (
            <p className="by">Signed by {report.signed_by} on {dayOf(report.signed_at)} at {timeOf(report.signed_at)}</p>
          )}
        </section>
      </div>
    </>
  );
}

function Facts({ report }: { report: Report }) {
  return (
    <dl className="facts">
      <div><dt>Born</dt><dd>{dayOf(report.born)}</dd></div>
      <div><dt>Record</dt><dd>{report.record_number}</dd></div>
      <div><dt>Clinic</dt><dd>{report.clinic}</dd></div>
      <div><dt>Examination</dt><dd>{report.exam}</dd></div>
      <div><dt>Scheduled</dt><dd>{dayOf(report.scheduled_at)}, {timeOf(report.scheduled_at)}</dd></div>
      <div className="wide"><dt>Indication</dt><dd>{report.indication}</dd></div>
    </dl>
  );
}

function Prose({ text, none }: { text: string; none: string }) {
  return text === "" ? <p className="none">{none}</p> : <p className="prose">{text}</p>;
}

interface StepProps {
  report: Report;
  set: (report: Report) => void;
  path: "findings" | "signature";
  label: string;
  button: string;
  from: string;
}

/** A text that advances the study. Unsaved text is kept in memory, so that the end of a session
 * does not lose it. */
function Step({ report, set, path, label, button, from }: StepProps) {
  const { drafts } = useServices();
  const draft = `${report.number}/${path}`;
  const [text, setText] = useState(() => drafts.get(draft) || from);
  const saved = (answer: Report) => {
    drafts.set(draft, "");
    set(answer);
  };
  const { field, busy, problem, submit } = useTextForm(`/api/reports/${report.number}/${path}/`, text, saved, {
    unanswered: "Not saved: the sign-in service does not answer. Your text is kept here. Try again in a moment.",
    refused: "Not saved.",
  });

  return (
    <form onSubmit={submit} noValidate>
      <label htmlFor={field}>{label}</label>
      <textarea
        id={field}
        rows={path === "findings" ? 8 : 4}
        maxLength={4000}
        value={text}
        aria-invalid={problem !== ""}
        aria-describedby={`${field}-problem`}
        onChange={(event) => {
          setText(event.target.value);
          drafts.set(draft, event.target.value);
        }}
      />
      <Problem field={field} text={problem} />
      <button type="submit" className="primary" aria-disabled={busy}>{button}</button>
    </form>
  );
}
