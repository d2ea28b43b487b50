//! The lease of a run: the right to write, which ends unless the process that started the run renews it.
//!
//! A host that was stopped and goes on much later must not write any more: another one may have taken its work over. So
//! the deadline is compared before each writing request, by a clock that goes on while the machine sleeps.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::cli_interface::{LEASE_EPOCH_VARIABLE, LEASE_FILE_VARIABLE};

/// The lease that this process runs under.
struct Lease {
    file: PathBuf,
    fence: u64,
}

static LEASE: OnceLock<Option<Lease>> = OnceLock::new();

fn own_lease() -> Option<&'static Lease> {
    let read = || {
        let file = std::env::var_os(LEASE_FILE_VARIABLE).filter(|file| !file.is_empty())?;
        // A number that cannot be read fits no lease: nothing is written.
        let fence = std::env::var(LEASE_EPOCH_VARIABLE).ok().and_then(|fence| fence.parse().ok()).unwrap_or(0);
        Some(Lease { file: file.into(), fence })
    };
    LEASE.get_or_init(read).as_ref()
}

/// Returns the time since the machine was started, sleep included.
pub fn boot_time() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// Writes the lease file of a run: the number of the claim, and its deadline as [`boot_time`] has it.
///
/// # Errors
/// If it cannot be written.
pub fn write_lease(file: &Path, fence: u64, deadline: Duration) -> std::io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut new = tempfile::Builder::new().prefix(".lease-").tempfile_in(folder)?;
    std::io::Write::write_all(&mut new, format!("{fence} {}\n", deadline.as_nanos()).as_bytes())?;
    new.persist(file).map(drop).map_err(|error| error.error)
}

fn is_valid(file: &Path, fence: u64, now: Duration) -> bool {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let Some((number, deadline)) = text.trim().split_once(' ') else { return false };
    number.parse() == Ok(fence) && deadline.parse::<u128>().is_ok_and(|deadline| now.as_nanos() < deadline)
}

/// Returns whether this process may write. Without a lease it always may.
pub fn may_write() -> bool {
    own_lease().is_none_or(|lease| is_valid(&lease.file, lease.fence, boot_time()))
}

/// Why a write was not made.
pub const LOST: &str = "this run has lost its lease: another host may have taken its job over; nothing more is written";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lease_holds_for_its_number_until_its_deadline() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("leases/job");
        let second = Duration::from_secs(1);
        assert!(!is_valid(&file, 1, second), "no file, no lease");
        write_lease(&file, 7, 10 * second).unwrap();
        assert!(is_valid(&file, 7, 9 * second));
        assert!(!is_valid(&file, 7, 10 * second) && !is_valid(&file, 6, second) && !is_valid(&file, 8, second));
        std::fs::write(&file, "7").unwrap();
        assert!(!is_valid(&file, 7, second));
    }
}
