import type { PeerSnapshot } from "../call/peer";
import { texts } from "../i18n/texts";
import { Avatar } from "./Avatar";
import { RemoteTile, ScreenTile } from "./Tile";

export interface StageProps {
  readonly peers: readonly PeerSnapshot[];
  /** Who is waited for while nobody is there. */
  readonly expected: string;
  /** Somebody asks to come in. */
  readonly atDoor: boolean;
  /** The socket is not there yet. */
  readonly entering: boolean;
}

/** The others: one fills the stage, several share it, a shared screen takes most of it. */
export function Stage({ peers, expected, atDoor, entering }: StageProps) {
  const sharing = peers.find(({ media, streams }) => media.screen !== null && streams.screen !== null);
  const layout = sharing !== undefined ? "screen" : peers.length > 1 ? "grid" : "one";
  if (peers.length === 0) return <Waiting expected={expected} atDoor={atDoor} entering={entering} />;
  return (
    <div className="stage" data-layout={layout}>
      {sharing !== undefined && <ScreenTile name={sharing.participant.display_name} stream={sharing.streams.screen} />}
      <div className="stage-peers" data-count={Math.min(peers.length, TILES_MAX)}>
        {peers.map((peer) => (
          <RemoteTile key={peer.participant.participant_id} peer={peer} small={layout !== "one"} />
        ))}
      </div>
    </div>
  );
}

/** As many as the style sheet has grids for. */
const TILES_MAX = 12;

function Waiting({ expected, atDoor, entering }: Omit<StageProps, "peers">) {
  const { call } = texts;
  return (
    <div className="waiting" role="status">
      <Avatar name={expected} size="large" pulsing />
      <p className="waiting-title">{entering ? call.status.loading : call.waitingFor(expected)}</p>
      <p className="waiting-hint">{entering ? "" : atDoor ? call.atDoorHint : call.waitingHint}</p>
    </div>
  );
}
