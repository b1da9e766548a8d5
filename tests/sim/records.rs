//! What is written down: late, in order, and not at all if the daemon dies before; an outage of the database delays everything.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use visavis::proto::id::{ParticipantId, RoomId};
use visavis::proto::room::{Entry, RoomEventKind, Standing};
use visavis::proto::signal::LeaveReason;

type Seat = (RoomId, ParticipantId);

#[derive(Debug, Default)]
pub(crate) struct Records {
    pub(crate) out: bool,
    waiting: VecDeque<(Duration, RoomId, RoomEventKind)>,
    standings: BTreeMap<Seat, Standing>,
    moderators: BTreeMap<Seat, bool>,
    locked: BTreeSet<RoomId>,
    ended: BTreeSet<RoomId>,
    attendance: BTreeMap<Seat, Vec<Interval>>,
    heard_at: Duration,
}

/// A time somebody's socket was in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Interval {
    pub(crate) from: Duration,
    pub(crate) until: Option<Duration>,
}

impl Records {
    pub(crate) fn push(&mut self, at: Duration, room: RoomId, kind: RoomEventKind) {
        self.waiting.push_back((at, room, kind));
    }

    /// Writes what waits, unless the database is out.
    pub(crate) fn flush(&mut self, now: Duration) {
        if self.out {
            return;
        }
        self.heard_at = now;
        while let Some((at, room, kind)) = self.waiting.pop_front() {
            self.write(at, room, kind);
        }
    }

    /// The daemon died: what was not written is gone, and what was open ends when it was last known to go on.
    pub(crate) fn crash(&mut self) {
        self.waiting.clear();
        for interval in self.attendance.values_mut().filter_map(|intervals| intervals.last_mut()) {
            interval.until = interval.until.or(Some(self.heard_at.max(interval.from)));
        }
    }

    /// Whether the door opens: not while nothing can be written, and not to a room that is over.
    pub(crate) fn door(&self, room: RoomId, participant: ParticipantId) -> Result<Entry, Shut> {
        if self.out {
            return Err(Shut::Busy);
        }
        if self.ended.contains(&room) {
            return Err(Shut::Ended);
        }
        let standing = self.standings.get(&(room, participant)).copied().unwrap_or_default();
        let moderator = self.moderators.get(&(room, participant)).copied();
        Ok(Entry { standing, moderator, locked: self.locked.contains(&room) })
    }

    pub(crate) fn is_over(&self, room: RoomId) -> bool {
        self.ended.contains(&room)
    }

    pub(crate) fn standing(&self, seat: Seat) -> Standing {
        self.standings.get(&seat).copied().unwrap_or_default()
    }

    pub(crate) fn attendance(&self) -> &BTreeMap<Seat, Vec<Interval>> {
        &self.attendance
    }

    fn write(&mut self, at: Duration, room: RoomId, kind: RoomEventKind) {
        match kind {
            RoomEventKind::Joined { participant, .. } => {
                self.standings.insert((room, participant), Standing::Admitted);
                self.begin(at, (room, participant));
            }
            RoomEventKind::Resumed { participant, .. } => self.begin(at, (room, participant)),
            RoomEventKind::Disconnected { participant } => self.end(at, (room, participant)),
            RoomEventKind::Left { participant, reason } => {
                self.end(at, (room, participant));
                if reason == LeaveReason::Kicked {
                    self.standings.insert((room, participant), Standing::Kicked);
                    self.moderators.remove(&(room, participant));
                }
            }
            RoomEventKind::Moderator { participant, moderator } => {
                self.moderators.insert((room, participant), moderator);
            }
            RoomEventKind::Locked { locked: true } => drop(self.locked.insert(room)),
            RoomEventKind::Locked { locked: false } => drop(self.locked.remove(&room)),
            RoomEventKind::Active => {}
            RoomEventKind::Ended { .. } => drop(self.ended.insert(room)),
        }
    }

    fn begin(&mut self, at: Duration, seat: Seat) {
        self.end(at, seat);
        self.attendance.entry(seat).or_default().push(Interval { from: at, until: None });
    }

    fn end(&mut self, at: Duration, seat: Seat) {
        if let Some(interval) = self.attendance.get_mut(&seat).and_then(|intervals| intervals.last_mut()) {
            interval.until = interval.until.or(Some(at));
        }
    }
}

/// Why nobody comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shut {
    Busy,
    Ended,
}
