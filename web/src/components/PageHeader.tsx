import { type MouseEvent, useState } from "react";

import type { ApiError } from "../api/request";
import type { OwnAccount } from "../hooks/useLogin";
import { useTrustPage } from "../hooks/useTrustPage";
import { texts } from "../i18n/texts";
import type { User } from "../protocol/resources";
import { AccountMenu } from "./AccountMenu";
import { Brand } from "./Page";
import { PasswordDialog } from "./PasswordDialog";

export interface PageHeaderProps {
  readonly user: User;
  /** Which of the pages that it links to is shown. */
  readonly page: "sessions" | "people" | "health" | "start";
  readonly account: OwnAccount;
  readonly problemOf: (error: ApiError) => string;
  readonly onFollow: (event: MouseEvent<HTMLAnchorElement>) => void;
}

/** The top of a page: whose box this is, for admins the way to each page of theirs, and who is signed in. */
export function PageHeader({ user, page, account, problemOf, onFollow }: PageHeaderProps) {
  const [changing, setChanging] = useState(false);
  return (
    <header className="page-header">
      <Brand />
      {user.role === "admin" && <PageLinks page={page} onFollow={onFollow} />}
      <AccountMenu user={user} onChangePassword={user.role === "guest" ? null : () => setChanging(true)} onSignOut={() => void account.signOut()} />
      {changing && <PasswordDialog user={user} onChoose={account.choosePassword} problemOf={problemOf} onClose={() => setChanging(false)} />}
    </header>
  );
}

function PageLinks({ page, onFollow }: Pick<PageHeaderProps, "page" | "onFollow">) {
  const { pages } = texts;
  const devices = useTrustPage();
  const link = (to: PageHeaderProps["page"], address: string, text: string) => (
    <a href={address} className="page-link" aria-current={page === to ? "page" : undefined} onClick={onFollow}>
      {text}
    </a>
  );
  return (
    <nav className="page-links" aria-label={pages.label}>
      {link("sessions", "/", pages.sessions)}
      {link("people", "/people", pages.people)}
      {link("health", "/health", pages.health)}
      {devices !== null && (
        <a href={devices} className="page-link">
          {pages.devices}
        </a>
      )}
    </nav>
  );
}
