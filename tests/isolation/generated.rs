//! Messages without end, sound and broken, from sockets of several rooms: each is heard in its own room alone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use visavis::proto::id::{ConnectionId, ParticipantId};
use visavis::proto::room::{Effect, LobbyPolicy, RoomEventKind};
use visavis::proto::signal::{Candidate, ClientMessage, Description, IceCandidate, Media, Of, Role, ServerMessage, To};

use crate::world::{World, id, person, room};

#[test]
fn a_million_generated_messages_leave_their_rooms_nowhere() {
    let seed = std::env::var("VISAVIS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(random_seed);
    println!("VISAVIS_SEED={seed}");
    let mut play = Play::new(seed);
    for _ in 0..MESSAGES {
        play.step();
    }
    println!("{} delivered, {} of them relayed, {} refused", play.delivered, play.relayed, play.refused);
    // A play in which nothing is heard would prove nothing.
    assert!(play.delivered > MESSAGES / 2 && play.relayed > MESSAGES / 50 && play.refused > MESSAGES / 50);
}

struct Play {
    world: World,
    dice: Dice,
    /// Sockets that are open, as far as their owners know.
    open: Vec<ConnectionId>,
    closed: BTreeSet<ConnectionId>,
    /// The rooms there are now; a new one follows each that ends.
    rooms: Vec<u32>,
    /// What each socket was told of its pairs.
    epochs: BTreeMap<(ConnectionId, ParticipantId), u32>,
    delivered: usize,
    relayed: usize,
    refused: usize,
}

impl Play {
    fn new(seed: u64) -> Self {
        let (open, closed, epochs) = Default::default();
        let (world, rooms) = (World::new(LobbyPolicy::Early), (0..ROOMS).collect());
        Self { world, dice: Dice(seed), open, closed, rooms, epochs, delivered: 0, relayed: 0, refused: 0 }
    }

    /// One message, and now and then something else before it.
    fn step(&mut self) {
        match self.dice.below(200) {
            _ if self.open.len() < 12 => self.come(),
            0..3 => self.come(),
            3 => self.drop_socket(),
            4 => self.pass_time(),
            5 if self.dice.below(20) == 0 => {
                let n = self.any_room();
                self.world.end(room(n));
            }
            6 if self.dice.below(5) == 0 => {
                let connection = self.anybody();
                self.world.registry.handle_sign_out(self.world.now, connection);
            }
            _ => {}
        }
        self.settle(None);
        if self.open.is_empty() {
            return;
        }
        let sender = self.anybody();
        let message = self.message(sender);
        if self.dice.below(8) == 0 {
            let text = self.broken(serde_json::to_string(&message).unwrap());
            self.world.say_text(sender, &text);
            self.settle(None);
        } else {
            self.world.say(sender, message.clone());
            self.settle(Some((sender, &message)));
        }
    }

    fn come(&mut self) {
        let (n, who) = (self.any_room(), self.dice.below(PEOPLE) as u8);
        let role = [Role::Mentor, Role::Student, Role::Guest, Role::Mentor, Role::Admin, Role::Student][usize::from(who) % 6];
        let connection = self.world.open(room(n), person(n, who, role));
        self.open.push(connection);
        if self.dice.below(10) > 0 {
            self.world.say(connection, ClientMessage::Hello { versions: vec![2] });
            self.world.say(connection, ClientMessage::Join { resume: None, takeover: true });
        }
    }

    fn drop_socket(&mut self) {
        let connection = self.anybody();
        self.open.retain(|open| *open != connection);
        self.closed.insert(connection);
        self.world.registry.handle_close(self.world.now, connection);
    }

    fn pass_time(&mut self) {
        self.world.now += Duration::from_millis(self.dice.below(30_000));
        self.world.registry.handle_timeout(self.world.now);
    }

    /// Holds everything that came of it against the book.
    fn settle(&mut self, said: Option<(ConnectionId, &ClientMessage)>) {
        let effects = self.world.effects();
        self.world.assert_no_leak(&effects);
        for (from, effect) in &effects {
            match effect {
                Effect::Send(to, message) => {
                    assert!(!self.closed.contains(to), "a closed socket was sent {message:?}");
                    self.delivered += 1;
                    self.refused += usize::from(matches!(message, ServerMessage::Error { .. }));
                    self.note_epochs(*to, message);
                    if let (Some((from, body)), Some(said)) = (addressed(message), said) {
                        self.assert_relayed(said, *to, from, body);
                    }
                }
                Effect::Close(connection, _) => {
                    self.open.retain(|open| open != connection);
                    self.closed.insert(*connection);
                }
                Effect::Event(RoomEventKind::Ended { .. }) => {
                    let next = self.rooms.iter().max().map_or(0, |n| n + 1);
                    self.rooms.iter_mut().filter(|n| room(**n) == *from).for_each(|n| *n = next);
                }
                Effect::Event(_) => {}
            }
        }
    }

    /// It came from who sent it, in the room it was sent in, to whom it was sent. What waited for a seat that resumes comes without.
    fn assert_relayed(&mut self, said: (ConnectionId, &ClientMessage), to: ConnectionId, from: ParticipantId, body: &str) {
        let (sender, ClientMessage::Offer(offer) | ClientMessage::Answer(offer)) = said else { return };
        assert_eq!(self.world.room_of[&sender], self.world.room_of[&to], "{said:?} came to {to:?}");
        assert_eq!((self.world.owner[&sender], self.world.owner[&to]), (from, offer.to), "{said:?} came to {to:?}");
        assert_eq!(body, offer.body.sdp);
        self.relayed += 1;
    }

    fn anybody(&mut self) -> ConnectionId {
        let n = self.dice.below(self.open.len() as u64) as usize;
        self.open[n]
    }

    fn any_room(&mut self) -> u32 {
        let n = self.dice.below(self.rooms.len() as u64) as usize;
        self.rooms[n]
    }

    /// Somebody of the sender's room most of the time, else of another or of one that has ended.
    fn somebody(&mut self, sender: ConnectionId) -> ParticipantId {
        let own = self.rooms.iter().copied().find(|n| room(*n) == self.world.room_of[&sender]);
        let n = match (own, self.dice.below(4)) {
            (Some(own), 1..) => own,
            _ => self.any_room().saturating_sub(self.dice.below(2) as u32),
        };
        id(n, self.dice.below(PEOPLE) as u8)
    }

    fn note_epochs(&mut self, to: ConnectionId, message: &ServerMessage) {
        let peers = match message {
            ServerMessage::Joined { peers, .. } => peers.as_slice(),
            ServerMessage::PeerJoined { peer } => std::slice::from_ref(peer),
            _ => &[],
        };
        self.epochs.extend(peers.iter().map(|peer| ((to, peer.participant.participant_id), peer.epoch)));
    }

    fn message(&mut self, sender: ConnectionId) -> ClientMessage {
        let to = self.somebody(sender);
        let participant_id = to;
        let known = self.epochs.get(&(sender, to)).copied().filter(|_| self.dice.below(8) > 0);
        let epoch = known.unwrap_or(self.dice.below(24) as u32);
        let sdp = Description { sdp: self.dice.next().to_string() };
        match self.dice.below(100) {
            0..20 => ClientMessage::Offer(To { to, epoch, body: sdp }),
            20..40 => ClientMessage::Answer(To { to, epoch, body: sdp }),
            40..60 => ClientMessage::Candidate(To { to, epoch, body: self.candidate() }),
            60..74 => ClientMessage::Media(Media { microphone: true, camera: false, screen: Some(epoch.to_string()) }),
            74..80 => ClientMessage::Admit(Of { participant_id }),
            80..82 => ClientMessage::Deny(Of { participant_id }),
            82..84 => ClientMessage::Kick(Of { participant_id }),
            84..86 => ClientMessage::Lock { locked: self.dice.below(4) == 0 },
            86..90 => ClientMessage::Moderate { participant_id, moderator: self.dice.below(2) == 0 },
            90 if self.dice.below(20) == 0 => ClientMessage::End {},
            91 => ClientMessage::Leave {},
            92..96 => ClientMessage::Join { resume: None, takeover: self.dice.below(2) == 0 },
            _ => ClientMessage::Hello { versions: vec![self.dice.below(4) as u16] },
        }
    }

    fn candidate(&mut self) -> Candidate {
        let candidate = IceCandidate {
            candidate: self.dice.next().to_string(),
            sdp_mid: None,
            sdp_m_line_index: Some(0),
            username_fragment: None,
        };
        Candidate { candidate: (self.dice.below(5) > 0).then_some(candidate) }
    }

    /// The text with a few bytes changed, cut off, or twice.
    fn broken(&mut self, text: String) -> String {
        let mut bytes = text.into_bytes();
        match self.dice.below(4) {
            0 => bytes.truncate(self.dice.below(bytes.len() as u64) as usize),
            1 => bytes.extend(bytes.clone()),
            _ => {
                for _ in 0..=self.dice.below(3) {
                    let at = self.dice.below(bytes.len() as u64) as usize;
                    bytes[at] = self.dice.next() as u8;
                }
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Who sent a relayed description, and what it says.
fn addressed(message: &ServerMessage) -> Option<(ParticipantId, &str)> {
    match message {
        ServerMessage::Offer(from) | ServerMessage::Answer(from) => Some((from.from, &from.body.sdp)),
        _ => None,
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014): each seed is a play of its own.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

fn random_seed() -> u64 {
    u64::from_be_bytes(visavis::sys::entropy::random())
}

const MESSAGES: usize = 1_000_000;
const ROOMS: u32 = 4;
const PEOPLE: u64 = 6;
