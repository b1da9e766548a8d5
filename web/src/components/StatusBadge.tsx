import type { Quality } from "../call/quality";
import type { CallStatus } from "../call/status";
import { texts } from "../i18n/texts";

export interface StatusBadgeProps {
  readonly status: CallStatus;
  /** Null before it was measured. */
  readonly quality: Quality | null;
  readonly relayed: boolean;
}

export function StatusBadge({ status, quality, relayed }: StatusBadgeProps) {
  const { call } = texts;
  const rated = status === "connected" ? quality : null;
  const detail = rated === null ? null : `${call.quality[rated]}${relayed ? `, ${call.relayed}` : ""}`;
  return (
    <div className="status-badge" role="status" data-testid="call-status" data-state={status} data-quality={rated ?? undefined} title={detail ?? undefined}>
      {rated === null ? <span className="status-dot" /> : <QualityBars />}
      <span>{call.status[status]}</span>
      {detail !== null && <span className="visually-hidden">. {detail}</span>}
    </div>
  );
}

function QualityBars() {
  return (
    <svg className="quality-bars" viewBox="0 0 16 14" aria-hidden="true" focusable="false">
      <rect x="0" y="9" width="4" height="5" rx="1.500" />
      <rect x="6" y="5" width="4" height="9" rx="1.500" />
      <rect x="12" y="0" width="4" height="14" rx="1.500" />
    </svg>
  );
}
