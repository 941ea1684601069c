// api_types.ts: the answers of Lumen (tests/e2e/lumen/studies/views.py), and of the notices
// (tests/e2e/notices/server.js) at the end.

export interface Who {
  id: string;
  name: string;
  role: string;
  clinic: string;
  pages: ("worklist" | "overview")[];
}

export type State = "scheduled" | "performed" | "signed";

export interface Row {
  number: number;
  clinic: string;
  scheduled_at: string;
  patient: string;
  born: string;
  opens: boolean;
  // Only for roles that may read clinical data:
  exam?: string;
  indication?: string;
  state?: State;
}

export interface Report extends Required<Row> {
  record_number: string;
  findings: string;
  performed_by: string;
  impression: string;
  signed_by: string;
  signed_at: string | null;
  may: { write_findings: boolean; sign: boolean };
}

export interface ClinicCounts {
  clinic: string;
  scheduled: number;
  performed: number;
  signed: number;
}

export interface Notice {
  text: string;
  at: string;
  role: string;
  own: boolean;
}

export interface NoticesAnswer {
  notices: Notice[];
  may_write: boolean;
}
