import type { Row, State, Who } from "../api_types";
import { useWatched } from "../context";
import { Badge, Heading, Link, Loading, dayOf, timeOf } from "../shell";
import { Denied } from "./denied";
import { Notices } from "./notices";

const TITLES: Record<string, [title: string, empty: string]> = {
  rvt: ["Today’s examinations", "No examinations."],
  doctor: ["Studies to read", "No studies to read."],
  admin: ["All studies", "No studies."],
  receptionist: ["Today’s appointments", "No appointments."],
};

export function Worklist({ who }: { who: Who }) {
  const { answer } = useWatched<{ rows: Row[] }>("/api/worklist/");
  const [title, empty] = TITLES[who.role] ?? ["Worklist", "No entries."];
  if (answer?.kind === "denied") return <Denied detail={answer.detail} />;
  const rows = answer?.kind === "ok" ? answer.value.rows : null;
  return (
    <>
      <div className="head">
        <Heading title={title}>{title}</Heading>
        {rows !== null && <p>{summary(rows)}</p>}
      </div>
      {rows === null ? <Loading /> : rows.length === 0 ? <p className="empty">{empty}</p> : <Table rows={rows} title={title} who={who} />}
      <Notices />
    </>
  );
}

const COUNTED: [State, string][] = [["scheduled", "scheduled"], ["performed", "to be read"], ["signed", "signed"]];

function summary(rows: Row[]): string {
  const counts = COUNTED.map(([state, name]) => ({ name, count: rows.filter((row) => row.state === state).length }));
  const said = counts.filter(({ count }) => count > 0).map(({ name, count }) => `${count} ${name}`);
  return said.length > 0 ? said.join(", ") : `${rows.length} ${rows.length === 1 ? "patient" : "patients"}`;
}

function Table({ rows, title, who }: { rows: Row[]; title: string; who: Who }) {
  const clinical = rows.some((row) => row.opens);
  const several = who.role === "admin";
  return (
    <div className="card" role="region" aria-label={title} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Patient</th>
            {several && <th scope="col">Clinic</th>}
            {clinical && <th scope="col">Examination</th>}
            {clinical && <th scope="col">State</th>}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.number}>
              <td className="time">{timeOf(row.scheduled_at)}</td>
              <th scope="row">
                {row.opens ? <Link to={`/reports/${row.number}`}>{row.patient}</Link> : row.patient}
                <small>born {dayOf(row.born)}</small>
              </th>
              {several && <td>{row.clinic}</td>}
              {clinical && <td>{row.exam}<small>{row.indication}</small></td>}
              {clinical && <td>{row.state !== undefined && <Badge state={row.state} />}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
