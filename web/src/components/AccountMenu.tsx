import { useId, useRef } from "react";

import { texts } from "../i18n/texts";
import type { User } from "../protocol/resources";
import { Avatar } from "./Avatar";
import { ChevronIcon } from "./icons";

export interface AccountMenuProps {
  readonly user: User;
  /** Null for guests, who have no password. */
  readonly onChangePassword: (() => void) | null;
  readonly onSignOut: () => void;
}

/** Who is signed in, and what they may do about it. As a popover, the browser closes it by Escape and by clicks elsewhere. */
export function AccountMenu({ user, onChangePassword, onSignOut }: AccountMenuProps) {
  const { account } = texts;
  const id = useId();
  const menu = useRef<HTMLDivElement>(null);
  return (
    <>
      <button type="button" className="account-button" popoverTarget={id} aria-label={account.menu(user.display_name)}>
        <Avatar name={user.display_name} size="small" />
        <span className="account-button-name">{user.display_name}</span>
        <ChevronIcon />
      </button>
      <div ref={menu} id={id} className="account-menu" popover="auto">
        <p className="account-menu-who">
          <strong>{user.display_name}</strong>
          <span className="account-line">
            {user.role !== "guest" && <span className="hint">{user.username}</span>}
            <span className="pill">{texts.roles[user.role]}</span>
          </span>
        </p>
        {onChangePassword !== null && (
          <button
            type="button"
            className="button button-quiet"
            onClick={() => {
              // First, so that whatever opens gives the focus back to the button that stays.
              menu.current?.hidePopover();
              onChangePassword();
            }}
          >
            {account.changePassword}
          </button>
        )}
        <button type="button" className="button button-quiet" onClick={onSignOut}>
          {account.signOut}
        </button>
      </div>
    </>
  );
}
