import { InviteDialog } from "../components/InviteDialog";
import { useInvitations } from "../hooks/useInvitations";
import { problemText } from "./problemText";

export interface InviteProps {
  readonly sessionId: string;
  readonly onStage: boolean;
  readonly onClose: () => void;
}

/** The links of one session. */
export function Invite({ sessionId, onStage, onClose }: InviteProps) {
  return <InviteDialog invitations={useInvitations(sessionId)} onStage={onStage} problemOf={problemText} onClose={onClose} />;
}
