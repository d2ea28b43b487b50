//! `gitops serve`: the daemon.

use std::rc::Rc;
use std::time::Duration;

use clap::Args;
use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};

use super::Common;
use super::print::log_line;
use super::session::{Session, open_hub, stop_on_signals};
use crate::exit::Exit;
use crate::gitops::config::GitopsConfig;
use crate::gitops::daemon::Daemon;
use crate::gitops::holder::{Holder, HolderError};
use crate::gitops::hub::Hub;

/// Run as a daemon, with schedules, hooks, web page and API.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    common: Common,
}

/// Time after which a loop without progress counts as stuck.
const STUCK: Duration = Duration::from_secs(60);

pub(super) async fn serve_jobs(args: &ServeArgs) -> Result<Exit, Exit> {
    let session = Session::open_session(&args.common).await?;
    crate::cli::output::print_messages(&session.config.warnings, true, Exit::Success);
    let holder = Holder::lock_for_daemon(&session.config.host_dir(), &session.config.host).await.map_err(|error| {
        let remedy = match &error {
            HolderError::Daemon(_) => "; end it first, or name another `state_dir`",
            HolderError::Folder { .. } => "",
        };
        session.report_failure(&format!("{error}{remedy}"), Exit::General)
    })?;
    let mut here = open_hub(&session, &args.common, holder, false).await?;
    let daemon = Daemon::new(Rc::clone(&here.hub));
    here.outside
        .serve_endpoints(&daemon)
        .await
        .map_err(|error| session.report_failure(&error.to_string(), Exit::General))?;
    stop_on_signals(&here.hub);
    reload_on_hangup(&here.hub, args.common.clone());
    feed_watchdog(Rc::clone(&daemon));
    let jobs = match session.config.jobs.len() {
        1 => "1 job".to_owned(),
        count => format!("{count} jobs"),
    };
    log_line(&format!("serving {jobs} of {}", args.common.file.display()));
    if let Some(address) = here.outside.address() {
        log_line(&format!("listening on {address}"));
    }
    notify_systemd(&[NotifyState::Ready]);
    daemon.run_loop().await;
    notify_systemd(&[NotifyState::Stopping]);
    here.outside.shut_down().await;
    log_line("ended");
    Ok(Exit::Success)
}

fn notify_systemd(states: &[NotifyState<'_>]) {
    // Without systemd there is no one to notify.
    let _ = sd_notify::notify(states);
}

/// Reads the file again on SIGHUP; keeps the old configuration if the file has mistakes.
fn reload_on_hangup(hub: &Rc<Hub>, common: Common) {
    let Ok(mut hangups) = signal(SignalKind::hangup()) else { return };
    let hub = Rc::clone(hub);
    tokio::task::spawn_local(async move {
        while hangups.recv().await.is_some() {
            match GitopsConfig::load_file(&common.file) {
                Ok(mut config) => {
                    let kept = config.keep_fixed_keys(&hub.config());
                    match hub.reload_config(config).await {
                        Ok(()) => log_line(&format!("read {} again{}", common.file.display(), describe_kept(&kept))),
                        Err(error) => log_line(&format!("the file of before stays in use: {error}")),
                    }
                }
                Err(report) => {
                    crate::cli::output::print_messages(&report, true, Exit::Unparsable);
                    log_line(&format!("{} is not understood; the file of before stays in use", common.file.display()));
                }
            }
        }
    });
}

/// Says which changes of the file need another process.
fn describe_kept(keys: &[&str]) -> String {
    if keys.is_empty() {
        return String::new();
    }
    let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    format!("; to change {}, end this program and start it again", keys.join(", "))
}

/// Notifies the watchdog of systemd while the loop makes progress.
fn feed_watchdog(daemon: Rc<Daemon>) {
    let Some(period) = sd_notify::watchdog_enabled() else { return };
    tokio::task::spawn_local(async move {
        loop {
            tokio::time::sleep(period / 3).await;
            if daemon.loop_age().is_some_and(|age| age < STUCK) {
                notify_systemd(&[NotifyState::Watchdog]);
            }
        }
    });
}
