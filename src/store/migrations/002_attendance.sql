-- Who was there: one row an interval of a connected socket; a drop ends one, coming back begins the next.

CREATE TABLE video_call_attendance (
    participant_id TEXT NOT NULL REFERENCES video_call_participants (id) ON DELETE CASCADE,
    began_at       INTEGER NOT NULL,
    ended_at       INTEGER CHECK (ended_at >= began_at),         -- NULL while it runs
    end_reason     TEXT CHECK (end_reason IN
        ('left', 'kicked', 'unattended', 'dropped', 'replaced', 'ended', 'stopped', 'crash')),
    PRIMARY KEY (participant_id, began_at),
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX one_running_interval_a_participant ON video_call_attendance (participant_id) WHERE ended_at IS NULL;
CREATE TRIGGER intervals_of_a_participant_never_overlap BEFORE INSERT ON video_call_attendance
WHEN EXISTS (SELECT 1 FROM video_call_attendance earlier
             WHERE earlier.participant_id = NEW.participant_id AND (earlier.ended_at IS NULL OR earlier.ended_at > NEW.began_at))
BEGIN
    SELECT RAISE(ABORT, 'intervals of a participant overlap');
END;

-- One row: when the daemon was last known to run. After a crash it ends what was running.
CREATE TABLE daemon_heartbeat (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    alive_at INTEGER NOT NULL
) STRICT;
INSERT INTO daemon_heartbeat (id, alive_at) VALUES (1, 0);

-- What a room must still know of its people after a restart.
ALTER TABLE video_call_rooms ADD COLUMN locked INTEGER NOT NULL DEFAULT 0 CHECK (locked IN (0, 1));
ALTER TABLE video_call_participants ADD COLUMN standing TEXT NOT NULL DEFAULT 'new' CHECK (standing IN ('new', 'admitted', 'kicked'));
ALTER TABLE video_call_participants ADD COLUMN moderator INTEGER CHECK (moderator IN (0, 1));  -- NULL: what the role says
UPDATE video_call_participants SET standing = 'admitted' WHERE joined_at IS NOT NULL;

-- What a start looks for, it finds without reading tables that grow with the years.
CREATE INDEX video_call_participants_inside ON video_call_participants (room_id) WHERE joined_at IS NOT NULL AND left_at IS NULL;
CREATE INDEX video_call_rooms_by_end ON video_call_rooms (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX login_sessions_by_last_seen ON login_sessions (last_seen_at);
CREATE INDEX login_sessions_by_creation ON login_sessions (created_at);
