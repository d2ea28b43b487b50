//! Times whole processes: from the call that starts one to the moment its end is known.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The times of several runs.
pub struct Times(Vec<Duration>);

impl Times {
    /// Takes times in any order.
    pub fn new(mut times: Vec<Duration>) -> Self {
        times.sort();
        Self(times)
    }

    /// The shortest.
    pub fn min(&self) -> Duration {
        self.0.first().copied().unwrap_or_default()
    }

    /// The one in the middle.
    pub fn median(&self) -> Duration {
        self.0.get(self.0.len() / 2).copied().unwrap_or_default()
    }

    /// The longest.
    pub fn max(&self) -> Duration {
        self.0.last().copied().unwrap_or_default()
    }
}

/// Runs a command several times after one run that does not count. What it prints goes through a pipe and is thrown
/// away, as it would be read by whoever looks on.
///
/// # Panics
/// If the command does not end well: a time for a run that failed says nothing.
pub fn times(runs: usize, warm_up: bool, command: &mut dyn FnMut() -> Command) -> Times {
    if warm_up {
        once(&mut command());
    }
    Times::new((0..runs).map(|_| once(&mut command())).collect())
}

/// Runs a command once.
fn once(command: &mut Command) -> Duration {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let start = Instant::now();
    let output = command.output().expect("the program can be started");
    let time = start.elapsed();
    assert!(output.status.success(), "{command:?} failed: {}", String::from_utf8_lossy(&output.stderr));
    time
}

/// The largest memory that a run of the command had, in KiB, as the kernel counts it; `None` where it does not tell.
/// It is looked at while the process runs, so that it is right for runs of some length only.
pub fn peak(command: &mut Command) -> Option<u64> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("the program can be started");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = None;
    loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok()).or(peak);
        if child.try_wait().expect("the process can be waited for").is_some() {
            return peak;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
