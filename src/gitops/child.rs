//! Child processes: a time limit, bounded output, and the whole process group ended when time is up.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::sync::watch;

/// So many bytes of each stream are kept from its beginning, and as many from its end.
const KEPT: usize = 64 * 1024;
/// After the polite signal a group has so long until it is killed.
const GRACE: Duration = Duration::from_secs(10);

/// Inputs of a child process.
pub struct ChildSetup<'a> {
    /// Program and arguments.
    pub command: &'a [String],
    /// The folder it runs in.
    pub folder: &'a Path,
    /// The complete environment.
    pub environment: &'a [(String, String)],
    /// How long it may take.
    pub limit: Duration,
    /// A lock that it holds as long as it lives.
    pub lock: Option<&'a File>,
    /// Raised when it shall end early, after the request under way.
    pub stop: Option<watch::Receiver<bool>>,
}

/// How a child ended.
#[derive(Debug, Clone, Default)]
pub struct ChildOutput {
    /// Exit status; `None` if a signal ended the child.
    pub exit: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// The time limit was reached.
    pub timed_out: bool,
    /// It was asked to end early.
    pub stopped: bool,
}

impl ChildOutput {
    /// Returns whether it ended well.
    pub fn is_success(&self) -> bool {
        self.exit == Some(0)
    }
}

/// Runs a child to its end.
///
/// # Errors
/// If it cannot be started.
pub async fn run_child(setup: ChildSetup<'_>) -> std::io::Result<ChildOutput> {
    let (program, arguments) = setup.command.split_first().ok_or(std::io::ErrorKind::InvalidInput)?;
    let stdin = match setup.lock {
        // The lock ends with the last process that has the file open.
        Some(lock) => Stdio::from(lock.try_clone()?),
        None => Stdio::null(),
    };
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(setup.folder)
        .env_clear()
        .envs(setup.environment.iter().map(|(name, value)| (name, value)))
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let (mut out, mut err) = (OutputBuffer::default(), OutputBuffer::default());
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let mut output = ChildOutput::default();
    {
        let streams = async {
            tokio::join!(read_stream(stdout, &mut out), read_stream(stderr, &mut err));
        };
        tokio::pin!(streams);
        let mut ended = None;
        let stop = wait_for_stop(setup.stop.clone());
        tokio::select! {
            biased;
            status = wait_for_child(&mut child, &mut streams) => ended = Some(status),
            () = tokio::time::sleep(setup.limit) => output.timed_out = true,
            () = stop => output.stopped = true,
        }
        let status = match ended {
            Some(status) => status,
            None => end_group(&mut child, &mut streams).await,
        };
        output.exit = status.ok().and_then(|status| status.code());
    }
    output.stdout = out.into_text();
    output.stderr = err.into_text();
    Ok(output)
}

/// Waits until the child has ended and its output is read. A process that it left behind may keep the streams open: then
/// what came until now counts.
async fn wait_for_child(
    child: &mut Child,
    streams: &mut std::pin::Pin<&mut impl Future<Output = ()>>,
) -> std::io::Result<std::process::ExitStatus> {
    let mut read = false;
    let status = tokio::select! {
        () = streams.as_mut() => { read = true; child.wait().await }
        status = child.wait() => status,
    };
    if !read {
        let _ = tokio::time::timeout(Duration::from_millis(200), streams.as_mut()).await;
    }
    status
}

/// Ends a group: politely first, so that a request under way is finished.
async fn end_group(
    child: &mut Child,
    streams: &mut std::pin::Pin<&mut impl Future<Output = ()>>,
) -> std::io::Result<std::process::ExitStatus> {
    let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let signal = |signal: Signal| group.map(|group| kill_process_group(group, signal));
    signal(Signal::INT);
    if let Ok(status) = tokio::time::timeout(GRACE, wait_for_child(child, streams)).await {
        // Whatever it has left behind goes, too.
        signal(Signal::KILL);
        return status;
    }
    signal(Signal::KILL);
    child.wait().await
}

async fn wait_for_stop(stop: Option<watch::Receiver<bool>>) {
    let Some(mut stop) = stop else { return std::future::pending().await };
    if stop.wait_for(|raised| *raised).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The beginning and the end of a stream.
#[derive(Default)]
struct OutputBuffer {
    head: Vec<u8>,
    tail: std::collections::VecDeque<u8>,
    dropped: usize,
}

impl OutputBuffer {
    fn push(&mut self, bytes: &[u8]) {
        let room = KEPT - self.head.len().min(KEPT);
        let (head, rest) = bytes.split_at(bytes.len().min(room));
        self.head.extend_from_slice(head);
        self.tail.extend(rest);
        let over = self.tail.len().saturating_sub(KEPT);
        self.tail.drain(..over);
        self.dropped += over;
    }

    fn into_text(self) -> String {
        let mut bytes = self.head;
        if self.dropped > 0 {
            bytes.extend_from_slice(format!("\n[.. {} bytes left out ..]\n", self.dropped).as_bytes());
        }
        bytes.extend(self.tail);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

async fn read_stream(stream: Option<impl AsyncRead + Unpin>, kept: &mut OutputBuffer) {
    let Some(mut stream) = stream else { return };
    let mut buffer = [0; 8192];
    while let Ok(count) = stream.read(&mut buffer).await {
        if count == 0 {
            break;
        }
        kept.push(&buffer[..count]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn shell(script: &str, limit: u64) -> ChildOutput {
        let command = ["sh", "-c", script].map(str::to_owned);
        let environment = [("PATH".to_owned(), std::env::var("PATH").unwrap())];
        let setup = ChildSetup {
            command: &command,
            folder: Path::new("/"),
            environment: &environment,
            limit: Duration::from_millis(limit),
            lock: None,
            stop: None,
        };
        run_child(setup).await.unwrap()
    }

    #[tokio::test(flavor = "current_thread")]
    async fn status_and_streams_are_kept() {
        let output = shell("echo out; echo err >&2; exit 3", 10_000).await;
        assert_eq!((output.exit, &*output.stdout, &*output.stderr), (Some(3), "out\n", "err\n"));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn child_that_hangs_is_ended_with_its_group() {
        let output = shell("trap 'exit 7' INT; sleep 600 & wait", 300).await;
        assert!(output.timed_out);
        assert_eq!(output.exit, Some(7));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn long_output_keeps_its_two_ends() {
        let output = shell("echo begin; head -c 1000000 /dev/zero | tr '\\0' x; echo end", 10_000).await;
        assert!(output.stdout.starts_with("begin") && output.stdout.ends_with("end\n"));
        assert!(output.stdout.len() < 3 * KEPT && output.stdout.contains("bytes left out"));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn process_left_behind_does_not_hold_up_the_end() {
        let output = shell("sleep 600 & echo done", 60_000).await;
        assert_eq!((output.exit, &*output.stdout), (Some(0), "done\n"));
    }
}
