import { useTrustPage } from "../hooks/useTrustPage";
import { texts } from "../i18n/texts";

/** To the page that introduces other devices to the box, where they need that. */
export function TrustLink() {
  const page = useTrustPage();
  if (page === null) return null;
  return (
    <p className="hint trust-link">
      <a href={page}>{texts.trust}</a>
    </p>
  );
}
