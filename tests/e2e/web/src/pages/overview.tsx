import type { ClinicCounts } from "../api_types";
import { useWatched } from "../context";
import { Heading, Loading } from "../shell";
import { Denied } from "./denied";

export function Overview() {
  const { answer } = useWatched<{ clinics: ClinicCounts[] }>("/api/overview/");
  if (answer === null) return <Loading />;
  if (answer.kind !== "ok") return <Denied detail={answer.kind === "denied" ? answer.detail : ""} />;
  return (
    <>
      <div className="head">
        <Heading title="Overview">Overview</Heading>
        <p>Progress of today’s studies</p>
      </div>
      <div className="clinics">
        {answer.value.clinics.map((clinic) => (
          <section key={clinic.clinic} className="card" aria-labelledby={`clinic-${clinic.clinic}`}>
            <h2 id={`clinic-${clinic.clinic}`}>{clinic.clinic}</h2>
            <dl>
              <div><dt>Scheduled</dt><dd>{clinic.scheduled}</dd></div>
              <div><dt>To be read</dt><dd>{clinic.performed}</dd></div>
              <div><dt>Signed</dt><dd>{clinic.signed}</dd></div>
            </dl>
          </section>
        ))}
      </div>
    </>
  );
}
