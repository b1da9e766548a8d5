//! Randomness from the operating system.

/// `N` random bytes from the kernel's generator.
///
/// # Panics
/// If the kernel has none to give: nothing safe can be done then.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("invariant: the kernel gives randomness once it has booted");
    bytes
}
