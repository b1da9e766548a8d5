-- Times are milliseconds since the Unix epoch. Identifiers are 32 lower-case hexadecimal digits.

CREATE TABLE users (
    id            TEXT PRIMARY KEY,
    username      TEXT NOT NULL UNIQUE,      -- lower case, NFC
    display_name  TEXT NOT NULL,
    role          TEXT NOT NULL CHECK (role IN ('admin', 'mentor', 'student')),
    password_hash TEXT NOT NULL,             -- PHC string, argon2id
    created_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE login_sessions (
    token_hash   BLOB PRIMARY KEY,           -- SHA-256 of the cookie's token, which is stored nowhere
    user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at   INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX login_sessions_of_user ON login_sessions (user_id);

CREATE TABLE login_failures (
    key            TEXT PRIMARY KEY,         -- SHA-256 of account and source address, or of the account
    failures       INTEGER NOT NULL,
    last_failed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX login_failures_by_time ON login_failures (last_failed_at);

CREATE TABLE mentoring_sessions (
    id           TEXT PRIMARY KEY,
    mentor_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    student_id   TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    topic        TEXT NOT NULL,
    status       TEXT NOT NULL CHECK (status IN ('requested', 'accepted', 'declined')),
    requested_at INTEGER NOT NULL,
    answered_at  INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX mentoring_sessions_of_mentor ON mentoring_sessions (mentor_id, requested_at);
CREATE INDEX mentoring_sessions_of_student ON mentoring_sessions (student_id, requested_at);

CREATE TABLE video_call_rooms (
    id         TEXT PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES mentoring_sessions (id) ON DELETE CASCADE,
    status     TEXT NOT NULL CHECK (status IN ('waiting', 'active', 'ended')),
    created_at INTEGER NOT NULL,
    started_at INTEGER,                      -- the second participant came
    ended_at   INTEGER,
    end_reason TEXT
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX one_standing_room_a_session ON video_call_rooms (session_id) WHERE status <> 'ended';
CREATE INDEX video_call_rooms_of_session ON video_call_rooms (session_id, created_at);

CREATE TABLE video_call_participants (
    id        TEXT PRIMARY KEY,
    room_id   TEXT NOT NULL REFERENCES video_call_rooms (id) ON DELETE CASCADE,
    user_id   TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role      TEXT NOT NULL CHECK (role IN ('admin', 'mentor', 'student')),
    joined_at INTEGER,                       -- first taken seat; NULL: asked to join, never came
    left_at   INTEGER,                       -- last freed seat; NULL while in the room
    online    INTEGER NOT NULL DEFAULT 0 CHECK (online IN (0, 1)),
    UNIQUE (room_id, user_id)
) STRICT, WITHOUT ROWID;
