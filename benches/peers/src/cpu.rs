//! CPU time of this process.

use std::fs;
use std::time::Duration;

/// CPU time that all threads of this process took so far, in the kernel and outside.
pub(crate) fn used() -> Result<Duration, crate::Failure> {
    let mut nanos = 0_u64;
    for thread in fs::read_dir("/proc/self/task")? {
        let times = fs::read_to_string(thread?.path().join("schedstat"))?;
        nanos += times.split_whitespace().next().ok_or("schedstat is empty")?.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanos))
}
