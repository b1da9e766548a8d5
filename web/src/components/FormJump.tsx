/** To the form beside the list, which a narrow page has below it. */
export function FormJump({ text, label }: { readonly text: string; readonly label: string }) {
  return (
    <a className="button button-quiet form-jump" href={`#${FORM}`} aria-label={label}>
      {text}
    </a>
  );
}

/** The address of that form in its page. */
export const FORM = "form";
