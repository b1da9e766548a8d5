-- Whose password an admin had made: it opens one page alone, where they choose their own.

CREATE TABLE one_time_passwords (
    user_id TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    made_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
