//! What the kernel lets this process have.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the number of files that may be open at once from its soft to its hard limit; what it is now. The soft limit is kept low for
/// programs that use `select`.
pub fn raise_open_files() -> u64 {
    let files = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: files.maximum, ..files };
    let now = if setrlimit(Resource::Nofile, raised).is_ok() { files.maximum } else { files.current };
    // The kernel's word for no limit.
    now.unwrap_or(u64::MAX)
}
