//! Whether somebody keeps the clock right.
#![allow(unsafe_code, reason = "adjtimex has no safe face")]

/// What the kernel knows of its clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synchronised {
    /// A time service set it not long ago.
    Yes,
    /// None did.
    No,
    /// A sandbox forbids the question.
    Unknown,
}

/// Asks the kernel, which time services tell (adjtimex(2), `STA_UNSYNC`).
pub fn synchronised() -> Synchronised {
    // SAFETY: the struct is plain numbers, of which zeros ask for nothing to be changed.
    let mut clock: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: the call writes to the struct alone, which outlives it.
    let state = unsafe { libc::adjtimex(&raw mut clock) };
    match state {
        -1 => Synchronised::Unknown,
        libc::TIME_ERROR => Synchronised::No,
        _ if clock.status & libc::STA_UNSYNC != 0 => Synchronised::No,
        _ => Synchronised::Yes,
    }
}
