//! What the API shows of rows: field by field, so that a new column never leaks by itself.

use std::fmt;

use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::store::{Invitation, ListedAccount, MentoringSession, Room, UnixMillis, User};

pub(super) fn user(user: &User) -> Value {
    json!({ "id": user.id, "username": user.username, "display_name": user.display_name, "role": user.role })
}

pub(super) fn account(account: &ListedAccount) -> Value {
    let mut view = user(&account.user);
    view["one_time_password"] = account.one_time_password.into();
    view
}

pub(super) fn session(session: &MentoringSession) -> Value {
    json!({
        "id": session.id,
        "topic": session.topic,
        "status": session.status,
        "mentor": session.mentor,
        "student": session.student,
        "members": session.members,
        "requested_at": Time(session.requested_at),
        "answered_at": session.answered_at.map(Time),
        "room": session.room.map(|(id, status)| json!({ "id": id, "status": status })),
    })
}

pub(super) fn invitation(invitation: &Invitation) -> Value {
    json!({
        "id": invitation.id,
        "session_id": invitation.session,
        "expires_at": Time(invitation.expires_at),
        "uses_left": invitation.uses_left,
        "revoked": invitation.revoked,
    })
}

pub(super) fn room(room: &Room) -> Value {
    let participants = room.participants.iter().map(|participant| {
        json!({
            "id": participant.id,
            "display_name": participant.display_name,
            "role": participant.role,
            "joined_at": participant.joined_at.map(Time),
            "left_at": participant.left_at.map(Time),
            "online": participant.online,
        })
    });
    json!({
        "id": room.id,
        "session_id": room.session,
        "status": room.status,
        "created_at": Time(room.created_at),
        "started_at": room.started_at.map(Time),
        "ended_at": room.ended_at.map(Time),
        "participants": participants.collect::<Vec<_>>(),
    })
}

/// RFC 3339 in UTC.
pub(super) struct Time(pub(super) UnixMillis);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanoseconds = i128::from(self.0.0) * 1_000_000;
        let time = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        f.write_str(&time.format(&Rfc3339).map_err(|_| fmt::Error)?)
    }
}

impl Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
