import { texts } from "../i18n/texts";
import { CopyField } from "./CopyField";

export interface PasswordSlipProps {
  readonly title: string;
  readonly username: string;
  readonly password: string;
}

/** What to hand somebody, on paper or by word of mouth: it is shown this once. */
export function PasswordSlip({ title, username, password }: PasswordSlipProps) {
  return (
    <section className="password-slip" role="status">
      <p>
        <strong>{title}</strong> <span className="hint">{texts.directory.slipUsername(username)}</span>
      </p>
      <CopyField label={texts.directory.oneTimePassword} text={password} hint={texts.directory.slipHint} />
    </section>
  );
}
