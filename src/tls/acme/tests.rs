//! The task in virtual time.

use std::collections::VecDeque;
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::CertificateDer;
use tokio::sync::{Notify, watch};

use super::plan::{UnixSeconds, Window};
use super::stored::Stored;
use super::task::{Authority, Issued, Refusal, Replaces, Task};

#[tokio::test(start_paused = true)]
async fn a_year_with_a_good_server_has_an_order_at_two_thirds_of_each_life() {
    let world = World::new(&[]);
    world.pass(DAY * 365).await;
    let orders = world.orders();
    assert_eq!(orders[0], Duration::ZERO);
    assert!(orders.len() == 7 && *world.issued.lock().unwrap() == 7, "{orders:?}");
    for pair in orders.windows(2) {
        assert!((DAY * 57..=DAY * 60 + Duration::from_secs(60)).contains(&(pair[1] - pair[0])), "{orders:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_fails_is_asked_with_growing_waits_and_then_has_a_fresh_start() {
    let world = World::new(&[Err(None), Err(None), Err(None)]);
    world.pass(DAY).await;
    let minutes: Vec<_> = world.orders().iter().map(|at| at.as_secs() / 60).collect();
    assert_eq!(minutes.len(), 4, "{minutes:?}");
    for (index, range) in [0..=0, 10..=14, 30..=40, 70..=91].into_iter().enumerate() {
        assert!(range.contains(&minutes[index]), "{minutes:?}");
    }
    assert_eq!(*world.issued.lock().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_reload_asks_at_once_unless_the_server_wants_peace() {
    let world = World::new(&[Err(None), Err(Some(DAY))]);
    world.pass(Duration::from_secs(30)).await;
    world.hurry.notify_one();
    world.pass(Duration::from_secs(30)).await;
    assert_eq!(world.orders().len(), 2);
    world.hurry.notify_one();
    world.pass(DAY - Duration::from_secs(60)).await;
    assert_eq!(world.orders().len(), 2, "the server said a day");
    world.pass(Duration::from_secs(120)).await;
    assert_eq!(world.orders().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_before_the_clock_is_set() {
    let world = World::new(&[]);
    *world.doubt.lock().unwrap() = Some("it is 1970".to_owned());
    world.pass(DAY).await;
    assert_eq!(world.orders().len(), 0);
    *world.doubt.lock().unwrap() = None;
    world.pass(Duration::from_secs(10)).await;
    assert_eq!(world.orders().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stop_in_the_midst_of_an_order_waits_for_nobody_and_counts_it() {
    let world = World::new(&[]);
    *world.never_answers.lock().unwrap() = true;
    world.pass(Duration::from_secs(1)).await;
    assert_eq!((world.orders().len(), world.stored.memory().failures), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_stored_is_not_ordered() {
    let world = World::new(&[]);
    fs::write(world.folder.path().join("acme"), "a file where the folder should be").unwrap();
    world.pass(DAY).await;
    assert_eq!(world.orders().len(), 0);
}

/// A server whose first answers are given, and virtual time.
struct World {
    folder: tempfile::TempDir,
    stored: Stored,
    began: Instant,
    orders: Mutex<Vec<Duration>>,
    answers: Mutex<VecDeque<Result<(), Option<Duration>>>>,
    never_answers: Mutex<bool>,
    doubt: Mutex<Option<String>>,
    issued: Mutex<usize>,
    hurry: Arc<Notify>,
}

impl World {
    fn new(answers: &[Result<(), Option<Duration>>]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            stored: Stored::new(&folder.path().join("acme"), "https://ca.example/"),
            folder,
            began: Instant::now(),
            orders: Mutex::default(),
            answers: Mutex::new(answers.iter().cloned().collect()),
            never_answers: Mutex::default(),
            doubt: Mutex::default(),
            issued: Mutex::default(),
            hurry: Arc::default(),
        }
    }

    /// Runs the task for so long, from what is stored.
    async fn pass(&self, time: Duration) {
        let now = || match &*self.doubt.lock().unwrap() {
            Some(why) => Err(why.clone()),
            None => Ok(START.after(self.began.elapsed())),
        };
        let issued = || {
            *self.issued.lock().unwrap() += 1;
            std::future::ready(())
        };
        let hurry = Arc::clone(&self.hurry);
        let task = Task { name: NAME.to_owned(), authority: self, stored: self.stored.clone(), now, issued, hurry };
        let (stop, stopping) = watch::channel(false);
        let stopper = async {
            tokio::time::sleep(time).await;
            stop.send(true).unwrap();
        };
        tokio::join!(task.keep(stopping), stopper);
    }

    fn orders(&self) -> Vec<Duration> {
        self.orders.lock().unwrap().clone()
    }
}

impl Authority for &World {
    async fn order(&self, _: Replaces<'_>) -> Result<Issued, Refusal> {
        self.orders.lock().unwrap().push(self.began.elapsed());
        if *self.never_answers.lock().unwrap() {
            std::future::pending::<()>().await;
        }
        match self.answers.lock().unwrap().pop_front().unwrap_or(Ok(())) {
            Ok(()) => Ok(issue(START.after(self.began.elapsed()))),
            Err(retry_after) => Err(Refusal { words: "no".to_owned(), retry_after }),
        }
    }

    async fn window(&self, _: &CertificateDer<'_>) -> Result<Option<(Window, Duration)>, Refusal> {
        Ok(None)
    }
}

/// A certificate that is valid for 90 days from now on.
fn issue(now: UnixSeconds) -> Issued {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([NAME.to_owned()]).unwrap();
    params.not_before = time::OffsetDateTime::from_unix_timestamp(now.0).unwrap();
    params.not_after = params.not_before + DAY * 90;
    Issued { chain: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem() }
}

const START: UnixSeconds = UnixSeconds(1_800_000_000);
const NAME: &str = "calls.school.example";
const DAY: Duration = Duration::from_secs(86_400);
