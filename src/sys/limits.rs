//! What the kernel lets this process have.
#![allow(unsafe_code, reason = "getrlimit and setrlimit have no safe face")]

/// Raises the number of files that may be open at once from its soft to its hard limit; what it is now. The soft limit is kept low for
/// programs that use `select`.
pub fn raise_open_files() -> u64 {
    let mut files = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the call writes to the struct alone, which outlives it.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut files) } != 0 {
        return 0;
    }
    let raised = libc::rlimit { rlim_cur: files.rlim_max, ..files };
    // SAFETY: the call reads the struct alone, which outlives it.
    if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const raised) } == 0 {
        return raised.rlim_cur;
    }
    files.rlim_cur
}
