//! One thread's loop: wait, receive a batch, route each datagram, send what came of it.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mio::event::Event;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};

use super::listeners::Listeners;
use super::parting::Parting;
use super::ports::Ports;
use super::ready::Ready;
use super::stream::READ_CHUNK;
use super::streams::Streams;
use super::udp::{self, Arrival, BATCH, Batch, Departure, Sender};
use super::{Change, Command, NewStream};
use crate::proto::stun::Packet;
use crate::proto::turn::{
    AllocationId, ClientAddr, Counters, Effect, FiveTuple, Now, PeerAddr, RelayAddr, Route, Server, Transport,
};

/// What a shard is made of.
pub(super) struct Make {
    pub(super) server: Server,
    pub(super) listeners: Listeners,
    pub(super) ports: Ports,
    pub(super) max_delay: Duration,
    /// How long the port of a relayed address that is over is kept from others.
    pub(super) linger: Duration,
}

/// A shard at work.
pub(super) struct Shard {
    server: Server,
    ports: Ports,
    max_delay: Duration,
    poll: Poll,
    commands: mpsc::Receiver<Command>,
    listeners: Vec<UdpSocket>,
    addresses: Vec<SocketAddr>,
    /// By [`AllocationId::index`].
    relays: Vec<Option<RelaySocket>>,
    parting: Parting,
    streams: Streams,
    /// What streams are read into.
    chunk: Vec<u8>,
    swept: Instant,
    batch: Batch,
    departures: Vec<Departure>,
    sender: Sender,
    ready: Ready,
    stopped: bool,
}

struct RelaySocket {
    allocation: AllocationId,
    socket: UdpSocket,
}

/// What a token stands for.
enum Socket {
    Listener(usize),
    Relay(usize),
    Stream(usize),
}

impl Shard {
    /// What one thread will run.
    ///
    /// # Errors
    /// The system has no more of what waiting takes.
    pub(super) fn new(make: Make, commands: mpsc::Receiver<Command>) -> io::Result<(Self, Waker)> {
        let Make { server, listeners, ports, max_delay, linger } = make;
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        for (token, listener) in listeners.iter().enumerate() {
            poll.registry().register(&mut SourceFd(&listener.as_raw_fd()), Token(token), Interest::READABLE)?;
        }
        let addresses = listeners.iter().map(UdpSocket::local_addr).collect::<io::Result<Vec<_>>>()?;
        let shard = Self {
            server,
            ports,
            max_delay,
            poll,
            commands,
            listeners,
            addresses,
            relays: Vec::new(),
            parting: Parting::new(linger),
            streams: Streams::default(),
            chunk: vec![0; READ_CHUNK],
            swept: Instant::now(),
            batch: Batch::new(),
            departures: Vec::with_capacity(BATCH),
            sender: Sender::new(),
            ready: Ready::default(),
            stopped: false,
        };
        Ok((shard, waker))
    }

    /// Runs until it is told to stop.
    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS);
        let mut woken = Instant::now();
        while !self.stopped {
            if let Err(cause) = self.poll.poll(&mut events, self.patience()) {
                if cause.kind() != io::ErrorKind::Interrupted {
                    log::error!(event = "relay_poll", cause:% = cause; "the relay cannot wait for its sockets");
                    std::thread::sleep(POLL_PAUSE);
                }
                continue;
            }
            for event in &events {
                if event.token() == WAKER {
                    self.obey();
                } else {
                    self.note(event);
                }
            }
            let begun = Instant::now();
            let relayed = self.turn();
            let interval = woken.elapsed();
            if self.ready.is_empty() && (1..BATCH).contains(&relayed) && interval < 2 * self.max_delay {
                // Busy, but each wake-up found little: let packets gather, since the wake-up is what costs. The delay is from one turn's
                // beginning to the next one's, so that what a turn takes adds to nobody's wait.
                std::thread::sleep(self.max_delay.saturating_sub(begun.elapsed()));
            }
            woken += interval;
        }
    }

    fn note(&mut self, event: &Event) {
        match self.socket_by(event.token()) {
            Socket::Stream(place) if event.is_read_closed() => self.streams.ending(place),
            Socket::Relay(place) if event.is_error() => self.read_errors(place),
            _ => {}
        }
        self.ready.push(event.token().0);
    }

    /// Listeners come first, then relay sockets and streams in turns, by their places.
    const fn socket_by(&self, Token(token): Token) -> Socket {
        match token.checked_sub(self.listeners.len()) {
            None => Socket::Listener(token),
            Some(place) if place.is_multiple_of(2) => Socket::Relay(place / 2),
            Some(place) => Socket::Stream(place / 2),
        }
    }

    /// How long nothing need be done.
    fn patience(&self) -> Option<Duration> {
        if !self.ready.is_empty() {
            return Some(Duration::ZERO);
        }
        let sweep = (!self.streams.is_empty()).then(|| self.swept + SWEEP);
        let next = self.server.poll_timeout().into_iter().chain(sweep).chain(self.parting.next()).min();
        next.map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// What waits at each socket that has something, gathered and sent together; how many datagrams were relayed.
    fn turn(&mut self) -> usize {
        let (mut relayed, now) = (0, now());
        for _ in 0..self.ready.len() {
            let Some(token) = self.ready.pop() else { break };
            let (more, received) = match self.socket_by(Token(token)) {
                Socket::Listener(index) => self.read_listener(now, index),
                Socket::Relay(place) => self.read_relay(now, place),
                Socket::Stream(place) => self.read_stream(now, place),
            };
            relayed += received;
            if more {
                self.ready.push(token);
            }
            if self.batch.is_full() {
                self.send();
            }
        }
        self.send();
        self.server.handle_timeout(now.instant);
        self.sweep(now.instant);
        self.parting.close(now.instant);
        self.flush_streams();
        self.carry_out();
        relayed
    }

    fn read_listener(&mut self, now: Now, index: usize) -> (bool, usize) {
        let before = self.batch.len();
        let Ok(received) = self.batch.receive(&self.listeners[index]) else { return (false, 0) };
        // A batch that is not full has emptied the socket; the next datagram is a new event.
        let more = self.batch.is_full();
        let bound = self.addresses[index];
        self.route(before, |server, arrival, packet| {
            let reached = SocketAddr::new(arrival.reached.unwrap_or(bound.ip()), bound.port());
            let tuple = FiveTuple { client: ClientAddr(arrival.source), server: reached, transport: Transport::Udp };
            server.handle_client(now, tuple, packet)
        });
        (more, received)
    }

    fn read_relay(&mut self, now: Now, place: usize) -> (bool, usize) {
        let Some(Some(relay)) = self.relays.get(place) else { return (false, 0) };
        let before = self.batch.len();
        let Ok(received) = self.batch.receive(&relay.socket) else { return (false, 0) };
        let (allocation, more) = (relay.allocation, self.batch.is_full());
        self.route(before, |server, arrival, packet| {
            server.handle_peer(now.instant, allocation, PeerAddr(arrival.source), packet)
        });
        (more, received)
    }

    /// Tells a client what ICMP said of what it sent.
    fn read_errors(&mut self, place: usize) {
        let Some(Some(RelaySocket { allocation, socket })) = self.relays.get(place) else { return };
        let now = Instant::now();
        udp::read_errors(socket, |peer, icmp| self.server.handle_icmp(now, *allocation, PeerAddr(peer), icmp));
    }

    /// Routes what the batch holds from `first` on. Answers leave at once; what is relayed leaves with the rest of the turn.
    fn route(&mut self, first: usize, decide: impl Fn(&mut Server, Arrival, &mut Packet<'_>) -> Route) {
        for index in first..self.batch.len() {
            let Some((arrival, mut packet)) = self.batch.datagram(index) else { continue };
            let route = decide(&mut self.server, arrival, &mut packet);
            let bytes = packet.range();
            self.depart(route, bytes);
        }
        self.carry_out();
    }

    /// Sends what the turn has gathered.
    fn send(&mut self) {
        self.sender.send(&mut self.departures, self.batch.arena());
        self.batch.clear();
    }

    /// Frames of a stream take the same way as datagrams, and no more of them than the batch has room for.
    fn read_stream(&mut self, now: Now, place: usize) -> (bool, usize) {
        let Some(stream) = self.streams.get_mut(place) else { return (false, 0) };
        let tuple = stream.tuple;
        let filled = if stream.holds_frame() { Ok(true) } else { stream.fill(&mut self.chunk) };
        let before = self.batch.len();
        let framed = stream.take_frames(|frame| self.batch.place(tuple.client.0, frame));
        let (whole, held) = (stream.holds_frame(), stream.held());
        let received = self.batch.len() - before;
        self.route(before, |server, _, packet| server.handle_client(now, tuple, packet));
        // A stream that became writable has an event too, and may have waited for it.
        self.streams.note(place);
        let greedy = !whole && held > STRANGER_HELD_MAX && !self.server.has_allocation(tuple);
        match framed.and(filled) {
            Ok(more) if !greedy => (more || whole, received),
            _ => {
                self.drop_stream(place);
                (false, received)
            }
        }
    }

    fn drop_stream(&mut self, place: usize) {
        if let Some(tuple) = self.streams.remove(place, self.poll.registry()) {
            self.server.handle_disconnected(tuple);
        }
    }

    /// Drops the streams that hold a place for nothing.
    fn sweep(&mut self, now: Instant) {
        if now < self.swept + SWEEP {
            return;
        }
        self.swept = now;
        for place in self.streams.idle(now, |tuple| self.server.has_allocation(tuple)) {
            self.drop_stream(place);
        }
    }

    fn depart(&mut self, route: Route, bytes: std::ops::Range<usize>) {
        let departure = match route {
            Route::Peer(allocation, PeerAddr(to)) => self.socket_of(allocation).map(|socket| (socket, to, None)),
            Route::PeerUnfragmented(allocation, PeerAddr(to)) => {
                // What was gathered before leaves before.
                self.sender.send(&mut self.departures, self.batch.arena());
                if let Some(socket) = self.socket_of(allocation) {
                    udp::send_unfragmented(socket, to, self.batch.bytes(bytes.clone()));
                }
                None
            }
            Route::Client(tuple) if tuple.transport != Transport::Udp => {
                self.streams.push(tuple, self.batch.bytes(bytes.clone()));
                None
            }
            Route::Client(tuple) => self.socket_to(tuple).map(|socket| (socket, tuple.client.0, Some(tuple.server.ip()))),
            Route::Handled | Route::Dropped(_) => None,
        };
        self.departures.extend(departure.map(|(socket, to, from)| Departure { socket, to, from, bytes }));
    }

    fn socket_of(&self, allocation: AllocationId) -> Option<i32> {
        let relay = self.relays.get(allocation.index())?.as_ref()?;
        (relay.allocation == allocation).then(|| relay.socket.as_raw_fd())
    }

    /// The listener that a client reached.
    fn socket_to(&self, tuple: FiveTuple) -> Option<i32> {
        let serves = |bound: &SocketAddr| {
            let address =
                bound.ip() == tuple.server.ip() || (bound.ip().is_unspecified() && bound.is_ipv4() == tuple.server.is_ipv4());
            bound.port() == tuple.server.port() && address
        };
        let index = self.addresses.iter().position(serves)?;
        Some(self.listeners[index].as_raw_fd())
    }

    fn carry_out(&mut self) {
        // Carrying an effect out may bring new ones: a bound address is told to its client.
        while let Some(effect) = self.server.poll_effect() {
            self.carry_out_one(effect);
        }
    }

    /// One write for all that waits at a stream.
    fn flush_streams(&mut self) {
        while let Some(place) = self.streams.next_dirty() {
            if self.streams.get_mut(place).is_some_and(|stream| stream.flush().is_err()) {
                self.drop_stream(place);
            }
        }
    }

    fn carry_out_one(&mut self, effect: Effect) {
        match effect {
            Effect::Reply { to, message } if to.transport != Transport::Udp => self.streams.push(to, &message),
            Effect::Reply { to, message } => {
                if let Some(socket) = self.socket_to(to) {
                    udp::send_one(socket, to.client.0, Some(to.server.ip()), &message);
                }
            }
            Effect::Bind { allocation, family, reached, even } => {
                let bound = self.ports.bind(family, reached, even).and_then(|bound| self.open(allocation, bound));
                self.server.handle_bound(allocation, had(bound));
            }
            Effect::BindPair { allocation, reserved, family, reached } => {
                let bound = had(self.ports.bind_pair(family, reached).and_then(|(even, odd)| {
                    let odd = self.open(reserved, odd)?;
                    let even = self.open(allocation, even).inspect_err(|_| self.close(reserved))?;
                    Ok((even, odd))
                }));
                self.server.handle_bound(reserved, bound.map(|(_, odd)| odd));
                self.server.handle_bound(allocation, bound.map(|(even, _)| even));
            }
            Effect::Release { allocation } => {
                // Departures name sockets by number, which the next socket may get.
                self.send();
                self.close(allocation);
            }
        }
    }

    fn open(&mut self, allocation: AllocationId, (socket, address): (UdpSocket, RelayAddr)) -> io::Result<RelayAddr> {
        let place = allocation.index();
        let token = Token(self.listeners.len() + 2 * place);
        self.poll.registry().register(&mut SourceFd(&socket.as_raw_fd()), token, Interest::READABLE)?;
        if self.relays.len() <= place {
            self.relays.resize_with(place + 1, || None);
        }
        self.relays[place] = Some(RelaySocket { allocation, socket });
        log::debug!(event = "allocated", relay:% = address.0; "a relayed address stands");
        Ok(address)
    }

    fn close(&mut self, allocation: AllocationId) {
        let Some(relay) = self.relays.get_mut(allocation.index()).and_then(Option::take) else { return };
        if let Err(cause) = self.poll.registry().deregister(&mut SourceFd(&relay.socket.as_raw_fd())) {
            log::error!(event = "relay_poll", cause:% = cause; "a closed socket could not be taken off the list");
        }
        self.parting.part(Instant::now(), relay.socket);
    }

    fn adopt(&mut self, stream: NewStream) {
        let first = self.listeners.len();
        let token = |place| Token(first + 2 * place + 1);
        if let Some(before) = self.streams.place_of_same(&stream) {
            // The client came back from the same port before its old stream was heard to end.
            self.drop_stream(before);
        }
        match self.streams.adopt(stream, Instant::now(), self.poll.registry(), token) {
            // What its client has said already, the socket will never announce again.
            Ok(Token(token)) => self.ready.push(token),
            Err(cause) => log::debug!(event = "stream_lost", cause:% = cause; "a stream was gone before it was served"),
        }
    }

    /// What the server counted, and what was lost after it.
    fn counters(&self) -> Counters {
        let mut counters = self.server.counters();
        (counters.fallen_out, counters.refused) = (self.streams.fallen_out(), self.sender.refused());
        counters
    }

    fn obey(&mut self) {
        while let Ok(command) = self.commands.try_recv() {
            match command {
                Command::Adopt(stream) => self.adopt(*stream),
                Command::RevokeRoom(at, room) => self.server.revoke_room(Now { unix: at, ..now() }, room),
                Command::RevokeSeat(at, room, participant) => {
                    self.server.revoke_seat(Now { unix: at, ..now() }, room, participant)
                }
                Command::Reconfigure(change) => {
                    let Change { policy, limits, shared, external, own } = *change;
                    self.server.handle_reconfigured(policy, limits, shared);
                    (self.ports.external, self.ports.own) = (external, own);
                }
                Command::Move(addresses, networks) => {
                    let own = addresses.iter().chain(&self.ports.external).copied().collect();
                    self.server.handle_moved(own, networks);
                    self.ports.own = addresses;
                }
                // Whoever asked may have gone.
                Command::Count(answer) => drop(answer.send(self.counters())),
                Command::Stop => self.stopped = true,
            }
        }
    }
}

/// What was bound; the log tells why nothing was.
fn had<T>(bound: io::Result<T>) -> Option<T> {
    bound.inspect_err(|cause| log::warn!(event = "no_relay_port", cause:% = cause; "a relayed address could not be had")).ok()
}

fn now() -> Now {
    Now { instant: Instant::now(), unix: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() }
}

const WAKER: Token = Token(usize::MAX);
/// How often streams without an allocation are looked for.
const SWEEP: Duration = Duration::from_secs(5);
/// Bytes of an unfinished frame that are kept for a client without an allocation: no request is longer.
const STRANGER_HELD_MAX: usize = 2048;
const EVENTS: usize = 256;
const POLL_PAUSE: Duration = Duration::from_millis(100);
