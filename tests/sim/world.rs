//! Pages, a network that cuts and delays, and a daemon that dies, on a clock of their own: one seed, one history.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::{Duration, Instant};

use visavis::proto::id::{ConnectionId, ParticipantId};
use visavis::proto::room::{Effect, Limits, LobbyPolicy, Registry};
use visavis::proto::signal::{ClientMessage, CloseCode, ErrorCode, ServerMessage};

use crate::chance::Chance;
use crate::people::{self, Page, Person, Reaction, State};
use crate::records::{Records, Shut};
use crate::witness::{SEATS_MAX, UNATTENDED, Witness};

pub(crate) struct World {
    pub(crate) chance: Chance,
    pub(crate) now: Duration,
    pub(crate) people: Vec<Person>,
    pub(crate) pages: Vec<Page>,
    pub(crate) registry: Registry,
    pub(crate) records: Records,
    pub(crate) witness: Witness,
    pub(crate) calm: bool,
    started: Instant,
    end: Duration,
    up: bool,
    pipes: BTreeMap<ConnectionId, Pipe>,
    queue: BinaryHeap<Reverse<Scheduled>>,
    sequence: u64,
}

/// A connection: in order within itself, in no order with others; a cut loses what is on its way.
#[derive(Debug)]
struct Pipe {
    page: usize,
    up_last: Duration,
    down_last: Duration,
    /// What arrives later than this is lost.
    up_until: Duration,
    down_until: Duration,
}

#[derive(Debug)]
pub(crate) enum Happening {
    Act(usize),
    Connect(usize),
    /// A page that has no seat by now tries again.
    Impatience(usize, ConnectionId),
    Arrive(ConnectionId),
    Say(ConnectionId, Option<ClientMessage>),
    Hear(ConnectionId, ServerMessage),
    Closed(ConnectionId, Option<CloseCode>),
    /// The daemon learns that a connection is gone.
    Gone(ConnectionId),
    Flush,
    Trouble,
    Start,
    OutageOver,
    Calm,
}

struct Scheduled(Duration, u64, Happening);

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let people = people::rooms(&mut chance);
        let pages =
            (0..people.len()).flat_map(|person| (0..1 + usize::from(chance.one_in(3))).map(move |_| person)).map(Page::new);
        let pages: Vec<_> = pages.collect();
        let limits = Limits {
            participants_max: SEATS_MAX,
            reconnect_grace: Duration::from_secs(10),
            unattended_grace: UNATTENDED,
            lobby: LobbyPolicy::Early,
            join_timeout: Duration::from_secs(10),
            refused_messages_max: 20,
        };
        let mut world = Self {
            chance,
            now: Duration::ZERO,
            witness: Witness::new(&people),
            people,
            pages,
            registry: Registry::new(limits),
            records: Records::default(),
            calm: false,
            started: Instant::now(),
            end: Duration::MAX,
            up: true,
            pipes: BTreeMap::new(),
            queue: BinaryHeap::new(),
            sequence: 0,
        };
        for page in 0..world.pages.len() {
            let first = world.chance.wait(0, 8_000);
            world.after(first, Happening::Act(page));
        }
        world.after(Duration::from_millis(100), Happening::Flush);
        world.after(Duration::from_secs(5), Happening::Trouble);
        world.after(CHAOS, Happening::Calm);
        world
    }

    /// Lives through the chaos, and the quiet after it.
    pub(crate) fn run(&mut self) {
        while let Some(Reverse(Scheduled(at, _, happening))) = self.queue.pop() {
            if at > self.end {
                break;
            }
            self.let_time_pass(at);
            self.happen(happening);
            self.settle();
        }
    }

    pub(crate) fn after(&mut self, wait: Duration, happening: Happening) {
        self.at(self.now + wait, happening);
    }

    pub(crate) fn limits(&self) -> Limits {
        self.registry.limits()
    }

    /// The timers of the rooms, each at its own time.
    fn let_time_pass(&mut self, until: Duration) {
        let until = until.max(self.now);
        while let Some(due) = self.registry.poll_timeout().filter(|_| self.up) {
            let due = due.saturating_duration_since(self.started).max(self.now);
            if due > until {
                break;
            }
            self.now = due;
            self.witness.handles(None);
            self.registry.handle_timeout(self.started + due);
            self.settle();
            let next = self.registry.poll_timeout();
            assert!(next.is_none_or(|next| next > self.started + due), "a timer that is never done");
        }
        self.now = until;
    }

    /// All timers come at once, late.
    fn sleep(&mut self, until: Duration) {
        self.now = until;
        if self.up {
            self.registry.handle_timeout(self.instant());
            self.settle();
        }
    }

    fn happen(&mut self, happening: Happening) {
        self.witness.handles(None);
        match happening {
            Happening::Act(page) => self.act(page),
            Happening::Connect(page) if self.pages[page].state == State::Returning => self.connect(page),
            Happening::Connect(_) => {}
            Happening::Impatience(page, connection) => {
                let state = self.pages[page].state;
                if self.pages[page].connection == Some(connection) && state == State::Opening {
                    self.abandon(page);
                    self.come_back(page);
                }
            }
            Happening::Arrive(connection) => self.arrive(connection),
            Happening::Say(connection, message) => self.said(connection, message),
            Happening::Hear(connection, message) => self.heard(connection, message),
            Happening::Closed(connection, code) => self.page_loses(connection, code),
            Happening::Gone(connection) => {
                if self.up {
                    self.registry.handle_close(self.instant(), connection);
                    self.witness.closed(connection);
                }
            }
            Happening::Flush => {
                if self.up {
                    self.records.flush(self.now);
                }
                let next = self.chance.wait(5, 400);
                self.after(next, Happening::Flush);
            }
            Happening::Trouble => self.trouble(),
            Happening::Start => self.up = true,
            Happening::OutageOver => self.records.out = false,
            Happening::Calm => self.calm_down(),
        }
    }

    /// Carries out what the rooms asked for.
    fn settle(&mut self) {
        while let Some((room, effect)) = self.registry.poll_effect() {
            self.witness.see(self.now, room, &effect);
            match effect {
                Effect::Send(connection, message) => self.down(connection, Happening::Hear(connection, message)),
                Effect::Close(connection, code) => self.down(connection, Happening::Closed(connection, Some(code))),
                Effect::Event(kind) => self.records.push(self.now, room, kind),
            }
        }
        self.witness.settled(self.now);
    }

    fn arrive(&mut self, connection: ConnectionId) {
        let Some(page) = self.pipes.get(&connection).map(|pipe| pipe.page) else { return };
        let Person { room, participant } = self.people[self.pages[page].person].clone();
        let door = if self.up { self.records.door(room, participant.participant_id) } else { Err(Shut::Busy) };
        match door {
            Ok(entry) => {
                self.witness.opened(connection, room, participant.participant_id);
                self.registry.handle_open(self.instant(), room, connection, participant, entry);
            }
            Err(Shut::Busy) => self.down(connection, Happening::Closed(connection, None)),
            Err(Shut::Ended) => {
                self.pages[page].state = State::Ended;
                self.down(connection, Happening::Closed(connection, Some(CloseCode::RoomEnded)));
            }
        }
    }

    fn said(&mut self, connection: ConnectionId, message: Option<ClientMessage>) {
        if !self.up {
            return;
        }
        match message {
            Some(message) => {
                self.witness.handles(Some((connection, message.clone())));
                let random = self.chance.bytes();
                self.registry.handle_message(self.instant(), connection, message, random);
            }
            None => self.registry.handle_refused(self.instant(), connection, ErrorCode::Malformed),
        }
    }

    fn heard(&mut self, connection: ConnectionId, message: ServerMessage) {
        let Some(page) = self.page_of(connection) else { return };
        let me = self.me(page);
        match self.pages[page].hear(me, message) {
            Reaction::Nothing => {}
            Reaction::Say(message) => self.say(page, message),
            Reaction::GiveUp => self.abandon(page),
        }
    }

    /// The page learns that its socket is closed; `None`: without a word.
    fn page_loses(&mut self, connection: ConnectionId, code: Option<CloseCode>) {
        let Some(page) = self.page_of(connection) else { return };
        let returns = match code {
            Some(code) => self.pages[page].closed(code),
            None => true,
        };
        if returns {
            self.come_back(page);
        }
    }

    pub(crate) fn connect(&mut self, page: usize) {
        let connection = ConnectionId::from_random(self.chance.bytes());
        let pipe = Pipe { page, up_last: self.now, down_last: self.now, up_until: Duration::MAX, down_until: Duration::MAX };
        self.pipes.insert(connection, pipe);
        self.pages[page].connection = Some(connection);
        self.pages[page].state = State::Opening;
        self.up(connection, Happening::Arrive(connection));
        let hello = self.pages[page].opened();
        self.up(connection, Happening::Say(connection, Some(hello)));
        self.after(Duration::from_secs(10), Happening::Impatience(page, connection));
    }

    pub(crate) fn say(&mut self, page: usize, message: ClientMessage) {
        if let Some(connection) = self.pages[page].connection {
            self.up(connection, Happening::Say(connection, Some(message)));
        }
    }

    pub(crate) fn babble(&mut self, page: usize) {
        if let Some(connection) = self.pages[page].connection {
            self.up(connection, Happening::Say(connection, None));
        }
    }

    /// The page lets go of its socket; what it said may still arrive, and the daemon learns of it sooner or later.
    pub(crate) fn abandon(&mut self, page: usize) {
        if let Some(connection) = self.pages[page].connection.take() {
            let late = if self.chance.one_in(4) { self.chance.wait(0, 45_000) } else { self.chance.wait(0, 300) };
            self.cut(connection, late);
        }
    }

    /// The network loses a connection; neither end may know for a while.
    pub(crate) fn lose(&mut self, page: usize) {
        let Some(connection) = self.pages[page].connection else { return };
        let (page_late, daemon_late) = if self.calm { (1, 1) } else { (45_000, 45_000) };
        let late = self.chance.wait(0, daemon_late);
        self.cut(connection, late);
        let noticed = self.chance.wait(0, page_late);
        self.after(noticed, Happening::Closed(connection, None));
    }

    fn cut(&mut self, connection: ConnectionId, late: Duration) {
        let (up, down) = (self.chance.wait(0, 200), self.chance.wait(0, 200));
        if let Some(pipe) = self.pipes.get_mut(&connection) {
            pipe.up_until = pipe.up_until.min(self.now + up);
            pipe.down_until = pipe.down_until.min(self.now + down);
        }
        self.after(late, Happening::Gone(connection));
    }

    fn come_back(&mut self, page: usize) {
        let attempt = self.pages[page].attempt;
        let base = [0, 300, 1200, 2700, 4800, 7000][attempt.min(5)];
        let jitter = self.chance.wait(base * 3 / 4, base * 5 / 4 + 1);
        self.pages[page].attempt += 1;
        self.pages[page].state = State::Returning;
        self.pages[page].connection = None;
        self.after(jitter, Happening::Connect(page));
    }

    fn trouble(&mut self) {
        if self.calm {
            return;
        }
        match self.chance.below(8) {
            0 => self.stop(),
            1 => self.kill(),
            2 | 3 => {
                self.records.out = true;
                let outage = self.chance.wait(100, 90_000);
                self.after(outage, Happening::OutageOver);
            }
            // The box was asleep: every timer that is due comes at once.
            4 => {
                let asleep = self.chance.wait(1_000, 120_000);
                self.sleep(self.now + asleep);
            }
            _ => {
                for page in 0..self.pages.len() {
                    if self.chance.one_in(3) {
                        self.lose(page);
                    }
                }
            }
        }
        let next = self.chance.wait(2_000, 30_000);
        self.after(next, Happening::Trouble);
    }

    /// SIGTERM: everybody is told, everything is written that can be.
    fn stop(&mut self) {
        if self.up {
            self.registry.handle_shutdown(self.instant());
            self.settle();
            self.records.flush(self.now);
            self.die();
        }
    }

    /// SIGKILL.
    fn kill(&mut self) {
        if self.up {
            let open: Vec<_> = self.pipes.keys().copied().collect();
            for connection in open {
                let noticed = self.chance.wait(0, 2_000);
                self.cut(connection, Duration::ZERO);
                self.after(noticed, Happening::Closed(connection, None));
            }
            self.die();
        }
    }

    fn die(&mut self) {
        self.up = false;
        self.registry = Registry::new(self.limits());
        self.records.crash();
        self.witness.crashed(&self.records);
        let back = self.chance.wait(200, 5_000);
        self.after(back, Happening::Start);
    }

    fn calm_down(&mut self) {
        self.calm = true;
        self.end = self.now + QUIET;
        self.up = true;
        self.records.out = false;
    }

    fn up(&mut self, connection: ConnectionId, happening: Happening) {
        let delay = self.delay();
        let Some(pipe) = self.pipes.get_mut(&connection) else { return };
        pipe.up_last = (self.now + delay).max(pipe.up_last);
        let at = pipe.up_last;
        if at <= pipe.up_until {
            self.at(at, happening);
        }
    }

    fn down(&mut self, connection: ConnectionId, happening: Happening) {
        let delay = self.delay();
        let Some(pipe) = self.pipes.get_mut(&connection) else { return };
        pipe.down_last = (self.now + delay).max(pipe.down_last);
        let at = pipe.down_last;
        if at <= pipe.down_until {
            self.at(at, happening);
        }
    }

    /// Mostly a LAN, at times a bad mobile network.
    fn delay(&mut self) -> Duration {
        match self.chance.one_in(20) && !self.calm {
            true => self.chance.wait(200, 3_000),
            false => self.chance.wait(1, 60),
        }
    }

    fn at(&mut self, at: Duration, happening: Happening) {
        self.sequence += 1;
        self.queue.push(Reverse(Scheduled(at, self.sequence, happening)));
    }

    fn page_of(&self, connection: ConnectionId) -> Option<usize> {
        let page = self.pipes.get(&connection)?.page;
        (self.pages[page].connection == Some(connection)).then_some(page)
    }

    pub(crate) fn me(&self, page: usize) -> ParticipantId {
        self.people[self.pages[page].person].participant.participant_id
    }

    fn instant(&self) -> Instant {
        self.started + self.now
    }
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        (self.0, self.1) == (other.0, other.1)
    }
}

impl Eq for Scheduled {}

impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scheduled {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0, self.1).cmp(&(other.0, other.1))
    }
}

const CHAOS: Duration = Duration::from_secs(120);
/// A minute to find each other again, after what is still on its way: a socket nobody noticed the loss of, and the grace without staff.
const QUIET: Duration = Duration::from_secs(45 + 30 + 60);
