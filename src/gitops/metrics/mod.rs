//! Metrics in the formats of OpenMetrics and Prometheus.
//!
//! Counters live as long as the process. What describes a job (its state, its clocks, its drift) is taken from the
//! status when it is asked for, so that no series of a removed job or an old commit stays behind.

mod gauges;
mod labels;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::encoding::{prometheus_text, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::view::{GitopsStatus, Outcome};
use labels::{JobLabel, OutcomeLabel, ReasonLabel, ResultLabel, SinkLabel, TokenLabel};

/// Prefix of all names.
const PREFIX: &str = "ionplay_gitops";

/// Constructor of histograms, so that their family needs no closure type.
type HistogramFamily = Family<JobLabel, Histogram, fn() -> Histogram>;

/// A format of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricsFormat {
    /// OpenMetrics 1.0.0.
    OpenMetrics,
    /// Text of Prometheus 0.0.4, which node_exporter reads, too.
    Text,
}

impl MetricsFormat {
    /// Returns the format that an `Accept` header asks for: OpenMetrics, unless only the older one is acceptable.
    pub fn from_accept(accept: Option<&str>) -> Self {
        let accept = accept.unwrap_or("*/*");
        let accepts =
            |kind: &str| accept.split(',').any(|one| one.split(';').next().is_some_and(|one| one.trim() == kind));
        if !accepts("application/openmetrics-text") && accepts("text/plain") { Self::Text } else { Self::OpenMetrics }
    }

    /// Returns the content type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Text => prometheus_text::CONTENT_TYPE,
        }
    }
}

/// Result of a request to a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookResult {
    /// A run was queued.
    Accepted,
    /// A queued run serves the request, too.
    Merged,
    /// A test of the connection.
    Ping,
    /// The signature was wrong or too old.
    Unauthorized,
    /// No such job, or a job without a hook.
    Unknown,
    /// The body was too large.
    TooLarge,
    /// Too many requests within a minute.
    Limited,
    /// The core could not take the request.
    Failed,
}

impl HookResult {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Merged => "merged",
            Self::Ping => "ping",
            Self::Unauthorized => "unauthorized",
            Self::Unknown => "unknown",
            Self::TooLarge => "too_large",
            Self::Limited => "limited",
            Self::Failed => "failed",
        }
    }
}

/// Counters of one process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    polls: Counter,
    poll_errors: Counter,
    poll_duration: Histogram,
    webhook_requests: Family<ResultLabel, Counter>,
    webhook_duration: Histogram,
    runs: Family<OutcomeLabel, Counter>,
    run_errors: Family<JobLabel, Counter>,
    run_duration: HistogramFamily,
    runs_active: Gauge,
    runs_queued: Gauge,
    scheduled_run_skipped: Counter,
    lock_wait: Histogram,
    takeovers: Counter,
    lease_lost: Counter,
    plan_undetermined: Counter,
    commits_refused: Family<ReasonLabel, Counter>,
    last_success: Family<JobLabel, Gauge>,
    token_expiry: Family<TokenLabel, Gauge>,
    token_rotation: Family<TokenLabel, Gauge>,
    notifications: Family<SinkLabel, Counter>,
    notification_queue: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let run_duration = HistogramFamily::new_with_constructor(new_run_histogram);
        let metrics = Self {
            polls: Counter::default(),
            poll_errors: Counter::default(),
            poll_duration: new_request_histogram(),
            webhook_requests: Family::default(),
            webhook_duration: new_request_histogram(),
            runs: Family::default(),
            run_errors: Family::default(),
            run_duration,
            runs_active: Gauge::default(),
            runs_queued: Gauge::default(),
            scheduled_run_skipped: Counter::default(),
            lock_wait: new_request_histogram(),
            takeovers: Counter::default(),
            lease_lost: Counter::default(),
            plan_undetermined: Counter::default(),
            commits_refused: Family::default(),
            last_success: Family::default(),
            token_expiry: Family::default(),
            token_rotation: Family::default(),
            notifications: Family::default(),
            notification_queue: Gauge::default(),
            registry: Registry::default(),
        };
        metrics.register_metrics(&mut registry);
        Self { registry, ..metrics }
    }
}

impl Metrics {
    fn register_metrics(&self, registry: &mut Registry) {
        let seconds = Unit::Seconds;
        registry.register("polls", "Looks at repositories", self.polls.clone());
        registry.register("poll_errors", "Looks at repositories that failed", self.poll_errors.clone());
        registry.register_with_unit("poll_duration", "Time of a look", seconds.clone(), self.poll_duration.clone());
        registry.register("webhook_requests", "Requests to hooks, by result", self.webhook_requests.clone());
        registry.register_with_unit(
            "webhook_duration",
            "Time until a hook was answered",
            seconds.clone(),
            self.webhook_duration.clone(),
        );
        registry.register("runs", "Runs that ended, by outcome", self.runs.clone());
        registry.register("run_errors", "Runs that failed or were refused", self.run_errors.clone());
        registry.register_with_unit("run_duration", "Time of a run", seconds.clone(), self.run_duration.clone());
        registry.register("runs_active", "Runs under way", self.runs_active.clone());
        registry.register("runs_queued", "Runs that wait for their turn", self.runs_queued.clone());
        registry.register(
            "scheduled_run_skipped",
            "Times of a schedule that were passed over",
            self.scheduled_run_skipped.clone(),
        );
        registry.register_with_unit("lock_wait", "Time a run waited for its job", seconds, self.lock_wait.clone());
        registry.register("takeovers", "Runs taken over from another host", self.takeovers.clone());
        registry.register("lease_lost", "Runs stopped because another host took them", self.lease_lost.clone());
        registry.register("plan_undetermined", "Plans with undetermined tasks", self.plan_undetermined.clone());
        registry.register("commits_refused", "Commits that were refused, by reason", self.commits_refused.clone());
        registry.register(
            "job_last_success_timestamp_seconds",
            "When a run of the job last succeeded",
            self.last_success.clone(),
        );
        registry.register("token_expiry_timestamp_seconds", "When a token ends", self.token_expiry.clone());
        registry.register(
            "token_rotation_last_success_timestamp_seconds",
            "When a token was last created or replaced",
            self.token_rotation.clone(),
        );
        registry.register("notifications", "Notifications, by sink and result", self.notifications.clone());
        registry.register("notification_queue", "Notifications to be sent", self.notification_queue.clone());
    }

    /// Counts a look at a repository.
    pub fn count_poll(&self, took: Duration, succeeded: bool) {
        self.polls.inc();
        self.poll_duration.observe(took.as_secs_f64());
        if !succeeded {
            self.poll_errors.inc();
        }
    }

    /// Counts a request to a hook.
    pub fn count_hook(&self, result: HookResult, took: Duration) {
        self.webhook_requests.get_or_create(&ResultLabel { result: result.as_str() }).inc();
        self.webhook_duration.observe(took.as_secs_f64());
    }

    /// Counts a run that has ended.
    pub fn count_run(&self, job: &str, outcome: Outcome, took: Duration) {
        self.runs.get_or_create(&OutcomeLabel { job: job.to_owned(), outcome: outcome.as_str() }).inc();
        self.run_duration.get_or_create(&JobLabel::new(job)).observe(took.as_secs_f64());
        if matches!(outcome, Outcome::Failed | Outcome::Refused) {
            self.run_errors.get_or_create(&JobLabel::new(job)).inc();
        }
    }

    /// Notes when a job last succeeded.
    pub fn set_last_success(&self, job: &str, at: Timestamp) {
        self.last_success.get_or_create(&JobLabel::new(job)).set(at.as_second());
    }

    /// Notes how many runs are under way and how many wait.
    pub fn set_runs(&self, active: usize, queued: usize) {
        self.runs_active.set(to_gauge(active));
        self.runs_queued.set(to_gauge(queued));
    }

    /// Counts a time of a schedule that was passed over.
    pub fn count_skipped_schedule(&self) {
        self.scheduled_run_skipped.inc();
    }

    /// Counts how long a run waited for its job.
    pub fn count_lock_wait(&self, took: Duration) {
        self.lock_wait.observe(took.as_secs_f64());
    }

    /// Counts a run that was taken over from another host.
    pub fn count_takeover(&self) {
        self.takeovers.inc();
    }

    /// Counts a run that was stopped because another host took it.
    pub fn count_lost_lease(&self) {
        self.lease_lost.inc();
    }

    /// Counts a plan with undetermined tasks.
    pub fn count_undetermined_plan(&self) {
        self.plan_undetermined.inc();
    }

    /// Counts a refused commit: `unsigned`, `rewritten`, `untrusted`, ...
    pub fn count_refused_commit(&self, reason: &'static str) {
        self.commits_refused.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// Notes when a token ends.
    pub fn set_token_expiry(&self, registry: &str, token: &str, at: Timestamp) {
        self.token_expiry.get_or_create(&TokenLabel::new(registry, token)).set(at.as_second());
    }

    /// Notes when a token was last created or replaced.
    pub fn set_token_rotation(&self, registry: &str, token: &str, at: Timestamp) {
        self.token_rotation.get_or_create(&TokenLabel::new(registry, token)).set(at.as_second());
    }

    /// Counts a notification: `sent`, `retried` or `dropped`.
    pub fn count_notification(&self, sink: &str, result: &'static str) {
        self.notifications.get_or_create(&SinkLabel { sink: sink.to_owned(), result }).inc();
    }

    /// Notes how many notifications are to be sent.
    pub fn set_notification_queue(&self, length: usize) {
        self.notification_queue.set(to_gauge(length));
    }

    /// Writes everything as text.
    ///
    /// # Errors
    /// Never, as long as there is memory.
    pub fn encode_text(&self, status: &GitopsStatus, format: MetricsFormat) -> Result<String, std::fmt::Error> {
        let gauges = gauges::read_gauges(status);
        let mut out = String::new();
        match format {
            MetricsFormat::OpenMetrics => {
                text::encode_registry(&mut out, &gauges)?;
                text::encode_registry(&mut out, &self.registry)?;
                out.write_str("# EOF\n")?;
            }
            MetricsFormat::Text => {
                prometheus_text::encode(&mut out, &gauges)?;
                prometheus_text::encode(&mut out, &self.registry)?;
            }
        }
        Ok(out)
    }

    /// Writes everything to a file that node_exporter collects; its readers see the old text or the new one.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write_file(&self, status: &GitopsStatus, path: &Path) -> io::Result<()> {
        let text = self.encode_text(status, MetricsFormat::Text).map_err(io::Error::other)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new().prefix(".ionplay-metrics").tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
        file.persist(path)?;
        Ok(())
    }
}

fn new_request_histogram() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 4.0, 9))
}

fn new_run_histogram() -> Histogram {
    Histogram::new([0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 1800.0])
}

fn to_gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
