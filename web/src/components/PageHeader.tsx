import type { MouseEvent } from "react";

import { texts } from "../i18n/texts";
import type { User } from "../protocol/resources";
import { Brand } from "./Page";

export interface PageHeaderProps {
  readonly user: User;
  /** Which of the pages that it links to is shown. */
  readonly page: "sessions" | "people" | "health" | "start";
  readonly onFollow: (event: MouseEvent<HTMLAnchorElement>) => void;
  readonly onSignOut: () => void;
}

/** The top of a page: whose box this is, who is signed in, and for admins the way to the box's health and back. */
export function PageHeader({ user, page, onFollow, onSignOut }: PageHeaderProps) {
  const link = (to: PageHeaderProps["page"], address: string, text: string) => (
    <a href={address} className="page-link" aria-current={page === to ? "page" : undefined} onClick={onFollow}>
      {text}
    </a>
  );
  return (
    <header className="page-header">
      <Brand />
      {user.role === "admin" && (
        <nav className="page-links" aria-label={texts.pages.label}>
          {link("sessions", "/", texts.pages.sessions)}
          {link("people", "/people", texts.pages.people)}
          {link("health", "/health", texts.pages.health)}
        </nav>
      )}
      <div className="page-user">
        <span className="page-user-name">{user.display_name}</span>
        <span className="pill">{texts.roles[user.role]}</span>
        <button type="button" className="button button-quiet" onClick={onSignOut}>
          {texts.sessions.signOut}
        </button>
      </div>
    </header>
  );
}
