//! The task that owns every live room.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::outbox::{Outbox, outbox};
use super::{Command, Config, RoomEvent, RoomEventKind};
use crate::proto::id::{ConnectionId, LoginId};
use crate::proto::room::{Effect, Limits, Registry};
use crate::proto::signal::CloseCode;
use crate::sys::entropy;

pub(super) struct Hub {
    registry: Registry,
    sockets: HashMap<ConnectionId, Socket>,
    outbox_bytes_max: usize,
    events: mpsc::Sender<RoomEvent>,
}

struct Socket {
    outbox: Outbox,
    login: LoginId,
    source: Option<IpAddr>,
}

impl Hub {
    pub(super) fn new(config: &Config, events: mpsc::Sender<RoomEvent>) -> Self {
        Self {
            registry: Registry::new(limits(config)),
            sockets: HashMap::new(),
            outbox_bytes_max: config.outbox_bytes_max,
            events,
        }
    }

    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut running = true;
        while running {
            let timeout = self.registry.poll_timeout().map(Instant::from_std);
            let timer = async {
                match timeout {
                    Some(timeout) => tokio::time::sleep_until(timeout).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                command = commands.recv() => match command {
                    None | Some(Command::Shutdown) => {
                        running = false;
                        self.registry.handle_shutdown(now());
                    }
                    Some(command) => self.handle(command),
                },
                () = timer => self.registry.handle_timeout(now()),
            }
            self.carry_out();
        }
    }

    fn handle(&mut self, command: Command) {
        let now = now();
        match command {
            Command::Open { room, member, reply } => {
                let connection = ConnectionId::from_random(entropy::random());
                let (outbox, inbox) = outbox(self.outbox_bytes_max);
                if reply.send((connection, inbox)).is_ok() {
                    self.sockets.insert(connection, Socket { outbox, login: member.login, source: member.source });
                    self.registry.handle_open(now, room, connection, member.participant, member.entry);
                }
            }
            Command::Said { connection, message: Ok(message) } => {
                self.registry.handle_message(now, connection, message, entropy::random());
            }
            Command::Said { connection, message: Err(code) } => self.registry.handle_refused(now, connection, code),
            Command::Closed { connection } => {
                self.sockets.remove(&connection);
                self.registry.handle_close(now, connection);
            }
            Command::Remove { room, participant } => self.registry.handle_remove(now, room, participant),
            Command::Logins { reply } => {
                let logins: HashSet<_> = self.sockets.values().map(|socket| socket.login).collect();
                let _ = reply.send(logins.into_iter().collect());
            }
            Command::Census { reply } => drop(reply.send(self.registry.census())),
            Command::EndRoom { room, reason } => self.registry.handle_end(now, room, reason),
            Command::CloseLogin { login } => {
                let of_login = self.sockets.iter().filter(|(_, socket)| socket.login == login);
                let connections: Vec<_> = of_login.map(|(connection, _)| *connection).collect();
                for connection in connections {
                    self.registry.handle_sign_out(now, connection);
                }
            }
            Command::Admits { room, participant, entry, reply } => {
                let _ = reply.send(self.registry.admits(room, &participant, entry));
            }
            Command::Reconfigure(config) => {
                self.registry.set_limits(limits(&config));
                self.outbox_bytes_max = config.outbox_bytes_max;
            }
            Command::Shutdown => {}
        }
    }

    /// Carrying an effect out may bring new ones: a slow reader's seat is told to the others. What happens in one turn happens at one
    /// time, by which the records tell who left because the room ended.
    fn carry_out(&mut self) {
        let at = SystemTime::now();
        while let Some((room, effect)) = self.registry.poll_effect() {
            match effect {
                Effect::Send(connection, message) => {
                    let overflow = self.sockets.get(&connection).is_some_and(|socket| socket.outbox.push(&message).is_err());
                    if overflow {
                        log::info!(event = "slow_reader", room:% = room; "a socket that reads too slowly is closed");
                        self.close(connection, CloseCode::TryAgainLater);
                        self.registry.handle_close(now(), connection);
                    }
                }
                Effect::Close(connection, code) => self.close(connection, code),
                Effect::Event(kind) => self.report(RoomEvent { room, at, kind, source: self.source_of(kind) }),
            }
        }
    }

    fn close(&mut self, connection: ConnectionId, code: CloseCode) {
        if let Some(socket) = self.sockets.remove(&connection) {
            socket.outbox.close(code);
        }
    }

    fn source_of(&self, kind: RoomEventKind) -> Option<IpAddr> {
        let (RoomEventKind::Joined { connection, .. } | RoomEventKind::Resumed { connection, .. }) = kind else { return None };
        self.sockets.get(&connection).and_then(|socket| socket.source)
    }

    fn report(&self, event: RoomEvent) {
        if let Err(cause) = self.events.try_send(event) {
            log::error!(event = "records_behind", room:% = event.room, cause:% = cause; "what happened in a room was not written down");
        }
    }
}

fn limits(config: &Config) -> Limits {
    Limits {
        participants_max: config.participants_max,
        reconnect_grace: config.reconnect_grace,
        unattended_grace: config.unattended_grace,
        lobby: config.lobby,
        join_timeout: JOIN_TIMEOUT,
        refused_messages_max: config.refused_messages_max,
    }
}

/// Tokio's clock, so that tests can stop it.
fn now() -> std::time::Instant {
    Instant::now().into_std()
}

const JOIN_TIMEOUT: Duration = Duration::from_secs(10);
