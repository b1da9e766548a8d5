//! The signaling wire, version 2: one JSON object a WebSocket text message. `signal.md` beside this file is its prose;
//! `tests/fixtures/signal/` holds one example a message, read by the tests of both sides.

use serde::{Deserialize, Serialize};

use super::id::ParticipantId;

/// The versions this server speaks, newest first.
pub const VERSIONS: &[u16] = &[2, 1];

/// What a browser sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    /// First message of every socket: the versions the page speaks.
    Hello {
        /// Newest first.
        versions: Vec<u16>,
    },
    /// Takes the seat, or takes it back.
    Join {
        /// The token of the `joined` before; it restores the seat as it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resume: Option<ResumeToken>,
        /// Take the seat even if another tab of the same person holds it.
        #[serde(default)]
        takeover: bool,
    },
    /// A session description that asks.
    Offer(To<Description>),
    /// A session description that answers.
    Answer(To<Description>),
    /// A trickled ICE candidate; null when there are no more.
    Candidate(To<Candidate>),
    /// Which of the sender's media run, for the labels on the other side.
    Media(Media),
    /// Gives the seat up, or the place in the lobby.
    Leave {},
    /// A moderator lets somebody in who waits in the lobby.
    Admit(Of),
    /// A moderator sends somebody away who waits in the lobby.
    Deny(Of),
    /// A moderator takes somebody's seat away; they need a moderator's word to come back.
    Kick(Of),
    /// A moderator locks the room, so that everybody but staff waits in the lobby, or opens it.
    Lock {
        /// Whether it is locked from here on.
        locked: bool,
    },
    /// A moderator makes somebody a moderator, or an ordinary participant.
    Moderate {
        /// Whose seat.
        participant_id: ParticipantId,
        /// What they are from here on.
        moderator: bool,
    },
    /// A moderator ends the meeting for everybody.
    End {},
}

/// Names somebody of the same room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Of {
    /// The seat, or who waits for one.
    pub participant_id: ParticipantId,
}

/// What the server sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// Answers `hello`.
    Welcome {
        /// The version both speak from here on.
        version: u16,
    },
    /// Answers `join`: the whole roster.
    Joined {
        /// True if the seat was restored, so standing peer connections go on.
        resumed: bool,
        /// Restores this seat after the socket drops; new with every `joined`.
        resume: ResumeToken,
        /// The receiver itself.
        you: Participant,
        /// Whether the receiver moderates the room.
        moderator: bool,
        /// Whether the room is locked.
        locked: bool,
        /// Everybody else in the room.
        peers: Vec<Peer>,
    },
    /// Answers `join`, or follows later: the receiver has no seat and waits for a moderator. `joined` or a close comes next.
    Waiting {
        /// The receiver itself.
        you: Participant,
        /// Why.
        reason: WaitReason,
    },
    /// To moderators: everybody who waits now, in the order they came.
    Lobby {
        /// Empty once nobody waits any more.
        waiting: Vec<Participant>,
    },
    /// A moderator locked the room or opened it.
    Locked {
        /// What it is now.
        locked: bool,
    },
    /// Somebody, maybe the receiver, became a moderator or ceased to be one.
    Moderator {
        /// Whose.
        participant_id: ParticipantId,
        /// What they are now.
        moderator: bool,
    },
    /// Somebody took a seat, or took it anew (a higher epoch: build a new peer connection).
    PeerJoined {
        /// Who, with the politeness of the receiver towards them.
        peer: Peer,
    },
    /// A peer's socket dropped or came back; its media may well go on.
    PeerStatus {
        /// Whose.
        participant_id: ParticipantId,
        /// False while the seat is kept for a socket that dropped.
        connected: bool,
    },
    /// A peer's seat is free.
    PeerLeft {
        /// Whose.
        participant_id: ParticipantId,
        /// Why.
        reason: LeaveReason,
    },
    /// See [`ClientMessage::Offer`].
    Offer(From<Description>),
    /// See [`ClientMessage::Answer`].
    Answer(From<Description>),
    /// See [`ClientMessage::Candidate`].
    Candidate(From<Candidate>),
    /// See [`ClientMessage::Media`].
    Media {
        /// Stamped by the server.
        from: ParticipantId,
        /// What runs now.
        #[serde(flatten)]
        media: Media,
    },
    /// The room is over; the socket closes with 4000.
    Ended {
        /// Why.
        reason: EndReason,
    },
    /// A message was refused; the socket stays unless a close code follows.
    Error {
        /// Stable, for programs.
        code: ErrorCode,
        /// For a person who debugs.
        message: String,
    },
}

/// Addressed to one peer of the same room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct To<T> {
    /// The receiver's seat.
    pub to: ParticipantId,
    /// The pair's epoch; a message of an older one is dropped.
    pub epoch: u32,
    /// What is relayed untouched.
    #[serde(flatten)]
    pub body: T,
}

/// Relayed from one peer of the same room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct From<T> {
    /// Stamped by the server.
    pub from: ParticipantId,
    /// The pair's epoch.
    pub epoch: u32,
    /// What was relayed.
    #[serde(flatten)]
    pub body: T,
}

/// The body of an offer or answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// RFC 8866.
    pub sdp: String,
}

/// The body of `candidate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// W3C `RTCIceCandidateInit`; null ends the candidates.
    pub candidate: Option<IceCandidate>,
}

/// W3C `RTCIceCandidateInit`, in its own spelling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IceCandidate {
    /// The candidate-attribute of RFC 8839 section 5.1, or empty.
    pub candidate: String,
    /// The media description it belongs to.
    pub sdp_mid: Option<String>,
    /// Its index.
    #[serde(rename = "sdpMLineIndex")]
    pub sdp_m_line_index: Option<u16>,
    /// The ICE generation it belongs to.
    pub username_fragment: Option<String>,
}

/// Which media somebody sends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// The microphone runs and is not muted.
    pub microphone: bool,
    /// The camera runs.
    pub camera: bool,
    /// The `mid` of the m-line that carries the shared screen, if one is shared.
    pub screen: Option<String>,
}

/// Somebody in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// The seat.
    pub participant_id: ParticipantId,
    /// Rendered as text, never as markup.
    pub display_name: String,
    /// What they may do in this room.
    pub role: Role,
}

/// Somebody else in the room, seen by the receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// Who.
    #[serde(flatten)]
    pub participant: Participant,
    /// True if the *receiver* is the polite side towards this peer; the impolite side makes the first offer.
    pub polite: bool,
    /// Rises whenever either side takes its seat anew.
    pub epoch: u32,
    /// False while the seat is kept for a socket that dropped.
    pub connected: bool,
    /// Whether they moderate the room.
    pub moderator: bool,
    /// What they send.
    pub media: Media,
}

/// What somebody is in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs the box.
    Admin,
    /// Leads the session.
    Mentor,
    /// Learns in the session.
    Student,
    /// Was invited by link, without an account.
    Guest,
}

impl Role {
    /// Staff moderates every room it sits in, unless another moderator decides otherwise, and is never alone by rule.
    pub const fn is_staff(self) -> bool {
        matches!(self, Self::Admin | Self::Mentor)
    }
}

/// Why a seat became free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaveReason {
    /// They pressed *End* or *Leave*.
    Left,
    /// Their socket did not come back in time.
    Timeout,
    /// A moderator took the seat away.
    Kicked,
    /// Nobody of the staff came back in time: back to the lobby.
    Unattended,
}

/// Why somebody waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitReason {
    /// Nobody of the staff is in the room.
    NoStaff,
    /// A moderator is there and has to let them in.
    NotAdmitted,
}

/// Why a room is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// A mentor or an admin ended it.
    EndedByStaff,
    /// The last seat became free.
    Empty,
}

/// Why a message was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// Not one of the messages above, or not in its form.
    Malformed,
    /// No version in common; closes with 4004.
    VersionUnsupported,
    /// `hello` and `join` come first.
    NotJoined,
    /// This socket holds its seat already.
    AlreadyJoined,
    /// Another tab of the same person holds the seat; `takeover` takes it.
    SeatTaken,
    /// Every seat of the room, or every place in its lobby, is taken.
    RoomFull,
    /// This is for moderators.
    Forbidden,
    /// `to` names nobody in this room.
    NoSuchPeer,
    /// Too many messages; those above the rate are dropped.
    RateLimited,
}

impl ErrorCode {
    /// For a person who debugs.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Malformed => "this is none of the messages of signal.md",
            Self::VersionUnsupported => "no version in common: load the page anew",
            Self::NotJoined => "hello comes first, then join",
            Self::AlreadyJoined => "this socket holds its seat already",
            Self::SeatTaken => "another tab of yours holds the seat: join with takeover to take it",
            Self::RoomFull => "every seat of this room is taken",
            Self::Forbidden => "only a moderator of this room may do that",
            Self::NoSuchPeer => "nobody of this name sits in this room",
            Self::RateLimited => "too many messages: this one was dropped",
        }
    }
}

/// Why the server closed a socket (RFC 6455 section 7.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseCode {
    /// The seat was given up by `leave`.
    Left = 1000,
    /// The server stops; come back with the resume token.
    GoingAway = 1001,
    /// Refused messages without end, or no `hello` or `join` in time.
    PolicyViolation = 1008,
    /// A message above the size limit.
    MessageTooBig = 1009,
    /// The receiver reads too slowly.
    TryAgainLater = 1013,
    /// The room is over.
    RoomEnded = 4000,
    /// The login session ended.
    SignedOut = 4001,
    /// Another tab of the same person took the seat.
    Replaced = 4002,
    /// A moderator took the seat away.
    Kicked = 4003,
    /// No version in common.
    VersionUnsupported = 4004,
    /// A moderator did not let them in.
    Denied = 4005,
}

impl CloseCode {
    /// The close frame's reason, in the words of `signal.md`.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::GoingAway => "going_away",
            Self::PolicyViolation => "policy_violation",
            Self::MessageTooBig => "message_too_big",
            Self::TryAgainLater => "try_again_later",
            Self::RoomEnded => "room_ended",
            Self::SignedOut => "signed_out",
            Self::Replaced => "replaced",
            Self::Kicked => "kicked",
            Self::Denied => "denied",
            Self::VersionUnsupported => "version_unsupported",
        }
    }
}

/// Proves that a socket is the one that held a seat; 128 random bits in hexadecimal, never shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResumeToken(String);

impl ResumeToken {
    /// The token made of 16 random bytes.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(format!("{:032x}", u128::from_be_bytes(bytes)))
    }

    /// Compares in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.0.as_bytes(), other.0.as_bytes());
        ours.len() == theirs.len() && ours.iter().zip(theirs).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
    }
}

impl std::fmt::Debug for ResumeToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ResumeToken(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde::Serialize;
    use serde::de::DeserializeOwned;

    use super::*;

    #[test]
    fn every_client_fixture_is_a_message_and_its_own_text() {
        assert_eq!(round_trips::<ClientMessage>("client"), 16);
    }

    #[test]
    fn every_server_fixture_is_a_message_and_its_own_text() {
        assert_eq!(round_trips::<ServerMessage>("server"), 15);
    }

    #[test]
    fn a_resume_token_matches_itself_alone() {
        let token = ResumeToken::from_random([1; 16]);
        assert!(token.matches(&token.clone()));
        assert!(!token.matches(&ResumeToken::from_random([2; 16])));
        assert_eq!(format!("{token:?}"), "ResumeToken(..)");
    }

    fn round_trips<T: Serialize + DeserializeOwned>(side: &str) -> usize {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/signal").join(side);
        let mut count = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let fixture: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let message: T = serde_json::from_value(fixture.clone()).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            assert_eq!(serde_json::to_value(&message).unwrap(), fixture, "{}", path.display());
            count += 1;
        }
        count
    }
}
