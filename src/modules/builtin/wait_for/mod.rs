//! `wait_for`: a port, a file, or a time.

mod connections;

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};

use super::files::describe_path;
use crate::host::HostApi;
use crate::modules::spec::{CheckSupport, Param, ParamKind};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::template::python::regex::Pattern;
use crate::template::python::regex_syntax::RegexFlags;
use crate::value::{Dict, Value, python};

static SPEC: Spec = Spec::new("ansible.builtin.wait_for", "Waits for a port, a file, or a duration.")
    .examples(include_str!("../examples/wait_for.yml"))
    .check(CheckSupport::None)
    .params(&[&[
        Param::str("host", "Name or address of the host with the port.").default("127.0.0.1"),
        Param::int("timeout", "Maximum seconds to wait.").default("300"),
        Param::int("connect_timeout", "Maximum seconds for one connection attempt.").default("5"),
        Param::int("delay", "Seconds before the first check.").default("0"),
        Param::int("port", "Port number."),
        Param::list(
            "active_connection_states",
            &ParamKind::Str,
            "TCP states that count as a connection for `drained`.",
        )
        .default("ESTABLISHED,FIN_WAIT1,FIN_WAIT2,SYN_RECV,SYN_SENT,TIME_WAIT"),
        Param::path("path", "Path of the file."),
        Param::str("search_regex", "Regular expression that the file or the port's output must match."),
        Param::str("state", "State to wait for.")
            .default("started")
            .choices(&["absent", "drained", "present", "started", "stopped"]),
        Param::list("exclude_hosts", &ParamKind::Str, "Hosts whose connections are ignored for `drained`."),
        Param::int("sleep", "Seconds between checks.").default("1"),
        Param::str("msg", "Message at the end of an unsuccessful wait."),
    ]]);

/// The most that is read of a port in the search for a text.
const LIMIT: usize = 64 << 20;

/// The module.
pub struct WaitFor;

impl TaskModule for WaitFor {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(run_wait_for(args, context))
    }
}

/// A wait that cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WaitError {
    /// A TCP state does not exist.
    #[error("unknown active_connection_state ({0}) defined")]
    UnknownState(String),
    /// The file is there and cannot be looked at.
    #[error("Failed to stat {path}, {why}")]
    Stat {
        /// The file.
        path: String,
        /// Error of the system, without its number.
        why: String,
    },
}

/// Condition to wait for.
struct WaitCondition<'a> {
    files: &'a dyn HostApi,
    host: &'a str,
    port: Option<i64>,
    path: Option<&'a str>,
    pattern: Option<Rc<Pattern>>,
    connect_timeout: Duration,
    end: Instant,
    sleep: Duration,
}

/// The groups of the match.
#[derive(Default)]
struct Found {
    groups: Vec<Value>,
    named: Dict,
}

async fn run_wait_for(args: &ModuleArgs, context: &TaskContext<'_>) -> Result<ModuleOutcome, Failure> {
    let (port, path) = (args.int("port").filter(|port| *port != 0), args.str("path").filter(|path| !path.is_empty()));
    let state = args.str("state").unwrap_or("started");
    let start = Instant::now();
    let with_time = |message: String| Failure::new(message).with("elapsed", start.elapsed().as_secs());
    let pattern = args.str("search_regex").map(compile_pattern).transpose()?;
    if let Some(refusal) = refuse_combination(args, state, port, path) {
        return Err(with_time(refusal.to_owned()));
    }
    let states = connections::state_numbers(&text_list(args, "active_connection_states"))
        .map_err(|unknown| with_time(unknown.to_string()))?;
    let limit = seconds_arg(args, "timeout");
    let wish = WaitCondition {
        files: context.host,
        host: args.str("host").unwrap_or("127.0.0.1"),
        port,
        path,
        pattern,
        connect_timeout: seconds_arg(args, "connect_timeout"),
        end: start + limit,
        sleep: seconds_arg(args, "sleep"),
    };
    sleep(seconds_arg(args, "delay")).await;
    let target = wish.describe_target();
    context.progress.show_message(&format!("waiting for {target}"));
    let given_up = |usual: String| with_time(args.str("msg").map_or(usual, str::to_owned));
    let mut found = Found::default();
    match state {
        "drained" => {
            let excluded = text_list(args, "exclude_hosts");
            let watch = connections::ConnectionCounter::new(wish.host, port.unwrap_or(0), &excluded, states).await?;
            if !wish.wait_until(async || watch.count_connections() == 0).await {
                return Err(given_up(format!("Timeout when waiting for {target} to drain")));
            }
        }
        _ if port.is_none() && path.is_none() => sleep(limit).await,
        "absent" | "stopped" => {
            if !wish.wait_until(async || wish.is_gone().await).await {
                let what = if port.is_some() { "to stop." } else { "to be absent." };
                return Err(given_up(format!("Timeout when waiting for {target} {what}")));
            }
        }
        _ => found = wish.wait_until_found(args.str("search_regex"), &target).await.map_err(given_up)?,
    }
    Ok(ModuleOutcome::new(false, result_data(args, &wish, found, start)))
}

/// The mistake in options that do not go together.
fn refuse_combination(args: &ModuleArgs, state: &str, port: Option<i64>, path: Option<&str>) -> Option<&'static str> {
    match state {
        _ if port.is_some() && path.is_some() => Some("port and path parameter can not both be passed to wait_for"),
        "stopped" if path.is_some() => {
            Some("state=stopped should only be used for checking a port in the wait_for module")
        }
        "drained" if path.is_some() => {
            Some("state=drained should only be used for checking a port in the wait_for module")
        }
        "drained" => None,
        _ if args.get("exclude_hosts").is_some() => Some("exclude_hosts should only be with state=drained"),
        _ => None,
    }
}

fn result_data(args: &ModuleArgs, wish: &WaitCondition<'_>, found: Found, start: Instant) -> Dict {
    let mut data = Dict::new();
    data.set("state", args.str("state").unwrap_or("started").into());
    data.set("port", wish.port.into());
    data.set("search_regex", args.str("search_regex").into());
    data.set("match_groups", Value::list(found.groups));
    data.set("match_groupdict", found.named.into());
    data.set("path", wish.path.into());
    data.set("elapsed", start.elapsed().as_secs().into());
    if let Some(path) = wish.path {
        describe_path(Path::new(path), &mut data);
    }
    data
}

impl WaitCondition<'_> {
    fn describe_target(&self) -> String {
        match (self.port, self.path) {
            (Some(port), _) => format!("{}:{port}", self.host),
            (None, Some(path)) => path.to_owned(),
            (None, None) => format!("{}:None", self.host),
        }
    }

    /// Looks until the file or the port is as it should be.
    ///
    /// # Errors
    /// With a message, if time is over before, or the file cannot be looked at.
    async fn wait_until_found(&self, search: Option<&str>, target: &str) -> Result<Found, String> {
        loop {
            if Instant::now() >= self.end {
                return Err(match search {
                    Some(search) => format!("Timeout when waiting for search string {search} in {target}"),
                    None if self.path.is_some() => format!("Timeout when waiting for file {target}"),
                    None => format!("Timeout when waiting for {target}"),
                });
            }
            match self.poll_once().await.map_err(|error| error.to_string())? {
                Some(found) => return Ok(found),
                None => self.sleep_interval().await,
            }
        }
    }

    /// Looks until something holds; false if time is over before.
    async fn wait_until(&self, holds: impl AsyncFn() -> bool) -> bool {
        while Instant::now() < self.end {
            if holds().await {
                return true;
            }
            self.sleep_interval().await;
        }
        false
    }

    /// Until the next look; not beyond the end.
    async fn sleep_interval(&self) {
        sleep_until((Instant::now() + self.sleep).min(self.end)).await;
    }

    async fn is_gone(&self) -> bool {
        match self.path {
            Some(path) => !self.files.exists(Path::new(path)),
            None => self.connect_port().await.is_none(),
        }
    }

    async fn connect_port(&self) -> Option<TcpStream> {
        let port = u16::try_from(self.port?).ok()?;
        let limit = self.connect_timeout.min(self.end.saturating_duration_since(Instant::now()));
        timeout(limit, TcpStream::connect((self.host, port))).await.ok()?.ok()
    }

    /// One look at the file or the port; nothing if it is not yet as it should be.
    async fn poll_once(&self) -> Result<Option<Found>, WaitError> {
        if let Some(path) = self.path {
            if let Err(error) = self.files.metadata(Path::new(path), true) {
                if error.kind() == std::io::ErrorKind::NotFound {
                    return Ok(None);
                }
                let why = crate::input::describe_io_error(&error);
                return Err(WaitError::Stat { path: path.to_owned(), why });
            }
            return Ok(match &self.pattern {
                None => Some(Found::default()),
                Some(pattern) => {
                    self.files.read(Path::new(path)).ok().and_then(|content| search_content(pattern, &content))
                }
            });
        }
        let Some(mut stream) = self.connect_port().await else { return Ok(None) };
        let Some(pattern) = &self.pattern else {
            let _ = stream.shutdown().await;
            return Ok(Some(Found::default()));
        };
        let (mut said, mut part) = (Vec::new(), [0; 1024]);
        while let Ok(Ok(length @ 1..)) = timeout_at(self.end, stream.read(&mut part)).await {
            said.extend_from_slice(&part[..length]);
            // The groups of what a port says are not kept, as in the reference.
            if search_content(pattern, &said).is_some() {
                return Ok(Some(Found::default()));
            }
            if said.len() > LIMIT {
                break;
            }
        }
        Ok(None)
    }
}

fn search_content(pattern: &Pattern, content: &[u8]) -> Option<Found> {
    let text = String::from_utf8_lossy(content);
    let captures = pattern.search(&text, 0).ok()??;
    let group = |number: usize| Value::from(captures.get(number).map(|found| Value::text(found.as_str())));
    let groups = (1..=pattern.groups()).map(group).collect();
    let mut named = Dict::new();
    for (number, name) in pattern.names().into_iter().enumerate() {
        if let Some(name) = name {
            named.set(name, group(number));
        }
    }
    Some(Found { groups, named })
}

fn compile_pattern(text: &str) -> Result<Rc<Pattern>, Failure> {
    Pattern::compile(text, RegexFlags { multi_line: true, ..RegexFlags::default() })
        .map_err(|fault| Failure::new(format!("Invalid regular expression: {fault}")))
}

fn text_list(args: &ModuleArgs, name: &str) -> Vec<String> {
    args.get(name).and_then(Value::as_slice).unwrap_or_default().iter().map(python::str).collect()
}

fn seconds_arg(args: &ModuleArgs, name: &str) -> Duration {
    // A year is as good as for ever, and can be added to any time.
    Duration::from_secs(args.int(name).and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(0).min(31_536_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(port: Option<i64>, path: Option<&str>, search: Option<&str>) -> WaitCondition<'static> {
        WaitCondition {
            files: &crate::host::RealHost,
            host: "127.0.0.1",
            port,
            path: path.map(|path| &*path.to_owned().leak()),
            pattern: search.map(|text| compile_pattern(text).unwrap()),
            connect_timeout: Duration::from_secs(1),
            end: Instant::now() + Duration::from_secs(5),
            sleep: Duration::from_millis(1),
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_file_is_searched() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "one\ntwo 2\n").unwrap();
        let path = file.path().to_str();
        let found = wish(None, path, Some(r"^two (?P<n>\d)")).poll_once().await.unwrap().unwrap();
        assert_eq!((found.groups.len(), found.named.get("n")), (1, Some(&"2".into())));
        assert!(wish(None, path, Some("three")).poll_once().await.unwrap().is_none());
        assert!(wish(None, Some("/no/such/file"), None).poll_once().await.unwrap().is_none());
        assert!(!wish(None, path, None).is_gone().await);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_port_is_asked() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = Some(i64::from(listener.local_addr().unwrap().port()));
        assert!(wish(port, None, None).poll_once().await.unwrap().is_some());
        std::thread::spawn(move || {
            let _ = listener.accept();
            let (mut stream, _) = listener.accept().unwrap();
            std::io::Write::write_all(&mut stream, b"220 ready\r\n").unwrap();
        });
        assert!(wish(port, None, Some("ready")).poll_once().await.unwrap().is_some());
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_closed_port_is_gone() {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        assert!(wish(Some(port.into()), None, None).is_gone().await);
    }
}
