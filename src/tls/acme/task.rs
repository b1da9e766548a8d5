//! Drives the plan: asks the server, stores what it gives, says what failed.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use tokio::sync::{Notify, watch};

use super::clock::Now;
use super::plan::{Plan, Step, UnixSeconds, Window};
use super::said::Said;
use super::stored::Stored;
use crate::sys::entropy;
use crate::sys::signals::stopped;

/// The certificate that an order replaces.
pub(super) type Replaces<'a> = Option<&'a CertificateDer<'static>>;

/// Who issues.
pub(super) trait Authority {
    /// Has a certificate issued.
    fn order(&self, replaces: Replaces<'_>) -> impl Future<Output = Result<Issued, Refusal>> + Send;

    /// When it had best be renewed, and when to ask that again; `None`: the server has no opinion.
    fn window(&self, leaf: &CertificateDer<'_>) -> impl Future<Output = Result<Option<(Window, Duration)>, Refusal>> + Send;
}

/// A certificate as it came.
#[derive(Debug, Clone)]
pub(super) struct Issued {
    /// PEM, leaf first.
    pub(super) chain: String,
    /// PEM.
    pub(super) key: String,
}

/// Why there is none.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) words: String,
    /// For how long the server wants to be left alone.
    pub(super) retry_after: Option<Duration>,
}

impl Refusal {
    pub(super) const fn of(words: String) -> Self {
        Self { words, retry_after: None }
    }
}

/// Everything the task works with.
pub(super) struct Task<A, C, I> {
    pub(super) name: String,
    pub(super) authority: A,
    pub(super) stored: Stored,
    pub(super) now: C,
    pub(super) issued: I,
    pub(super) hurry: Arc<Notify>,
}

impl<A, C, I, F> Task<A, C, I>
where
    A: Authority + Sync,
    C: Fn() -> Now + Sync,
    I: Fn() -> F + Sync,
    F: Future<Output = ()> + Send,
{
    /// Keeps a certificate stored until the daemon stops.
    pub(super) async fn keep(self, mut stopping: watch::Receiver<bool>) {
        tokio::select! {
            () = self.work() => {}
            () = stopped(&mut stopping) => {}
        }
    }

    async fn work(&self) {
        let mut said = Said::default();
        let now = self.settled_clock(&mut said).await;
        let mut plan = Plan::new(self.stored.memory(), self.stored.leaf(&self.name).map(|(_, validity)| validity), now);
        if plan.certificate().is_none() {
            log::warn!(event = "acme_until_then", name = self.name.as_str(); "the ACME server has issued nothing yet: until then what was stored before serves, or a certificate of this box's own authority, of which browsers warn");
        }
        loop {
            let now = self.settled_clock(&mut said).await;
            self.warn(&plan, now, &mut said);
            match plan.next(now) {
                Step::Order => self.order(&mut plan, now, &mut said).await,
                Step::AskWindow => self.ask_window(&mut plan, now).await,
                Step::WaitUntil(at) => {
                    // The clock may be set meanwhile.
                    let nap = at.since(now).clamp(Duration::from_secs(1), NAP_MAX);
                    let hurried = tokio::time::timeout(nap, self.hurry.notified()).await.is_ok();
                    if hurried {
                        plan.hurry();
                    }
                }
            }
        }
    }

    /// Waits until nothing speaks against the clock.
    async fn settled_clock(&self, said: &mut Said) -> UnixSeconds {
        loop {
            match (self.now)() {
                Ok(now) => {
                    if said.trusts_again() {
                        log::info!(event = "acme_clock_set"; "the clock is set: going on");
                    }
                    return now;
                }
                Err(why) if said.doubts_anew(&why) => {
                    log::warn!(event = "acme_waits_for_clock", cause = why.as_str(); "the clock is not right yet: no certificate is asked for until it is (timedatectl shows it)");
                }
                Err(_) => {}
            }
            tokio::time::sleep(CLOCK_EVERY).await;
        }
    }

    async fn order(&self, plan: &mut Plan, now: UnixSeconds, said: &mut Said) {
        plan.begin(now, u16::from_be_bytes(entropy::random()));
        if let Err(error) = self.stored.keep_memory(plan.memory()) {
            // An order whose outcome cannot be stored would be wasted.
            return self.failed(plan, now, Refusal::of(error.to_string()), said);
        }
        let replaces = plan.memory().window.and_then(|_| self.stored.leaf(&self.name)).map(|(leaf, _)| leaf);
        log::info!(event = "acme_order", name = self.name.as_str(); "asking the ACME server for a certificate");
        let outcome = self.authority.order(replaces.as_ref()).await;
        let outcome = outcome.and_then(|issued| {
            let kept = self.stored.keep_certificate(&self.name, &issued.chain, &issued.key);
            kept.map_err(|error| Refusal::of(error.to_string()))
        });
        // The clock may have gone on, or been set.
        let now = (self.now)().unwrap_or(now);
        match outcome {
            Ok(validity) => {
                plan.issued(now, validity);
                said.succeeded();
                log::info!(event = "acme_issued", name = self.name.as_str(), days = validity.not_after.since(now).as_secs() / 86_400; "the ACME server issued a certificate");
                self.remember(plan);
                (self.issued)().await;
            }
            Err(refusal) => self.failed(plan, now, refusal, said),
        }
    }

    fn failed(&self, plan: &mut Plan, now: UnixSeconds, refusal: Refusal, said: &mut Said) {
        plan.failed(now, refusal.retry_after);
        self.remember(plan);
        if said.is_new(&refusal.words, now) {
            let minutes = match plan.next(now) {
                Step::WaitUntil(at) => at.since(now).as_secs() / 60,
                Step::Order | Step::AskWindow => 0,
            };
            log::error!(event = "acme_failed", name = self.name.as_str(), cause = refusal.words.as_str(), next_minutes = minutes; "no certificate was issued: the one in use stays, and the next attempt comes by itself, or at once after a reload");
        }
    }

    /// Once a day while it fails: orders begin with a third of the lifetime left.
    fn warn(&self, plan: &Plan, now: UnixSeconds, said: &mut Said) {
        let Some(refusal) = said.reminder(now) else { return };
        let days = plan.certificate().map_or(0, |certificate| certificate.not_after.since(now).as_secs() / 86_400);
        log::warn!(event = "acme_expiry", name = self.name.as_str(), days_left = days, cause = refusal; "the certificate could still not be renewed");
    }

    async fn ask_window(&self, plan: &mut Plan, now: UnixSeconds) {
        let Some((leaf, _)) = self.stored.leaf(&self.name) else { return plan.suggested(now, None) };
        match self.authority.window(&leaf).await {
            Ok(suggestion) => {
                if let Some((window, _)) = suggestion.filter(|(window, _)| plan.memory().window != Some(*window)) {
                    log::info!(event = "acme_window", from = window.start.0, until = window.end.0; "the ACME server says when the certificate had best be renewed");
                }
                plan.suggested(now, suggestion);
            }
            Err(refusal) => {
                log::debug!(event = "acme_window", cause = refusal.words.as_str(); "the ACME server did not say when to renew");
                plan.not_suggested(now);
            }
        }
        self.remember(plan);
    }

    fn remember(&self, plan: &Plan) {
        if let Err(error) = self.stored.keep_memory(plan.memory()) {
            log::warn!(event = "acme_memory", cause:% = error; "attempts cannot be remembered over a restart");
        }
    }
}

const NAP_MAX: Duration = Duration::from_secs(60);
const CLOCK_EVERY: Duration = Duration::from_secs(10);
