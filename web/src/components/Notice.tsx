import type { ReactNode } from "react";

import { AlertIcon, CheckIcon } from "./icons";

export interface NoticeProps {
  readonly kind: "problem" | "warning" | "success";
  readonly title?: string;
  readonly children: ReactNode;
  readonly action?: ReactNode;
}

/** What went wrong (or well), and what to do. Said to screen readers as soon as it appears. */
export function Notice({ kind, title, children, action }: NoticeProps) {
  return (
    <div className={`notice notice-${kind}`} role={kind === "problem" ? "alert" : "status"}>
      {kind === "success" ? <CheckIcon /> : <AlertIcon />}
      <div className="notice-text">
        {title !== undefined && <strong>{title}</strong>}
        <span>{children}</span>
      </div>
      {action}
    </div>
  );
}
