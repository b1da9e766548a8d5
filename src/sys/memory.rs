//! Memory goes back to the system once it is free.
#![allow(unsafe_code, reason = "mallopt has no safe face")]

/// Takes blocks of a mebibyte and more from the system each, and gives them back at once. By default glibc learns to keep ever larger
/// ones, so that a few sign-ins, at 19 MiB a hash, would stay with the process for ever.
pub fn give_back_large_blocks() {
    #[cfg(target_env = "gnu")]
    // SAFETY: the call only sets a parameter of the allocator; it has no pointer in it.
    let _ = unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, 1 << 20) };
}
