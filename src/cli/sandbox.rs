//! `ionplay sandbox`: the embedded API as a server to try things on.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};

use super::args::OptionError;
use super::embedded;
use super::terminal::quote_word;
use crate::sandbox::{self, InjectedFault, Latency, Pace, SandboxOptions, Seed};

/// Serve a mock registry on this machine
///
/// The server implements the registry API of IONOS Cloud: registries, tokens, repositories, artifacts and
/// vulnerabilities. It has its own objects and needs no account. It listens on loopback only, its passwords start with
/// `fake-password-`, and it can simulate faults. Stop it with Ctrl-C.
///
/// A fault is `METHOD PATH WHAT [SETTING ..]`: METHOD is a method or `*`, PATH a regular expression, WHAT one of
/// `status=N`, `reset`, `lost` (carried out, but not answered), `slow`, `drip`, `truncate`, `malformed`, `empty`, `html`.
/// Settings are `times=N`, `nth=N`, `delay=20ms`, `before`, `after`, `retry-after=N` (`+N`: as a date), `body=TEXT`.
/// Example: `--fault 'POST /tokens$ status=503 times=1 retry-after=1'`.
#[derive(Debug, clap::Args)]
pub struct SandboxArgs {
    /// Loopback address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))]
    pub listen: SocketAddr,
    /// Save all objects in this file, across restarts
    #[arg(long, value_name = "FILE")]
    pub store: Option<PathBuf>,
    /// Start with the objects in this YAML or JSON file instead of the registry `demo` (unless the store already has
    /// objects)
    #[arg(long, value_name = "FILE")]
    pub seed: Option<PathBuf>,
    /// Delay of every answer, for example `20ms`, or `20ms..50ms` for a random delay in this range
    #[arg(long, value_name = "TIME", value_parser = parse_latency)]
    pub latency: Option<Latency>,
    /// Simulate a fault (may be given again)
    #[arg(long, value_name = "SPEC", value_parser = InjectedFault::parse_fault)]
    pub fault: Vec<InjectedFault>,
    /// Accept this bearer token [default: sandbox-token]
    #[arg(long, value_name = "TOKEN")]
    pub token: Option<String>,
    /// Also accept this user name, with `--password`
    #[arg(long, value_name = "NAME", requires = "password")]
    pub user: Option<String>,
    /// Password of `--user`
    #[arg(long, value_name = "PASSWORD", requires = "user")]
    pub password: Option<String>,
    /// Time until a new registry runs
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = parse_time)]
    pub startup: Duration,
    /// Speed of the server's clock, as a multiple of real time
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    pub time_scale: f64,
    /// Allow duplicate names of registries, and of tokens in a registry
    #[arg(long)]
    pub duplicate_names: bool,
    /// Log every request to this file, one per line
    #[arg(long, value_name = "FILE", conflicts_with = "verbose")]
    pub log: Option<PathBuf>,
    /// Log every request to standard error, one per line
    #[arg(long, short)]
    pub verbose: bool,
}

impl SandboxArgs {
    /// The options of the server; reads the seed and opens the log.
    fn build_options(&self) -> anyhow::Result<SandboxOptions> {
        if !self.time_scale.is_finite() || self.time_scale < 0.0 {
            bail!("`--time-scale` must be zero or more, not `{}`", self.time_scale);
        }
        let seed = embedded::demo_seed();
        let mut options =
            SandboxOptions { listen: self.listen, store: self.store.clone(), seed, ..SandboxOptions::default() };
        if let Some(path) = &self.seed {
            let text =
                crate::input::read_text(path).with_context(|| format!("cannot read the seed `{}`", path.display()))?;
            options.seed = Seed::parse_seed(&text)
                .map_err(|why| anyhow::anyhow!("cannot read the seed `{}`: {why}", path.display()))?;
        }
        if let Some(token) = &self.token {
            options.tokens = vec![token.clone()];
        }
        if let (Some(user), Some(password)) = (&self.user, &self.password) {
            options.logins = vec![(user.clone(), password.clone())];
        }
        options.faults = self.fault.clone();
        options.latency = self.latency.unwrap_or_default();
        options.pace = Pace { new: self.startup / 4, storage: self.startup * 3 / 4, ..options.pace };
        options.time_scale = self.time_scale;
        options.duplicate_names = self.duplicate_names;
        options.log = self.open_sink()?;
        Ok(options)
    }

    fn open_sink(&self) -> anyhow::Result<Option<Box<dyn Write + Send + Sync>>> {
        if let Some(path) = &self.log {
            let file = OpenOptions::new().create(true).append(true).open(path);
            return Ok(Some(Box::new(file.with_context(|| format!("cannot write the log `{}`", path.display()))?)));
        }
        Ok(self.verbose.then(|| Box::new(io::stderr()) as Box<dyn Write + Send + Sync>))
    }
}

/// Serves until Ctrl-C.
pub fn serve_until_signal(args: &SandboxArgs) -> anyhow::Result<()> {
    let options = args.build_options()?;
    let token = options.tokens.first().cloned().unwrap_or_default();
    let server = sandbox::start_server(options)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // The signal is asked for before anything is printed: who reads the URL may already stop us.
        let stop = stop_signal()?;
        write!(io::stdout(), "{}", welcome_text(&server.url(), &token))?;
        io::stdout().flush()?;
        stop.await
    })?;
    drop(server);
    writeln!(io::stderr(), "sandbox stopped")?;
    Ok(())
}

/// Returns the text printed at start; the shell can `eval` standard output.
fn welcome_text(url: &str, token: &str) -> String {
    format!(
        "# sandbox at {url}, Ctrl-C stops it\nexport IONOS_API_URL={url}\nexport IONOS_TOKEN={}\n",
        quote_word(token)
    )
}

/// Waits for Ctrl-C or SIGTERM.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = io::Result<()>>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        Ok(())
    })
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = io::Result<()>>> {
    Ok(tokio::signal::ctrl_c())
}

fn parse_time(text: &str) -> Result<Duration, OptionError> {
    sandbox::parse_duration(text).ok_or_else(|| OptionError::Duration(text.to_owned()))
}

fn parse_latency(text: &str) -> Result<Latency, OptionError> {
    let Some((least, most)) = text.split_once("..") else {
        return Ok(Latency { fixed: parse_time(text)?, jitter: Duration::ZERO });
    };
    let (least, most) = (parse_time(least)?, parse_time(most)?);
    let jitter = most.checked_sub(least).ok_or_else(|| OptionError::ReversedRange(text.to_owned()))?;
    Ok(Latency { fixed: least, jitter })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, clap::Parser)]
    struct Cli {
        #[command(flatten)]
        args: SandboxArgs,
    }

    #[track_caller]
    fn parse(line: &str) -> Result<SandboxArgs, String> {
        Cli::try_parse_from(std::iter::once("sandbox").chain(line.split('|').filter(|word| !word.is_empty())))
            .map(|cli| cli.args)
            .map_err(|why| why.to_string())
    }

    #[test]
    fn options_reach_the_server() {
        let args = parse("--latency|20ms..50ms|--fault|GET . reset|--user|me|--password|pw|--token|t|--startup|8s")
            .expect("options");
        let options = args.build_options().expect("options");
        assert_eq!(
            (options.latency.fixed, options.latency.jitter),
            (Duration::from_millis(20), Duration::from_millis(30))
        );
        assert_eq!((options.pace.new, options.pace.storage), (Duration::from_secs(2), Duration::from_secs(6)));
        assert_eq!((options.tokens, options.logins), (vec!["t".to_owned()], vec![("me".to_owned(), "pw".to_owned())]));
        assert_eq!(options.faults.len(), 1);
    }

    #[test]
    fn bad_options_are_refused() {
        for line in [
            "--fault|GET . explode",
            "--user|me",
            "--listen|localhost",
            "--latency|9s..1s",
            "--log|f|-v",
            "--startup|soon",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
        assert!(parse("--time-scale=-1").expect("a number").build_options().is_err());
        let error = parse("--listen|0.0.0.0:0")
            .expect("an address")
            .build_options()
            .map(sandbox::start_server)
            .expect("options");
        assert!(matches!(error, Err(sandbox::SandboxError::NotLoopback(_))));
    }

    #[test]
    fn the_welcome_can_be_evaluated() {
        let text = welcome_text("http://127.0.0.1:1/containerregistries", "it's");
        assert_eq!(text.lines().nth(1), Some("export IONOS_API_URL=http://127.0.0.1:1/containerregistries"));
        assert_eq!(text.lines().nth(2), Some(r"export IONOS_TOKEN='it'\''s'"));
        assert_eq!(quote_word("sandbox-token"), "sandbox-token");
    }
}
