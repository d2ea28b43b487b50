//! Running a command to its end.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

use super::{CommandOutput, HostCommand, RunError};

/// More than this of one stream is a runaway command rather than a result.
const MOST: u64 = 256 * 1024 * 1024;

/// A pipe that says nothing for this long after the command has ended is empty.
const QUIET: Duration = Duration::from_millis(20);

/// Ends a command and all that it has started, unless it has ended by itself.
struct Group(Option<rustix::process::Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

/// Runs a command. Dropping the future ends it with everything it has started.
pub async fn run_command(command: &HostCommand) -> Result<CommandOutput, RunError> {
    let (program, rest) = command
        .words
        .split_first()
        .ok_or_else(|| RunError::Start(io::Error::new(io::ErrorKind::InvalidInput, "no command given")))?;
    let mut started = tokio::process::Command::new(program);
    started
        .args(rest)
        .envs(command.environment.iter().map(|(name, value)| (name, value)))
        .stdin(if command.stdin.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    if let Some(folder) = &command.folder {
        started.current_dir(folder);
    }
    let mut child = started.spawn().map_err(RunError::Start)?;
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
    let mut group = Group(pid);
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let fed = async {
        if let (Some(mut pipe), Some(content)) = (stdin, &command.stdin) {
            // A command need not read what it is given.
            let _ = pipe.write_all(content).await;
        }
    };
    let ended = tokio::sync::watch::Sender::new(false);
    let exit = async {
        let status = child.wait().await;
        ended.send_replace(true);
        status
    };
    let waited = async {
        let listen = || ended.subscribe();
        let (_, stdout, stderr, status) = tokio::join!(
            until_ended(listen(), fed),
            read_output(stdout, listen()),
            read_output(stderr, listen()),
            exit
        );
        Ok((stdout?, stderr?, status.map_err(RunError::Start)?))
    };
    let (stdout, stderr, status) = match command.timeout {
        Some(limit) => tokio::time::timeout(limit, waited).await.map_err(|_| RunError::Timeout)??,
        None => waited.await?,
    };
    // Processes that the command left in the background keep running.
    group.0 = None;
    let rc = status.code().unwrap_or_else(|| -status.signal().unwrap_or(1));
    Ok(CommandOutput { rc, stdout, stderr })
}

/// Does something for as long as the command runs.
async fn until_ended<T>(mut ended: tokio::sync::watch::Receiver<bool>, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        done = work => Some(done),
        _ = ended.wait_for(|ended| *ended) => None,
    }
}

/// All that a command says. What it has left in the background may keep the pipe open for as long as it likes: once
/// the command itself has ended, only what is in the pipe already is taken.
async fn read_output(
    pipe: Option<impl AsyncRead + Unpin>,
    ended: tokio::sync::watch::Receiver<bool>,
) -> Result<Vec<u8>, RunError> {
    let mut content = Vec::new();
    if let Some(pipe) = pipe {
        let mut pipe = pipe.take(MOST + 1);
        let reading = async {
            // Unlike `read_to_end`, this loses nothing when it is stopped half-way.
            while pipe.read_buf(&mut content).await? > 0 {}
            Ok(())
        };
        if let Some(read) = until_ended(ended, reading).await {
            read.map_err(RunError::Start)?;
        } else {
            while let Ok(read) = tokio::time::timeout(QUIET, pipe.read_buf(&mut content)).await {
                if read.map_err(RunError::Start)? == 0 {
                    break;
                }
            }
        }
    }
    if content.len() as u64 > MOST { Err(RunError::TooMuch) } else { Ok(content) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    #[test]
    fn commands_get_their_input_folder_and_variables() {
        let mut command = HostCommand::for_shell("/bin/sh", "cat; pwd; echo $A >&2; exit 3");
        command.stdin = Some(b"fed\n".to_vec());
        command.folder = Some("/".into());
        command.environment = vec![("A".into(), "x".into())];
        let output = now(run_command(&command)).unwrap();
        assert_eq!(output, CommandOutput { rc: 3, stdout: b"fed\n/\n".to_vec(), stderr: b"x\n".to_vec() });
    }

    #[test]
    fn a_slow_command_is_ended_with_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("f");
        let line = format!("(sleep 1; touch {}) & sleep 5", file.display());
        let mut command = HostCommand::for_shell("/bin/sh", &line);
        command.timeout = Some(Duration::from_millis(100));
        assert!(matches!(now(run_command(&command)), Err(RunError::Timeout)));
        std::thread::sleep(Duration::from_millis(1200));
        assert!(!file.exists());
    }

    #[test]
    fn what_is_left_in_the_background_is_not_waited_for() {
        let before = std::time::Instant::now();
        let output =
            now(run_command(&HostCommand::for_shell("/bin/sh", "sleep 3 & head -c 300000 /dev/zero; echo done")))
                .unwrap();
        assert_eq!((output.stdout.len(), output.rc), (300_005, 0));
        assert!(before.elapsed() < Duration::from_secs(2));
    }
}
