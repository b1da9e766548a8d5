import type { ReactNode } from "react";

import { texts } from "../i18n/texts";
import { WithCode } from "./WithCode";
import { Mark } from "./icons";

/** What the tab is called. */
export function Title({ page }: { readonly page: string }) {
  return <title>{`${page} · ${texts.brand}`}</title>;
}

/** A calm page with one message in its middle: the end of a call, a wrong address, a box that does not answer. */
export function MessagePage({ title, text, children, art }: MessagePageProps) {
  return (
    <main className="message-page">
      <Title page={title} />
      <div className="message">
        {art ?? <Mark className="mark mark-large" />}
        <h1>{title}</h1>
        <p>
          <WithCode text={text} />
        </p>
        {children !== undefined && <div className="message-actions">{children}</div>}
      </div>
    </main>
  );
}

export interface MessagePageProps {
  readonly title: string;
  readonly text: string;
  readonly children?: ReactNode;
  readonly art?: ReactNode;
}

export function LoadingPage() {
  return (
    <main className="message-page" aria-busy="true">
      <Title page={texts.loading} />
      <div className="message message-quiet" role="status">
        <Mark className="mark mark-large mark-breathing" />
        <span className="visually-hidden">{texts.loading}</span>
      </div>
    </main>
  );
}

export function Brand() {
  return (
    <span className="brand">
      <Mark />
      {texts.brand}
    </span>
  );
}
