//! What is asked of the servers, and what is read off.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt, TryStreamExt, stream};
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::task::{JoinSet, spawn_local};
use tokio_tungstenite::tungstenite::Message;

use crate::page::{Dice, Peer, Seated, Site, Socket, backoff, sent_at};
use crate::people::Person;
use crate::product::Product;
use crate::server::Launch;

/// How much of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    /// Of load.
    pub(crate) length: Duration,
    /// How long idle sockets are held.
    pub(crate) hold: Duration,
    pub(crate) idle_sockets: usize,
    pub(crate) storm_clients: usize,
}

/// A figure; `NaN` where a server has none.
pub(crate) type Rows = Vec<(&'static str, f64)>;

/// One of them.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) rows: &'static [&'static str],
    pub(crate) run: fn(&Launch, Product, &Effort) -> Result<Rows>,
}

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario { name: "start", rows: &["start to ready, ms", "memory at rest, MiB", "program, MiB"], run: start },
    Scenario { name: "idle", rows: &["sockets lost", "memory a socket, KiB", "CPU a socket opened, ms"], run: idle },
    Scenario {
        name: "relay",
        rows: &["asked for, 1/s", "relayed, 1/s", "delay p50, ms", "delay p99, ms", "CPU a message, us"],
        run: relay,
    },
    Scenario {
        name: "saturated",
        rows: &["relayed, 1/s", "delay p50, ms", "delay p99, ms", "CPU a message, us"],
        run: saturated,
    },
    Scenario { name: "storm", rows: &["all back after, s", "half back after, s", "CPU a client, ms"], run: storm },
    Scenario { name: "api", rows: &["answers, 1/s", "p99, ms", "CPU an answer, us"], run: api },
];

fn start(launch: &Launch, product: Product, _: &Effort) -> Result<Rows> {
    let server = launch.start_in_a_crowd(product)?;
    std::thread::sleep(Duration::from_secs(1));
    let program = if product == Product::Visavis { std::fs::metadata(&launch.daemon)?.len() as f64 / MIB } else { f64::NAN };
    Ok(vec![
        ("start to ready, ms", server.started_in.as_secs_f64() * 1e3),
        ("memory at rest, MiB", server.resident_bytes()? as f64 / MIB),
        ("program, MiB", program),
    ])
}

fn idle(launch: &Launch, product: Product, effort: &Effort) -> Result<Rows> {
    let server = launch.start(product)?;
    locally(async {
        let site = Site::new(server.address, &launch.certificate())?;
        let before = server.processor_time()?;
        let (mut held, lost) = (JoinSet::new(), Rc::new(Cell::new(0)));
        let mut hold = async |people: std::ops::Range<usize>| {
            for seated in seat_all(&site, people).await? {
                let lost = Rc::clone(&lost);
                held.spawn_local(async move {
                    let (sink, mut stream) = seated.socket.split();
                    while stream.next().await.is_some_and(|message| message.is_ok()) {}
                    lost.set(lost.get() + 1);
                    drop(sink);
                });
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
            server.anonymous_bytes()
        };
        // The first may live in what the start left behind.
        let first = effort.idle_sockets / 5;
        let some = hold(0..first).await?;
        let all = hold(first..effort.idle_sockets).await?;
        let opened = (server.processor_time()? - before).as_secs_f64() * 1e3 / effort.idle_sockets as f64;
        tokio::time::sleep(effort.hold).await;
        let lost = f64::from(lost.get());
        held.shutdown().await;
        let slope = (all as f64 - some as f64) / (effort.idle_sockets - first) as f64;
        Ok(vec![("sockets lost", lost), ("memory a socket, KiB", slope / 1024.0), ("CPU a socket opened, ms", opened)])
    })
}

fn relay(launch: &Launch, product: Product, effort: &Effort) -> Result<Rows> {
    let server = launch.start(product)?;
    let rate = product.paced_rate();
    locally(async {
        let site = Site::new(server.address, &launch.certificate())?;
        let clock = Instant::now();
        let delays = Rc::new(RefCell::new(Vec::new()));
        let mut hearing = JoinSet::new();
        let mut speakers = Vec::new();
        for (sink, stream, peer) in pairs(&site, RELAY_SOCKETS).await? {
            speakers.push((sink, peer));
            hearing.spawn_local(note_delays(stream, clock, Rc::clone(&delays)));
        }
        let (before, begun) = (server.processor_time()?, Instant::now());
        let mut sent = 0u32;
        while begun.elapsed() < effort.length {
            let due = (begun.elapsed().as_secs_f64() * rate) as u32;
            while sent < due {
                let (sink, peer) = &mut speakers[sent as usize % RELAY_SOCKETS];
                sink.send(peer.offer(clock.elapsed())).await?;
                sent += 1;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let took = begun.elapsed().as_secs_f64();
        tokio::time::sleep(LAST_ARRIVAL).await;
        let used = server.processor_time()? - before;
        hearing.shutdown().await;
        let delays = std::mem::take(&mut *delays.borrow_mut());
        let mut rows = vec![("asked for, 1/s", f64::from(sent) / took)];
        rows.extend(figures(delays, took, used)?);
        Ok(rows)
    })
}

fn saturated(launch: &Launch, product: Product, effort: &Effort) -> Result<Rows> {
    let server = launch.start(product)?;
    locally(async {
        let site = Site::new(server.address, &launch.certificate())?;
        let clock = Instant::now();
        let delays = Rc::new(RefCell::new(Vec::new()));
        let mut talking = JoinSet::new();
        for (mut sink, mut stream, peer) in pairs(&site, SATURATED_SOCKETS).await? {
            let delays = Rc::clone(&delays);
            talking.spawn_local(async move {
                for _ in 0..WINDOW {
                    sink.send(peer.offer(clock.elapsed())).await?;
                }
                // Whatever arrives is answered with another.
                while let Some(message) = stream.next().await {
                    if let Some(sent) = sent_at(&message?) {
                        delays.borrow_mut().push(clock.elapsed() - sent);
                        sink.send(peer.offer(clock.elapsed())).await?;
                    }
                }
                anyhow::Ok(())
            });
        }
        let (before, begun) = (server.processor_time()?, Instant::now());
        delays.borrow_mut().clear();
        tokio::time::sleep(effort.length).await;
        let (took, used) = (begun.elapsed().as_secs_f64(), server.processor_time()? - before);
        let delays = std::mem::take(&mut *delays.borrow_mut());
        talking.shutdown().await;
        figures(delays, took, used)
    })
}

fn storm(launch: &Launch, product: Product, effort: &Effort) -> Result<Rows> {
    let server = launch.start(product)?;
    locally(async {
        let site = Site::new(server.address, &launch.certificate())?;
        let seated = seat_all(&site, 0..effort.storm_clients).await?;
        let killed = Rc::new(Cell::new(Instant::now()));
        let mut clients = JoinSet::new();
        for (n, seated) in seated.into_iter().enumerate() {
            let (site, killed) = (site.clone(), Rc::clone(&killed));
            clients.spawn_local(async move { come_back(n, seated, &site).await.map(|seated| (killed.get().elapsed(), seated)) });
        }
        let (product, address) = (server.product, server.address);
        killed.set(Instant::now());
        server.kill();
        let restarted = launch.restart(product, address)?;
        let mut back = Vec::new();
        // They stay until everybody is back.
        let mut staying = Vec::new();
        while let Some(client) = tokio::time::timeout(BACK_MAX, clients.join_next()).await.context("some do not come back")? {
            let (after, seated) = client??;
            back.push(after);
            staying.push(seated);
        }
        back.sort_unstable();
        let used = restarted.processor_time()?.as_secs_f64() * 1e3 / back.len() as f64;
        let at = |n: usize| back[n].as_secs_f64();
        Ok(vec![
            ("all back after, s", at(back.len() - 1)),
            ("half back after, s", at(back.len() / 2)),
            ("CPU a client, ms", used),
        ])
    })
}

fn api(launch: &Launch, product: Product, effort: &Effort) -> Result<Rows> {
    if product == Product::Node {
        return Ok(Vec::new());
    }
    let server = launch.start(product)?;
    locally(async {
        let site = Site::new(server.address, &launch.certificate())?;
        let delays = Rc::new(RefCell::new(Vec::new()));
        let mut asking = JoinSet::new();
        let (before, begun) = (server.processor_time()?, Instant::now());
        for n in 0..API_CONNECTIONS {
            let (site, delays, length) = (site.clone(), Rc::clone(&delays), effort.length);
            asking.spawn_local(async move { ask(&site, &Person::numbered(n), begun + length, &delays).await });
        }
        while let Some(asked) = asking.join_next().await {
            asked??;
        }
        let (took, used) = (begun.elapsed().as_secs_f64(), server.processor_time()? - before);
        let mut delays = std::mem::take(&mut *delays.borrow_mut());
        if delays.is_empty() {
            bail!("no answer");
        }
        delays.sort_unstable();
        Ok(vec![
            ("answers, 1/s", delays.len() as f64 / took),
            ("p99, ms", percentile(&delays, 0.99)),
            ("CPU an answer, us", used.as_secs_f64() * 1e6 / delays.len() as f64),
        ])
    })
}

/// Asks who is signed in, again and again on one connection.
async fn ask(site: &Site, person: &Person, until: Instant, delays: &RefCell<Vec<Duration>>) -> Result<()> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(site.tls().await?)).await?;
    let driver = spawn_local(connection);
    while Instant::now() < until {
        let request = Request::get("/api/auth/me/").header("host", site.host()).header("cookie", &person.cookie);
        let asked = Instant::now();
        let answer = sender.send_request(request.body(Empty::<Bytes>::new())?).await?;
        let status = answer.status();
        answer.into_body().collect().await?;
        if status != 200 {
            bail!("{status} instead of an answer");
        }
        delays.borrow_mut().push(asked.elapsed());
    }
    driver.abort();
    Ok(())
}

/// As the page does it once its socket is gone.
async fn come_back(n: usize, mut seated: Seated, site: &Site) -> Result<Seated> {
    while seated.socket.next().await.is_some_and(|message| message.is_ok()) {}
    let (person, mut dice) = (Person::numbered(n), Dice(n as u64));
    for attempt in 0..ATTEMPTS_MAX {
        tokio::time::sleep(backoff(attempt, &mut dice)).await;
        if let Ok(seated) = site.join(&person, Some(&seated.resume)).await {
            return Ok(seated);
        }
    }
    bail!("somebody did not get back in")
}

/// Mentors first, since students wait for them; a few dozen at once, as fast as the server takes them.
async fn seat_all(site: &Site, people: std::ops::Range<usize>) -> Result<Vec<Seated>> {
    let mut seated: Vec<(usize, Seated)> = Vec::new();
    for rest in [0, 1] {
        let people = people.clone().filter(move |n| n % 2 == rest);
        let joining = people.map(|n| async move { anyhow::Ok((n, site.join(&Person::numbered(n), None).await?)) });
        seated.extend(stream::iter(joining).buffer_unordered(AT_ONCE).try_collect::<Vec<_>>().await?);
    }
    seated.sort_unstable_by_key(|(n, _)| *n);
    Ok(seated.into_iter().map(|(_, seated)| seated).collect())
}

type Half = (SplitSink<Socket, Message>, SplitStream<Socket>, Peer);

/// Sockets in pairs, each of which knows its peer.
async fn pairs(site: &Site, sockets: usize) -> Result<Vec<Half>> {
    let mut halves = Vec::new();
    for mut seated in seat_all(site, 0..sockets).await? {
        let peer = seated.peer().await?;
        let (sink, stream) = seated.socket.split();
        halves.push((sink, stream, peer));
    }
    Ok(halves)
}

async fn note_delays(mut stream: SplitStream<Socket>, clock: Instant, delays: Rc<RefCell<Vec<Duration>>>) {
    while let Some(Ok(message)) = stream.next().await {
        if let Some(sent) = sent_at(&message) {
            delays.borrow_mut().push(clock.elapsed() - sent);
        }
    }
}

fn figures(mut delays: Vec<Duration>, took: f64, used: Duration) -> Result<Rows> {
    if delays.is_empty() {
        bail!("nothing was relayed");
    }
    delays.sort_unstable();
    Ok(vec![
        ("relayed, 1/s", delays.len() as f64 / took),
        ("delay p50, ms", percentile(&delays, 0.5)),
        ("delay p99, ms", percentile(&delays, 0.99)),
        ("CPU a message, us", used.as_secs_f64() * 1e6 / delays.len() as f64),
    ])
}

fn percentile(sorted: &[Duration], part: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e3
}

/// Runs on this thread alone, which has the load's core.
fn locally<T>(what: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    tokio::task::LocalSet::new().block_on(&runtime, what)
}

const MIB: f64 = 1024.0 * 1024.0;
const RELAY_SOCKETS: usize = 1000;
const SATURATED_SOCKETS: usize = 200;
/// Messages of one socket that are on their way at once.
const WINDOW: usize = 4;
const API_CONNECTIONS: usize = 32;
const AT_ONCE: usize = 32;
const ATTEMPTS_MAX: usize = 30;
/// For the next one.
const BACK_MAX: Duration = Duration::from_secs(60);
const LAST_ARRIVAL: Duration = Duration::from_millis(500);
