//! What a command needs: the file, the store, and either the daemon or the jobs themselves.

use std::rc::Rc;
use std::time::Duration;

use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::Common;
use super::print::{self, print_json};
use crate::cli::embedded;
use crate::diagnostic::{self, Report};
use crate::exit::Exit;
use crate::gitops::config::GitopsConfig;
use crate::gitops::credentials::CredentialServer;
use crate::gitops::decide::{Answered, JobRequest};
use crate::gitops::engine::{self, GitopsEngine};
use crate::gitops::holder::{Holder, HolderError};
use crate::gitops::hub::Hub;
use crate::gitops::outside::Outside;
use crate::gitops::run::Runner;
use crate::gitops::view::JobRun;
use crate::sandbox::Handle;

/// Between two looks for an answer of the daemon.
const PAUSE: Duration = Duration::from_millis(10);
/// The daemon answers what needs no run within this time.
const PATIENCE: Duration = Duration::from_secs(3);

/// A file that was understood, and its store.
pub(super) struct Session {
    pub config: GitopsConfig,
    pub engine: Rc<dyn GitopsEngine>,
    json: bool,
}

/// Who does what a command wants.
pub(super) enum Worker {
    /// This process.
    Here(Box<Here>),
    /// The daemon that has the state.
    Daemon,
}

/// The jobs in this process.
pub(super) struct Here {
    pub hub: Rc<Hub>,
    pub outside: Outside,
    _holder: Holder,
    _sandbox: Option<Handle>,
    _credentials: Option<CredentialServer>,
}

/// Reads the file, or says what is wrong with it.
pub(super) fn load_config(common: &Common) -> Result<GitopsConfig, Exit> {
    match GitopsConfig::load_file(&common.file) {
        Ok(config) => Ok(config),
        Err(report) => {
            if common.json {
                print_json(&json!({"version": 1, "ok": false, "errors": as_json(&report)}));
            } else {
                crate::cli::output::print_messages(&report, true, Exit::Unparsable);
            }
            Err(Exit::Unparsable)
        }
    }
}

/// Diagnostics as JSON.
pub(super) fn as_json(report: &Report) -> Vec<serde_json::Value> {
    report.iter().map(diagnostic::json::to_json).collect()
}

impl Session {
    /// Reads the file and opens the store.
    pub async fn open_session(common: &Common) -> Result<Self, Exit> {
        let config = load_config(common)?;
        let engine = engine::open_engine(&config)
            .await
            .map_err(|error| print_failure(common.json, &error.to_string(), Exit::General))?;
        Ok(Self { config, engine, json: common.json })
    }

    /// Says why the command does nothing.
    pub fn report_failure(&self, why: &str, exit: Exit) -> Exit {
        print_failure(self.json, why, exit)
    }

    /// Complains about a job that the file does not have.
    pub fn check_job(&self, job: &str) -> Result<(), Exit> {
        if self.config.find_job(job).is_some() {
            return Ok(());
        }
        let near = crate::suggest::find_nearest(job, self.config.jobs.keys());
        let remedy = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("its jobs are {}", self.config.jobs.keys().cloned().collect::<Vec<_>>().join(", ")),
        };
        Err(self
            .report_failure(&format!("`{}` has no job `{job}`; {remedy}", self.config.file.display()), Exit::General))
    }

    /// Finds a run and the job that it is of.
    pub async fn find_run(&self, id: &str) -> Result<JobRun, Exit> {
        match self.engine.load_run(id).await {
            Ok(Some(run)) => Ok(run),
            Ok(None) => Err(self.report_failure(
                &format!("there is no run `{id}`; `ionplay gitops history FILE JOB` lists those of a job"),
                Exit::General,
            )),
            Err(error) => Err(self.report_failure(&error.to_string(), Exit::General)),
        }
    }

    /// Takes the jobs into this process, unless a daemon has them.
    pub async fn take_jobs(self, common: &Common, quiet: bool) -> Result<(Self, Worker), Exit> {
        let holder = match Holder::lock_for_command(&self.config.host_dir()) {
            Ok(holder) => holder,
            Err(HolderError::Daemon(_)) => return Ok((self, Worker::Daemon)),
            Err(error) => return Err(self.report_failure(&error.to_string(), Exit::General)),
        };
        // Workers of other machines have the jobs.
        let is_served = self.engine.is_served().await;
        if is_served.map_err(|error| self.report_failure(&error.to_string(), Exit::General))? {
            return Ok((self, Worker::Daemon));
        }
        let here = open_hub(&self, common, holder, quiet).await?;
        Ok((self, Worker::Here(Box::new(here))))
    }

    /// Asks the daemon, and waits for its answer.
    pub async fn ask_daemon(
        &self,
        job: &str,
        request: &JobRequest,
        patience: Option<Duration>,
    ) -> Result<Answered, Exit> {
        let ticket = self
            .engine
            .post_request(job, request)
            .await
            .map_err(|error| self.report_failure(&error.to_string(), Exit::General))?;
        let began = std::time::Instant::now();
        loop {
            if let Ok(Some(answered)) = self.engine.take_reply(&ticket).await {
                return Ok(answered);
            }
            // A daemon that has gone meanwhile answers nothing any more; its successor will.
            if patience.is_some_and(|patience| began.elapsed() > patience) {
                return Err(self.report_failure(
                    "the daemon that has the state does not answer; the request stays posted",
                    Exit::General,
                ));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Has a request answered by the process that has the jobs.
    pub async fn send_request(&self, worker: &Worker, job: &str, request: &JobRequest) -> Result<Answered, Exit> {
        match worker {
            Worker::Here(here) => here
                .hub
                .answer_request(job, request)
                .await
                .map_err(|error| self.report_failure(&error.to_string(), Exit::General)),
            Worker::Daemon => {
                let patience = if matches!(request, JobRequest::Approve { .. } | JobRequest::Look) {
                    None
                } else {
                    Some(10 * PATIENCE)
                };
                self.ask_daemon(job, request, patience).await
            }
        }
    }

    /// Prints the answer to a request, and returns its exit status.
    pub fn report_answer(&self, answered: &Answered, done: &str) -> Exit {
        match answered {
            Answered::Done { run, merged } => {
                if self.json {
                    print_json(&json!({"version": 1, "run": run, "merged": merged}));
                } else {
                    print::print_line(done);
                }
                Exit::Success
            }
            Answered::Status { .. } => Exit::Success,
            Answered::Refused { why } => self.report_failure(why, Exit::General),
            Answered::OtherPlan { why } => self.report_failure(why, Exit::PlanWorld),
        }
    }
}

/// Opens the jobs in this process.
pub(super) async fn open_hub(session: &Session, common: &Common, holder: Holder, quiet: bool) -> Result<Here, Exit> {
    let failed = |why: String| session.report_failure(&why, Exit::General);
    let sandbox =
        common.sandbox.then(embedded::start_empty_mock).transpose().map_err(|error| failed(error.to_string()))?;
    let program = std::env::current_exe()
        .map_err(|error| failed(format!("cannot determine the path of this program: {error}")))?;
    let config = load_config(common)?;
    let credentials = match config.seal_key_file.is_some() && session.engine.keeps_credentials() {
        true => Some(CredentialServer::start(Rc::clone(&session.engine), &config.state_dir)),
        false => None,
    };
    let credentials = credentials.transpose().map_err(|error| failed(format!("cannot serve passwords: {error}")))?;
    let runner = Runner {
        program,
        state_dir: config.state_dir.clone(),
        seal_key_file: config.seal_key_file.clone(),
        credentials: credentials.as_ref().map(|server| server.socket().to_path_buf()),
        sandbox: sandbox.as_ref().map(Handle::url),
    };
    let log: crate::gitops::hub::LogWriter = if quiet { Box::new(|_| ()) } else { Box::new(print::log_line) };
    let hub = Hub::load_jobs(config, Rc::clone(&session.engine), runner, log)
        .await
        .map_err(|error| failed(error.to_string()))?;
    let outside = Outside::watch_hub(&hub).map_err(|error| failed(error.to_string()))?;
    Ok(Here { hub, outside, _holder: holder, _sandbox: sandbox, _credentials: credentials })
}

/// Ends everything after the request under way when the user or the system asks for it.
pub(super) fn stop_on_signals(hub: &Rc<Hub>) {
    for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
        let Ok(mut signals) = signal(kind) else { continue };
        let hub = Rc::clone(hub);
        tokio::task::spawn_local(async move {
            signals.recv().await;
            hub.request_stop();
        });
    }
}

fn print_failure(json: bool, why: &str, exit: Exit) -> Exit {
    if json {
        print_json(&json!({"version": 1, "ok": false, "error": why}));
    } else {
        crate::cli::plan::refuse_plan(why, exit);
    }
    exit
}
