import type { ReactNode } from "react";

import { texts } from "../i18n/texts";
import { AlertIcon, CheckIcon, CloseIcon } from "./icons";

export interface NoticeProps {
  readonly kind: "problem" | "warning" | "success";
  readonly title?: string;
  readonly children: ReactNode;
  readonly action?: ReactNode;
  readonly onDismiss?: (() => void) | undefined;
}

/** What went wrong (or well), and what to do. Said to screen readers as soon as it appears. */
export function Notice({ kind, title, children, action, onDismiss }: NoticeProps) {
  return (
    <div className={`notice notice-${kind}`} role={kind === "problem" ? "alert" : "status"}>
      {kind === "success" ? <CheckIcon /> : <AlertIcon />}
      <div className="notice-text">
        {title !== undefined && <strong>{title}</strong>}
        <span>{children}</span>
      </div>
      {action}
      {onDismiss !== undefined && (
        <button type="button" className="notice-dismiss" aria-label={texts.dismiss} onClick={onDismiss}>
          <CloseIcon />
        </button>
      )}
    </div>
  );
}
