//! The loads, and what is read off the server under each.

use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::client::{self, Ask, Client, Transport};
use crate::endpoint::Endpoint;
use crate::frame::{Carriage, Frame};
use crate::generator::{Flow, Generator, Pace, Tally};
use crate::server::{Launch, Product, Server};

/// One load by its name.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    kind: Kind,
}

/// How much of it.
pub(crate) struct Effort {
    pub(crate) length: Duration,
    pub(crate) quick: bool,
}

/// What one run of one server showed.
pub(crate) struct Figures {
    /// Name and value, in the order they are shown.
    pub(crate) rows: Vec<(&'static str, f64)>,
    /// Share of the server's core that others took.
    pub(crate) others: f64,
}

enum Kind {
    Relay(Load),
    /// Allocations made and freed.
    Allocate,
    /// Allocations that stand, each with a channel.
    Memory,
}

#[derive(Clone, Copy)]
struct Load {
    allocations: usize,
    /// Allocations beside them that do nothing.
    idle: usize,
    /// Packets a second of each flow; `None`: as many as it can.
    rate: Option<u32>,
    payload: usize,
    /// Packets that leave together.
    burst: u32,
    transport: Transport,
    carriage: Carriage,
    ways: Ways,
}

/// Which flows there are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ways {
    Both,
    /// Client to peer.
    Up,
    /// Peer to client.
    Down,
    /// Each client to another one's relayed address.
    Hairpin,
}

impl Scenario {
    /// Starts a server, loads it and ends it.
    pub(crate) fn run(&self, launch: &Launch, product: Product, effort: &Effort) -> Result<Figures> {
        let mut server = launch.start(product)?;
        let begun = Instant::now();
        let (core, own) = (launch.core.busy(), server.processor_time()?);
        let rows = match &self.kind {
            Kind::Relay(load) => load.run(&server, effort),
            Kind::Allocate => allocate(&server, effort),
            Kind::Memory => memory(&server, effort),
        };
        let rows = rows.with_context(|| server.last_words())?;
        let own = server.processor_time()?.saturating_sub(own);
        let others = launch.core.busy().saturating_sub(core).saturating_sub(own);
        Ok(Figures { rows, others: others.as_secs_f64() / begun.elapsed().as_secs_f64() })
    }
}

impl Load {
    fn run(&self, server: &Server, effort: &Effort) -> Result<Vec<(&'static str, f64)>> {
        let idle = if effort.quick { self.idle / 10 } else { self.idle };
        let _idle = client::allocate(server, Transport::Udp, idle)?;
        let (mut generator, flows) = self.generator(server)?;
        let pace = self.rate.map_or(Pace::Flood, |rate| Pace::Every(Duration::from_secs(1) * self.burst / (rate * flows)));
        generator.run(pace, self.burst, WARM_UP)?;
        let before = server.processor_time()?;
        let tally = generator.run(pace, self.burst, effort.length)?;
        let used = server.processor_time()?.saturating_sub(before);
        self.rows(tally, used)
    }

    /// The generator, and how many flows it has.
    fn generator(&self, server: &Server) -> Result<(Generator, u32)> {
        let mut clients = client::allocate(server, self.transport, self.allocations)?;
        let relayed = clients.iter().map(Client::relayed).collect::<Result<Vec<_>>>()?;
        let mut peers = Vec::new();
        let addresses = match self.ways {
            // Two and two talk to each other.
            Ways::Hairpin => (0..self.allocations).map(|index| relayed[index ^ 1]).collect(),
            Ways::Both | Ways::Up | Ways::Down => {
                let (endpoints, addresses): (Vec<_>, Vec<_>) =
                    relayed.iter().map(|relayed| Endpoint::peer(*relayed)).collect::<Result<Vec<_>>>()?.into_iter().unzip();
                peers = endpoints;
                addresses
            }
        };
        client::ask_all(&mut clients, |index| match self.carriage {
            Carriage::Channel => Ask::BindChannel(addresses[index]),
            Carriage::Indication => Ask::Permit(addresses[index]),
        })?;
        let mut flows = Vec::new();
        for (index, address) in addresses.into_iter().enumerate() {
            if self.ways != Ways::Down {
                let frame = Frame::carried(self.carriage, address, self.payload)?;
                flows.push(Flow { from: index, frame });
            }
            if matches!(self.ways, Ways::Both | Ways::Down) {
                flows.push(Flow { from: self.allocations + index, frame: Frame::bare(self.payload) });
            }
        }
        let endpoints = clients.into_iter().map(|client| Endpoint::client(client.link));
        let endpoints = endpoints.chain(peers.into_iter().map(Ok)).collect::<Result<Vec<_>>>()?;
        let count = u32::try_from(flows.len())?;
        Ok((Generator::new(endpoints, flows)?, count))
    }

    fn rows(&self, tally: Tally, used: Duration) -> Result<Vec<(&'static str, f64)>> {
        let Tally { sent, mut delays, elapsed } = tally;
        ensure!(!delays.is_empty(), "nothing was relayed");
        delays.sort_unstable();
        let count = delays.len() as f64;
        let quantile = |share: f64| f64::from(delays[((count - 1.0) * share) as usize]) / 1e6;
        let mut rows = vec![("server CPU a packet, us", used.as_secs_f64() * 1e6 / count)];
        if self.rate.is_none() {
            rows.push(("delivered, kpps", count / elapsed.as_secs_f64() / 1e3));
            rows.push(("server core used, %", 100.0 * used.as_secs_f64() / elapsed.as_secs_f64()));
        }
        rows.push(("delay p50, ms", quantile(0.5)));
        rows.push(("delay p99, ms", quantile(0.99)));
        rows.push(("lost, %", 100.0 * (1.0 - count / sent as f64)));
        Ok(rows)
    }
}

/// Allocations made and freed, as fast as one client program asks; a new socket each, as calls have.
fn allocate(server: &Server, effort: &Effort) -> Result<Vec<(&'static str, f64)>> {
    make_and_free(server, 0)?;
    let (begun, before) = (Instant::now(), server.processor_time()?);
    let mut batches = 0;
    while begun.elapsed() < effort.length {
        batches += 1;
        make_and_free(server, batches)?;
    }
    let used = server.processor_time()?.saturating_sub(before);
    let made = batches as usize * ALLOCATIONS_AT_ONCE;
    Ok(vec![("server CPU an allocation, us", used.as_secs_f64() * 1e6 / made as f64)])
}

/// Each batch has a loopback address of its own: coturn knows a five-tuple for some time after its allocation was freed.
fn make_and_free(server: &Server, batch: u32) -> Result<()> {
    let own = Ipv4Addr::from_bits(Ipv4Addr::new(127, 0, 1, 0).to_bits() + batch);
    let mut clients = client::allocate_from(own.into(), server, Transport::Udp, ALLOCATIONS_AT_ONCE)?;
    client::ask_all(&mut clients, |_| Ask::Free)
}

/// What a standing allocation takes of the server's own memory. The first ones live in what the server's start has left behind, so
/// those after them are counted.
fn memory(server: &Server, effort: &Effort) -> Result<Vec<(&'static str, f64)>> {
    let scale = if effort.quick { 10 } else { 1 };
    let (first, counted) = (STANDING_FIRST / scale, STANDING / scale);
    let _first = standing(server, first)?;
    let before = server.anonymous_bytes()?;
    let _clients = standing(server, counted)?;
    let grown = server.anonymous_bytes()?.saturating_sub(before);
    Ok(vec![("memory an allocation, KB", grown as f64 / 1024.0 / counted as f64)])
}

fn standing(server: &Server, count: usize) -> Result<Vec<Client>> {
    let mut clients = client::allocate(server, Transport::Udp, count)?;
    let peer = UdpSocket::bind("127.0.0.1:0")?.local_addr()?;
    client::ask_all(&mut clients, |_| Ask::BindChannel(peer))?;
    Ok(clients)
}

/// A call of two people in a school: video and audio of about 2.4 Mbit/s each way.
const VIDEO: Load = Load {
    allocations: 50,
    idle: 0,
    rate: Some(250),
    payload: 1200,
    burst: 1,
    transport: Transport::Udp,
    carriage: Carriage::Channel,
    ways: Ways::Both,
};
const SATURATED: Load = Load { rate: None, burst: 8, ..VIDEO };

/// Every scenario, in the order they run.
pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario { name: "even", kind: Kind::Relay(VIDEO) },
    Scenario { name: "bursts", kind: Kind::Relay(Load { burst: 4, ..VIDEO }) },
    Scenario { name: "audio", kind: Kind::Relay(Load { allocations: 200, rate: Some(50), payload: 160, ..VIDEO }) },
    Scenario { name: "indications", kind: Kind::Relay(Load { carriage: Carriage::Indication, ..VIDEO }) },
    Scenario { name: "hairpin", kind: Kind::Relay(Load { ways: Ways::Hairpin, ..VIDEO }) },
    Scenario { name: "tcp", kind: Kind::Relay(Load { transport: Transport::Tcp, ..VIDEO }) },
    Scenario { name: "tls", kind: Kind::Relay(Load { transport: Transport::Tls, ..VIDEO }) },
    Scenario { name: "saturated-up", kind: Kind::Relay(Load { ways: Ways::Up, ..SATURATED }) },
    Scenario { name: "saturated-down", kind: Kind::Relay(Load { ways: Ways::Down, ..SATURATED }) },
    Scenario { name: "idle", kind: Kind::Relay(Load { idle: 5000, ..VIDEO }) },
    Scenario { name: "allocate", kind: Kind::Allocate },
    Scenario { name: "memory", kind: Kind::Memory },
];

/// Until caches and adaptive parts have settled.
const WARM_UP: Duration = Duration::from_millis(300);
const ALLOCATIONS_AT_ONCE: usize = 64;
const STANDING_FIRST: usize = 1000;
const STANDING: usize = 4000;
