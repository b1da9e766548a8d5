import { type ReactNode, useId, useLayoutEffect, useRef } from "react";

import { texts } from "../i18n/texts";
import { CloseIcon } from "./icons";

export interface DialogProps {
  readonly title: string;
  readonly lead: string;
  /** In a call it is as dark as the stage. */
  readonly onStage?: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** Over the page, until it is closed by its button or Escape: a click beside it would lose what is shown once. */
export function Dialog({ title, lead, onStage = false, onClose, children }: DialogProps) {
  const heading = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  // Modal: the browser keeps the focus inside, and gives it back afterwards, if it is closed before it is gone.
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);

  return (
    <dialog ref={dialog} className={onStage ? "dialog on-stage" : "dialog"} aria-labelledby={heading} onClose={onClose}>
      <div className="dialog-body">
        <div className="dialog-head">
          <h2 id={heading}>{title}</h2>
          <p className="hint">{lead}</p>
        </div>
        {children}
        {/* The last, so that what the dialog is for has the focus first. */}
        <button type="button" className="dialog-close" aria-label={texts.close} onClick={onClose}>
          <CloseIcon />
        </button>
      </div>
    </dialog>
  );
}
