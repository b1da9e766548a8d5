//! The load: packets that leave by an absolute schedule, and an account of those that arrive. One thread that never sleeps, so that
//! neither its timers nor its wake-ups are in what it measures.

use std::time::{Duration, Instant};

use anyhow::Result;
use mio::{Events, Poll, Token};

use crate::endpoint::Endpoint;
use crate::frame::{Frame, Stamp};

/// Who sends what; to whom, its socket knows.
pub(crate) struct Flow {
    /// Which endpoint sends.
    pub(crate) from: usize,
    pub(crate) frame: Frame,
}

/// When the next burst leaves; the flows take turns.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// So long after the one before.
    Every(Duration),
    /// As soon as it can.
    Flood,
}

/// Sockets, and who sends on them.
pub(crate) struct Generator {
    poll: Poll,
    events: Events,
    endpoints: Vec<Endpoint>,
    flows: Vec<Flow>,
    clock: Instant,
    runs: u32,
}

/// What became of a run's packets.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) sent: u64,
    /// Nanoseconds on the way, of every packet that arrived.
    pub(crate) delays: Vec<u32>,
    /// From the first packet that was sent to the last that arrived.
    pub(crate) elapsed: Duration,
}

impl Generator {
    pub(crate) fn new(endpoints: Vec<Endpoint>, flows: Vec<Flow>) -> Result<Self> {
        let poll = Poll::new()?;
        for (index, endpoint) in endpoints.iter().enumerate() {
            endpoint.register(poll.registry(), Token(index))?;
        }
        Ok(Self { poll, events: Events::with_capacity(1024), endpoints, flows, clock: Instant::now(), runs: 0 })
    }

    /// Sends bursts of `burst` packets for `length`, and waits for what is still on its way.
    pub(crate) fn run(&mut self, pace: Pace, burst: u32, length: Duration) -> Result<Tally> {
        self.runs += 1;
        let mut tally = Tally::default();
        let begun = Instant::now();
        let mut bursts: u32 = 0;
        while begun.elapsed() < length {
            for _ in 0..CATCH_UP {
                let due = match pace {
                    Pace::Every(gap) => begun.elapsed() >= gap * bursts,
                    Pace::Flood => true,
                };
                if !due {
                    break;
                }
                self.send(bursts as usize, burst, &mut tally)?;
                bursts += 1;
            }
            self.receive(&mut tally)?;
        }
        let (mut arrived, mut quiet) = (tally.delays.len(), Instant::now());
        while quiet.elapsed() < QUIET && (tally.delays.len() as u64) < tally.sent {
            self.receive(&mut tally)?;
            if tally.delays.len() > arrived {
                (arrived, quiet) = (tally.delays.len(), Instant::now());
            }
        }
        tally.elapsed = quiet.duration_since(begun);
        Ok(tally)
    }

    fn send(&mut self, turn: usize, burst: u32, tally: &mut Tally) -> Result<()> {
        let turn = turn % self.flows.len();
        let flow = &mut self.flows[turn];
        let endpoint = &mut self.endpoints[flow.from];
        for _ in 0..burst {
            let stamp = Stamp { sent: nanos(self.clock), run: self.runs };
            endpoint.send(flow.frame.stamped(stamp))?;
        }
        tally.sent += u64::from(burst);
        Ok(())
    }

    fn receive(&mut self, tally: &mut Tally) -> Result<()> {
        self.poll.poll(&mut self.events, Some(Duration::ZERO))?;
        for event in &self.events {
            let (clock, run) = (self.clock, self.runs);
            self.endpoints[event.token().0].receive_all(|stamp| {
                if stamp.run == run {
                    let delay = nanos(clock).saturating_sub(stamp.sent);
                    tally.delays.push(u32::try_from(delay).unwrap_or(u32::MAX));
                }
            })?;
        }
        Ok(())
    }
}

fn nanos(clock: Instant) -> u64 {
    u64::try_from(clock.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Bursts that may leave at once after the generator was held up, before it looks at what arrived.
const CATCH_UP: usize = 16;
/// Nothing stays in a relay for so long.
const QUIET: Duration = Duration::from_millis(100);
