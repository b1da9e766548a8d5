-- More people than a mentor and a student: members of a session, and guests who come by an invitation.

-- A CHECK cannot be altered: both tables are copied (sqlite.org/lang_altertable.html section 7, without foreign keys meanwhile).
CREATE TABLE new_users (
    id            TEXT PRIMARY KEY,
    username      TEXT NOT NULL UNIQUE,      -- lower case, NFC; of guests: a word that no username can be
    display_name  TEXT NOT NULL,
    role          TEXT NOT NULL CHECK (role IN ('admin', 'mentor', 'student', 'guest')),
    password_hash TEXT NOT NULL,             -- PHC string, argon2id; of guests: empty
    created_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO new_users SELECT id, username, display_name, role, password_hash, created_at FROM users;
DROP TABLE users;
ALTER TABLE new_users RENAME TO users;
-- Whose names are still to be forgotten.
CREATE INDEX guests_with_a_name ON users (id) WHERE role = 'guest' AND display_name <> 'Guest';

CREATE TABLE new_participants (
    id        TEXT PRIMARY KEY,
    room_id   TEXT NOT NULL REFERENCES video_call_rooms (id) ON DELETE CASCADE,
    user_id   TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role      TEXT NOT NULL CHECK (role IN ('admin', 'mentor', 'student', 'guest')),
    joined_at INTEGER,                       -- first taken seat; NULL: asked to join, never came
    left_at   INTEGER,                       -- last freed seat; NULL while in the room
    online    INTEGER NOT NULL DEFAULT 0 CHECK (online IN (0, 1)),
    standing  TEXT NOT NULL DEFAULT 'new' CHECK (standing IN ('new', 'admitted', 'kicked')),
    moderator INTEGER CHECK (moderator IN (0, 1)),  -- NULL: what the role says
    UNIQUE (room_id, user_id)
) STRICT, WITHOUT ROWID;
INSERT INTO new_participants
    SELECT id, room_id, user_id, role, joined_at, left_at, online, standing, moderator FROM video_call_participants;
DROP TABLE video_call_participants;
ALTER TABLE new_participants RENAME TO video_call_participants;
CREATE INDEX video_call_participants_inside ON video_call_participants (room_id) WHERE joined_at IS NOT NULL AND left_at IS NULL;
CREATE INDEX video_call_participants_of_user ON video_call_participants (user_id);

CREATE TABLE invitations (
    id         TEXT PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES mentoring_sessions (id) ON DELETE CASCADE,
    token_hash BLOB NOT NULL UNIQUE,         -- SHA-256 of the link's token, which is stored nowhere
    created_by TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    uses_left  INTEGER NOT NULL CHECK (uses_left >= 0),
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX invitations_of_session ON invitations (session_id, created_at);

-- Besides the mentor and the student who stand in mentoring_sessions.
CREATE TABLE mentoring_session_members (
    session_id    TEXT NOT NULL REFERENCES mentoring_sessions (id) ON DELETE CASCADE,
    user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role          TEXT NOT NULL CHECK (role IN ('mentor', 'student', 'guest')),
    invitation_id TEXT REFERENCES invitations (id) ON DELETE SET NULL,
    added_at      INTEGER NOT NULL,
    PRIMARY KEY (session_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX mentoring_session_members_of_user ON mentoring_session_members (user_id);
CREATE INDEX mentoring_session_members_by_invitation ON mentoring_session_members (invitation_id) WHERE invitation_id IS NOT NULL;
