//! When to ask for a certificate: no clock, task or network, so that years pass in a test.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Seconds since 1970, which the box's clock may be wrong about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct UnixSeconds(pub(super) i64);

/// The times of a stored certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) not_before: UnixSeconds,
    pub(super) not_after: UnixSeconds,
    /// Where in a span of time this certificate is renewed, in 65,536ths: its own, so that a restart changes nothing.
    pub(super) jitter: u16,
}

/// When a server would like a certificate to be renewed (RFC 9773 section 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Window {
    pub(super) start: UnixSeconds,
    pub(super) end: UnixSeconds,
}

/// What outlives a restart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Memory {
    /// Orders in a row that issued nothing, one that is under way included.
    pub(super) failures: u32,
    /// No order before this, so that a failing one is not repeated for nothing.
    pub(super) retry_at: UnixSeconds,
    /// No order before this, because the server said so.
    pub(super) refused_until: UnixSeconds,
    /// What the server suggested for the stored certificate.
    pub(super) window: Option<Window>,
    /// When to ask for it again; `None`: the server suggests nothing.
    pub(super) ask_at: Option<UnixSeconds>,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Order,
    /// Ask when the stored certificate had best be renewed.
    AskWindow,
    WaitUntil(UnixSeconds),
}

/// One certificate's future.
#[derive(Debug)]
pub(super) struct Plan {
    memory: Memory,
    certificate: Option<Validity>,
    quiet_until: UnixSeconds,
}

impl UnixSeconds {
    pub(super) fn after(self, time: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(time.as_secs()).unwrap_or(i64::MAX)))
    }

    /// Zero if `earlier` is not.
    pub(super) fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl Validity {
    fn lifetime(&self) -> Duration {
        self.not_after.since(self.not_before)
    }

    /// At two thirds of the lifetime, or up to a thirtieth of it sooner; within the window that the server suggests, if that leaves
    /// a sixth of the lifetime for failures.
    fn renew_at(&self, window: Option<Window>) -> UnixSeconds {
        let lifetime = self.lifetime();
        let within = |span: Duration| span.mul_f64(f64::from(self.jitter) / 65_536.0);
        match window.filter(|window| window.start < window.end) {
            Some(window) => {
                let chosen = window.start.after(within(window.end.since(window.start)));
                chosen.min(self.not_before.after(lifetime * 5 / 6))
            }
            None => self.not_before.after(lifetime * 2 / 3 - within(lifetime / 30)),
        }
    }
}

impl Plan {
    /// Goes on from what is stored. The server is left alone for a while after the start, unless a certificate is due.
    pub(super) fn new(memory: Memory, certificate: Option<Validity>, now: UnixSeconds) -> Self {
        Self { memory, certificate, quiet_until: now.after(QUIET_AFTER_START) }
    }

    pub(super) const fn memory(&self) -> &Memory {
        &self.memory
    }

    pub(super) const fn certificate(&self) -> Option<&Validity> {
        self.certificate.as_ref()
    }

    /// What to do now.
    pub(super) fn next(&self, now: UnixSeconds) -> Step {
        let due = self.certificate.map_or(UnixSeconds::default(), |certificate| certificate.renew_at(self.memory.window));
        if due <= now {
            let waits = [(self.memory.retry_at, BACK_OFF_MAX * 2), (self.memory.refused_until, RETRY_AFTER_MAX)];
            // A wait that is longer than any is the clock's, which was ahead when it began.
            let standing = waits.into_iter().filter(|(until, max)| until.since(now) <= *max).map(|(until, _)| until).max();
            return standing.filter(|until| *until > now).map_or(Step::Order, Step::WaitUntil);
        }
        let asking = self.memory.ask_at.filter(|_| self.certificate.is_some()).map(|at| at.max(self.quiet_until));
        match asking {
            Some(at) if at <= now => Step::AskWindow,
            Some(at) => Step::WaitUntil(at.min(due)),
            None => Step::WaitUntil(due),
        }
    }

    /// An order begins: it counts as failed until it is not, so that a daemon that dies in the midst of it backs off too. `chance`
    /// spreads the boxes that a power cut stopped together.
    pub(super) fn begin(&mut self, now: UnixSeconds, chance: u16) {
        self.memory.failures = self.memory.failures.saturating_add(1);
        let doublings = (self.memory.failures - 1).min(16);
        let wait = (BACK_OFF * (1 << doublings)).min(BACK_OFF_MAX);
        self.memory.retry_at = now.after(wait + wait.mul_f64(f64::from(chance) / 65_536.0 / 4.0));
    }

    /// The order failed; the server may have said for how long it wants no other.
    pub(super) fn failed(&mut self, now: UnixSeconds, retry_after: Option<Duration>) {
        if let Some(wait) = retry_after {
            self.memory.refused_until = now.after(wait.min(RETRY_AFTER_MAX));
        }
    }

    /// The order brought a certificate.
    pub(super) fn issued(&mut self, now: UnixSeconds, certificate: Validity) {
        // A server that suggests what is past already is not asked again and again.
        let pause = (certificate.lifetime() / 3).min(BETWEEN_ORDERS);
        self.memory = Memory { retry_at: now.after(pause), ask_at: Some(now), ..Memory::default() };
        self.certificate = Some(certificate);
        self.quiet_until = now;
    }

    /// The server suggests a window, or nothing, and says when to ask again.
    pub(super) fn suggested(&mut self, now: UnixSeconds, suggestion: Option<(Window, Duration)>) {
        self.memory.window = suggestion.map(|(window, _)| window);
        // RFC 9773 section 4.3: bounds of a client's own.
        self.memory.ask_at = suggestion.map(|(_, wait)| now.after(wait.clamp(ASK_AGAIN_MIN, ASK_AGAIN_MAX)));
    }

    /// The server could not be asked: the last suggestion stays.
    pub(super) fn not_suggested(&mut self, now: UnixSeconds) {
        self.memory.ask_at = Some(now.after(ASK_AGAIN_FAILED));
    }

    /// Somebody says that the cause of the failures is gone. What the server asked for stands.
    pub(super) const fn hurry(&mut self) {
        self.memory.retry_at = UnixSeconds(0);
    }
}

/// After the first failure; then twice as long each time. Both challenges of each order fail, and Let's Encrypt forgives five an hour.
const BACK_OFF: Duration = Duration::from_secs(600);
const BACK_OFF_MAX: Duration = Duration::from_secs(86_400);
/// The longest wait a public server imposes is a week.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(8 * 86_400);
const QUIET_AFTER_START: Duration = Duration::from_secs(3600);
const BETWEEN_ORDERS: Duration = Duration::from_secs(3600);
const ASK_AGAIN_MIN: Duration = Duration::from_secs(60);
const ASK_AGAIN_MAX: Duration = Duration::from_secs(86_400);
/// RFC 9773 section 4.3.3.
const ASK_AGAIN_FAILED: Duration = Duration::from_secs(6 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_certificate_one_is_ordered_at_once() {
        assert_eq!(Plan::new(Memory::default(), None, NOW).next(NOW), Step::Order);
    }

    #[test]
    fn a_good_certificate_is_left_alone_until_two_thirds_of_its_life_or_a_little_sooner() {
        for (jitter, days) in [(0, 60), (u16::MAX, 57)] {
            let plan = Plan::new(Memory::default(), Some(of_days(90, jitter)), NOW);
            let Step::WaitUntil(at) = plan.next(NOW) else { panic!("something is done too soon") };
            assert!(at.since(NOW.after(DAY * days)) < Duration::from_secs(120), "{at:?}");
            assert!(at <= NOW.after(DAY * 60));
            assert_eq!(plan.next(at), Step::Order);
        }
    }

    #[test]
    fn failures_wait_longer_and_longer_up_to_a_day_and_success_forgets_them() {
        let mut plan = Plan::new(Memory::default(), None, NOW);
        let (mut now, mut waits) = (NOW, Vec::new());
        for _ in 0..12 {
            assert_eq!(plan.next(now), Step::Order);
            plan.begin(now, 0);
            plan.failed(now, None);
            let Step::WaitUntil(at) = plan.next(now) else { panic!("no back-off") };
            waits.push(at.since(now).as_secs() / 60);
            now = at;
        }
        assert_eq!(waits, [10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440, 1440, 1440]);
        plan.issued(now, of_days(90, 0));
        assert_eq!(plan.memory().failures, 0);
    }

    #[test]
    fn a_restart_remembers_even_an_order_it_died_in() {
        let mut plan = Plan::new(Memory::default(), None, NOW);
        plan.begin(NOW, 0);
        let again = Plan::new(plan.memory().clone(), None, NOW.after(DAY / 1440));
        assert_eq!(again.next(NOW.after(DAY / 1440)), Step::WaitUntil(NOW.after(BACK_OFF)));
    }

    #[test]
    fn what_the_server_asks_for_is_honoured_and_nobody_s_hurry_shortens_it() {
        let mut plan = Plan::new(Memory::default(), None, NOW);
        plan.begin(NOW, 0);
        plan.failed(NOW, Some(DAY * 2));
        assert_eq!(plan.next(NOW), Step::WaitUntil(NOW.after(DAY * 2)));
        plan.hurry();
        assert_eq!(plan.next(NOW), Step::WaitUntil(NOW.after(DAY * 2)));
        assert_eq!(plan.next(NOW.after(DAY * 2)), Step::Order);
    }

    #[test]
    fn hurry_ends_the_back_off() {
        let mut plan = Plan::new(Memory::default(), None, NOW);
        plan.begin(NOW, 0);
        plan.failed(NOW, None);
        plan.hurry();
        assert_eq!(plan.next(NOW), Step::Order);
    }

    #[test]
    fn a_clock_that_was_years_ahead_holds_nothing_up() {
        let mut plan = Plan::new(Memory::default(), None, NOW.after(DAY * 3650));
        plan.begin(NOW.after(DAY * 3650), 0);
        plan.failed(NOW.after(DAY * 3650), Some(DAY));
        assert_eq!(plan.next(NOW), Step::Order);
    }

    #[test]
    fn the_server_s_window_wins_over_two_thirds() {
        let mut plan = Plan::new(Memory::default(), Some(of_days(90, 32_768)), NOW);
        plan.suggested(NOW, Some((days(10, 12), DAY * 400)));
        let asking = Step::WaitUntil(NOW.after(ASK_AGAIN_MAX));
        assert_eq!(plan.next(NOW), asking, "asked again within a day, whatever the server says");
        assert_eq!(plan.next(NOW.after(DAY)), Step::AskWindow);
        assert_eq!(plan.next(NOW.after(DAY * 11)), Step::Order);
        assert_ne!(plan.next(NOW.after(DAY * 11 - Duration::from_secs(1))), Step::Order);
    }

    #[test]
    fn a_window_in_the_past_renews_at_once_and_one_after_the_end_is_not_waited_for() {
        let mut plan = Plan::new(Memory::default(), Some(of_days(90, 0)), NOW);
        plan.suggested(NOW, Some((days(-3, -2), DAY)));
        assert_eq!(plan.next(NOW), Step::Order);
        plan.suggested(NOW, Some((days(89, 99), DAY)));
        assert_eq!(plan.next(NOW.after(DAY * 75)), Step::Order);
        plan.suggested(NOW, Some((days(5, 5), DAY)));
        assert_ne!(plan.next(NOW.after(DAY * 6)), Step::Order, "an empty window is none");
    }

    #[test]
    fn a_start_with_a_good_certificate_leaves_the_server_alone() {
        let memory = Memory { ask_at: Some(NOW), ..Memory::default() };
        let plan = Plan::new(memory, Some(of_days(90, 0)), NOW);
        assert_eq!(plan.next(NOW), Step::WaitUntil(NOW.after(QUIET_AFTER_START)));
        assert_eq!(plan.next(NOW.after(QUIET_AFTER_START)), Step::AskWindow);
    }

    #[test]
    fn a_server_without_windows_is_asked_once_a_certificate() {
        let mut plan = Plan::new(Memory::default(), Some(of_days(90, 0)), NOW);
        plan.issued(NOW, of_days(90, 0));
        assert_eq!(plan.next(NOW), Step::AskWindow);
        plan.suggested(NOW, None);
        assert_eq!(plan.next(NOW), Step::WaitUntil(NOW.after(DAY * 60)));
    }

    #[test]
    fn a_server_that_always_suggests_the_past_is_asked_once_an_hour() {
        let mut plan = Plan::new(Memory::default(), None, NOW);
        plan.issued(NOW, of_days(90, 0));
        plan.suggested(NOW, Some((days(-3, -2), DAY)));
        assert_eq!(plan.next(NOW), Step::WaitUntil(NOW.after(BETWEEN_ORDERS)));
        plan.hurry();
        assert_eq!(plan.next(NOW), Step::Order);
    }

    fn of_days(days: u32, jitter: u16) -> Validity {
        Validity { not_before: NOW, not_after: NOW.after(DAY * days), jitter }
    }

    fn days(start: i64, end: i64) -> Window {
        Window { start: UnixSeconds(NOW.0 + start * 86_400), end: UnixSeconds(NOW.0 + end * 86_400) }
    }

    const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
    const DAY: Duration = Duration::from_secs(86_400);
}
