//! One entry of `jobs`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use super::defaults::Layered;
use super::forge::{self, ForgeConfig};
use super::git::{self, GitConfig};
use super::notify::NotifierConfig;
use super::reader::{Mapping, key_text, scalar_text};
use super::secret::SecretSource;
use super::time::CronSchedule;
use crate::value::Value;
use crate::value::json::{self, JsonStyle};

/// How a job applies a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Plan, then apply exactly that.
    Plan,
    /// A plain run.
    Direct,
}

/// Reaction to drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drift {
    /// Tell it.
    Report,
    /// Put it right.
    Correct,
}

/// When a plan may be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Approval {
    /// At once.
    Auto,
    /// When a person has approved it.
    Manual,
    /// When a person has approved it, or no person has rejected it for so long.
    After(Duration),
    /// At once, unless it has an action of one of these kinds.
    ManualIf(Vec<ActionKind>),
}

/// A kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionKind {
    /// An object is created.
    Create,
    /// An object is updated.
    Update,
    /// An object is replaced.
    Replace,
    /// An object is deleted.
    Delete,
    /// A task whose effect is known only after apply.
    Undetermined,
}

/// Handling of objects that the job made and no longer names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PruneMode {
    /// Nothing.
    Off,
    /// The status lists them.
    Report,
    /// Tokens are disabled.
    Disable,
    /// Tokens are disabled, and what is not named for the grace period is deleted.
    Delete,
}

/// `prune`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prune {
    /// The mode.
    pub mode: PruneMode,
    /// How long an object may be unnamed before it is deleted.
    pub grace: Duration,
}

/// `retry`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Pause after the first failure.
    pub first: Duration,
    /// The longest pause.
    pub max: Duration,
}

/// `runs_on`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placement {
    /// On any host.
    Any,
    /// On one of these hosts.
    Hosts(Vec<String>),
    /// On every host.
    Every,
}

/// A value of `environment`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Environment {
    /// Text that may be shown.
    Plain(String),
    /// A secret.
    Secret(SecretSource),
}

/// `hook`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookConfig {
    /// One secret, or two while they rotate.
    pub secrets: Vec<SecretSource>,
    /// The only sender that is accepted, by its word; without it, any.
    pub kind: Option<&'static str>,
}

/// Senders of hooks by the words of `hook.type`.
pub const HOOK_TYPES: &[&str] = &["github", "gitlab", "gitea", "forgejo", "gogs", "bitbucket", "generic", "standard"];

/// A job.
#[derive(Debug, Clone)]
pub struct JobConfig {
    /// Name of the job.
    pub name: String,
    /// The repository.
    pub git: GitConfig,
    /// The playbooks, relative to `git.path`.
    pub playbooks: Vec<String>,
    /// `-i`
    pub inventory: Vec<String>,
    /// `--limit`
    pub limit: Option<String>,
    /// `--tags`
    pub tags: Vec<String>,
    /// `--skip-tags`
    pub skip_tags: Vec<String>,
    /// `-e`, as JSON; empty without variables.
    pub extra_vars: String,
    /// `-e @FILE`
    pub extra_vars_files: Vec<String>,
    /// `--vault-id`
    pub vault_ids: Vec<String>,
    /// Environment of the runs.
    pub environment: IndexMap<String, Environment>,
    /// How a commit is applied.
    pub mode: Mode,
    /// How often the repository is looked at.
    pub poll: Duration,
    /// When the job runs by the clock.
    pub schedule: Option<CronSchedule>,
    /// How often drift is looked for, and what is done about it.
    pub drift: Option<(Duration, Drift)>,
    /// Patterns `KIND/NAME/FIELD` of drift that does not count.
    pub drift_ignore: Vec<String>,
    /// A token that ends sooner makes the job due.
    pub expiry: Option<Duration>,
    /// Pauses after failures.
    pub retry: Retry,
    /// When a plan may be applied.
    pub approve: Approval,
    /// Treatment of objects that are no longer named.
    pub prune: Prune,
    /// Jobs that have to be fine, and run, before this one.
    pub depends_on: Vec<String>,
    /// Where it runs.
    pub runs_on: Placement,
    /// How long a run may take, each of its steps included.
    pub timeout: Duration,
    /// How many runs are kept.
    pub keep_runs: usize,
    /// The job's hook; without secrets there is none.
    pub hook: Option<HookConfig>,
    /// Where commit statuses and comments go.
    pub forge: Option<ForgeConfig>,
    /// Names of the notifiers.
    pub notify: Vec<String>,
    /// Whether the file suspends the job.
    pub suspend: bool,
}

/// The keys of a job, and of `defaults`.
pub(super) const KEYS: &[&str] = &[
    "git",
    "playbook",
    "inventory",
    "limit",
    "tags",
    "skip_tags",
    "extra_vars",
    "extra_vars_files",
    "vault_ids",
    "environment",
    "mode",
    "poll",
    "schedule",
    "timezone",
    "drift",
    "expiry",
    "retry",
    "approve",
    "prune",
    "depends_on",
    "runs_on",
    "timeout",
    "keep_runs",
    "hook",
    "forge",
    "notify",
    "suspend",
];

const SECOND: Duration = Duration::from_secs(1);

/// Reads a job.
pub(super) fn read(
    name: &str,
    all: &Layered<'_>,
    notifiers: &IndexMap<String, Arc<NotifierConfig>>,
) -> Option<JobConfig> {
    all.own.refuse_unknown(KEYS);
    let texts = |key: &str| all.layer_with(key).read_texts(key);
    let paths = |key: &str| texts(key).iter().map(|text| local_or_repository(all.layer_with(key), key, text)).collect();
    let git = git::read(all.layer_with("git"), name);
    let playbooks = read_playbooks(name, all);
    let forge = forge::read(all.layer_with("forge"), name, git.as_ref());
    let mode = all
        .layer_with("mode")
        .read_word("mode", &[("plan", Mode::Plan), ("direct", Mode::Direct)])
        .unwrap_or(Mode::Plan);
    let (drift, drift_ignore) = read_drift(all.layer_with("drift"));
    let job = JobConfig {
        name: name.to_owned(),
        git: git?,
        playbooks,
        inventory: paths("inventory"),
        limit: all.layer_with("limit").read_text("limit"),
        tags: texts("tags"),
        skip_tags: texts("skip_tags"),
        extra_vars: read_extra_vars(all.layer_with("extra_vars")),
        extra_vars_files: paths("extra_vars_files"),
        vault_ids: texts("vault_ids").iter().map(|id| read_vault_id(all.layer_with("vault_ids"), id)).collect(),
        environment: read_environment(all.layer_with("environment")),
        mode,
        poll: all.layer_with("poll").read_duration("poll").unwrap_or(60 * SECOND),
        schedule: read_schedule(all),
        drift,
        drift_ignore,
        expiry: read_expiry(all.layer_with("expiry")),
        retry: read_retry(all.layer_with("retry")),
        approve: read_approval(all.layer_with("approve")),
        prune: read_prune(all.layer_with("prune")),
        depends_on: texts("depends_on"),
        runs_on: read_placement(all.layer_with("runs_on")),
        timeout: all.layer_with("timeout").read_duration("timeout").unwrap_or(1800 * SECOND),
        keep_runs: all.layer_with("keep_runs").read_count("keep_runs").unwrap_or(50),
        hook: read_hook(all.layer_with("hook"), name),
        forge,
        notify: texts("notify"),
        suspend: all.layer_with("suspend").read_flag("suspend").unwrap_or_default(),
    };
    check_combinations(all, &job, notifiers);
    Some(job)
}

fn read_playbooks(name: &str, all: &Layered<'_>) -> Vec<String> {
    let layer = all.layer_with("playbook");
    if layer.find_entry("playbook").is_none() {
        let message = format!("job `{name}` has no `playbook`");
        layer.reader.add_message(all.own.mapping_error(message).hint("write `playbook: site.yml`"));
    }
    let playbooks = layer.read_texts("playbook");
    playbooks.iter().for_each(|playbook| git::check_inner_path(layer, "playbook", playbook));
    playbooks
}

/// Files of the repository stay relative; `/...` is a file of this machine.
fn local_or_repository(layer: &Mapping<'_>, key: &str, text: &str) -> String {
    if !text.starts_with('/') && !text.contains(',') {
        git::check_inner_path(layer, key, text);
    }
    text.to_owned()
}

fn read_vault_id(layer: &Mapping<'_>, text: &str) -> String {
    let (id, file) = text.split_once('@').map_or(("", text), |(id, file)| (id, file));
    let path = layer.reader.resolve_path(file);
    if let Some(entry) = layer.find_entry("vault_ids") {
        let message = match (file, std::fs::File::open(&path)) {
            ("prompt", _) => "a run cannot ask for a vault password".to_owned(),
            (_, Err(error)) => {
                format!(
                    "cannot read the vault password in `{}`: {}",
                    path.display(),
                    crate::playbook::loader::plain_error(&error)
                )
            }
            (_, Ok(_)) => {
                return if id.is_empty() { path.display().to_string() } else { format!("{id}@{}", path.display()) };
            }
        };
        layer.reader.add_error(
            entry.value.span(),
            message,
            "name a file: `vault_ids: [\"prod@/run/credentials/vault\"]`",
        );
    }
    text.to_owned()
}

fn read_extra_vars(layer: &Mapping<'_>) -> String {
    match layer.read_mapping("extra_vars", "`extra_vars`").and_then(|_| layer.find_entry("extra_vars")) {
        Some(entry) if !entry.value.entries().unwrap_or_default().is_empty() => {
            json::to_string(&entry.value.to_value(), JsonStyle::EVENT)
        }
        _ => String::new(),
    }
}

fn read_environment(layer: &Mapping<'_>) -> IndexMap<String, Environment> {
    let mut environment = IndexMap::new();
    let Some(all) = layer.read_mapping("environment", "`environment`") else { return environment };
    for entry in all.entries() {
        let name = key_text(entry);
        if name.is_empty() || name.contains(['=', '\0']) || name.starts_with("IONPLAY_") {
            let remedy = "names with `=` are impossible, and those with `IONPLAY_` are set by this program";
            all.reader.add_error(entry.key.span(), format!("`{name}` cannot be set in `environment`"), remedy);
            continue;
        }
        let value = match (scalar_text(&entry.value), entry.value.scalar()) {
            (Some(text), _) => Some(Environment::Plain(text)),
            (None, Some(Value::Bool(_))) => Some(Environment::Plain(entry.value.span().text().trim().to_owned())),
            (None, Some(Value::Null)) => Some(Environment::Plain(String::new())),
            _ => all.secret_value(&name, &entry.value).map(Environment::Secret),
        };
        environment.extend(value.map(|value| (name, value)));
    }
    environment
}

fn read_schedule(all: &Layered<'_>) -> Option<CronSchedule> {
    let zone_layer = all.layer_with("timezone");
    let zone = zone_layer.read_text("timezone").unwrap_or_else(|| "UTC".to_owned());
    if let (Some(entry), Err(_)) = (zone_layer.find_entry("timezone"), CronSchedule::parse_cron("* * * * *", &zone)) {
        let remedy = "use a name such as `Europe/Berlin`; the machine needs its time zone files (`tzdata`)";
        zone_layer.reader.add_error(entry.value.span(), format!("there is no time zone `{zone}`"), remedy);
        return None;
    }
    let layer = all.layer_with("schedule");
    let text = layer.read_text("schedule")?;
    match CronSchedule::parse_cron(&text, &zone) {
        Ok(schedule) => Some(schedule),
        Err(why) => {
            let remedy = "write minute, hour, day, month and weekday: `schedule: \"0 3 * * 1\"`";
            let span = layer.find_entry("schedule")?.value.span();
            layer.reader.add_error(span, format!("`{text}` is not a cron expression: {why}"), remedy);
            None
        }
    }
}

fn read_drift(layer: &Mapping<'_>) -> (Option<(Duration, Drift)>, Vec<String>) {
    let Some(entry) = layer.find_entry("drift") else { return Default::default() };
    const MODES: &[(&str, Option<Drift>)] =
        &[("report", Some(Drift::Report)), ("correct", Some(Drift::Correct)), ("off", None)];
    if entry.value.entries().is_none() {
        let mode = layer.read_word("drift", MODES).flatten();
        return (mode.map(|mode| (3600 * SECOND, mode)), Vec::new());
    }
    let Some(drift) = layer.read_mapping("drift", "`drift`") else { return Default::default() };
    drift.refuse_unknown(&["every", "mode", "ignore"]);
    let mode = drift.read_word("mode", MODES).unwrap_or(Some(Drift::Report));
    let every = drift.read_duration("every").unwrap_or(3600 * SECOND);
    let ignore = drift.read_texts("ignore");
    if let (Some(bad), Some(entry)) =
        (ignore.iter().find(|text| text.matches('/').count() > 2 || text.is_empty()), drift.find_entry("ignore"))
    {
        let remedy = "write `KIND/NAME/FIELD`, with `*` for anything: `registry_token/*/expiry_date`";
        drift.reader.add_error(entry.value.span(), format!("`{bad}` is not a pattern of drift"), remedy);
    }
    (mode.map(|mode| (every, mode)), ignore)
}

fn read_expiry(layer: &Mapping<'_>) -> Option<Duration> {
    if layer.find_entry("expiry").is_some_and(|entry| entry.value.entries().is_none()) {
        return layer.read_duration("expiry");
    }
    let expiry = layer.read_mapping("expiry", "`expiry`")?;
    expiry.refuse_unknown(&["before"]);
    if expiry.find_entry("before").is_none() {
        expiry
            .reader
            .add_message(expiry.mapping_error("`expiry` has no `before`").hint("write `expiry: {before: 14d}`"));
    }
    expiry.read_duration("before")
}

fn read_retry(layer: &Mapping<'_>) -> Retry {
    let default = Retry { first: 30 * SECOND, max: 900 * SECOND };
    let Some(retry) = layer.read_mapping("retry", "`retry`") else { return default };
    retry.refuse_unknown(&["first", "max"]);
    let first = retry.read_duration("first").unwrap_or(default.first);
    let max = retry.read_duration("max");
    if let (Some(max), Some(entry)) = (max, retry.find_entry("max"))
        && max < first
    {
        retry.reader.add_error(
            entry.value.span(),
            "`max` of `retry` is shorter than `first`",
            "make `max` the longer one",
        );
    }
    Retry { first, max: max.unwrap_or_else(|| default.max.max(first)) }
}

fn read_approval(layer: &Mapping<'_>) -> Approval {
    let Some(entry) = layer.find_entry("approve") else { return Approval::Auto };
    if entry.value.entries().is_none() {
        let manual = layer.read_word("approve", &[("auto", false), ("manual", true)]).unwrap_or_default();
        return if manual { Approval::Manual } else { Approval::Auto };
    }
    let Some(approve) = layer.read_mapping("approve", "`approve`") else { return Approval::Manual };
    approve.refuse_unknown(&["after", "manual_if"]);
    const KINDS: &[(&str, ActionKind)] = &[
        ("create", ActionKind::Create),
        ("update", ActionKind::Update),
        ("replace", ActionKind::Replace),
        ("delete", ActionKind::Delete),
        ("undetermined", ActionKind::Undetermined),
    ];
    match (approve.find_entry("after"), approve.find_entry("manual_if")) {
        (Some(_), None) => approve.read_duration("after").map_or(Approval::Manual, Approval::After),
        (None, Some(entry)) => {
            let known: Vec<&str> = KINDS.iter().map(|(word, _)| *word).collect();
            let find = |word: &String| {
                let found = KINDS.iter().find(|(known, _)| known == word).map(|(_, kind)| *kind);
                if found.is_none() {
                    let message = format!("`manual_if` cannot have `{word}`");
                    let remedy = crate::suggest::find_nearest(word, &known).map_or_else(
                        || format!("it has {}", known.join(", ")),
                        |near| format!("did you mean `{near}`?"),
                    );
                    approve.reader.add_error(entry.value.span(), message, remedy);
                }
                found
            };
            Approval::ManualIf(approve.read_texts("manual_if").iter().filter_map(find).collect())
        }
        (Some(_), Some(entry)) => {
            let remedy = "keep one of `after` and `manual_if`";
            approve.reader.add_error(entry.key.span(), "`approve` has two rules", remedy);
            Approval::Manual
        }
        (None, None) => {
            let remedy = "write `approve: manual`, `{after: 2m}` or `{manual_if: [delete, replace]}`";
            approve.reader.add_message(approve.mapping_error("`approve` has no rule").hint(remedy));
            Approval::Manual
        }
    }
}

fn read_prune(layer: &Mapping<'_>) -> Prune {
    const MODES: &[(&str, PruneMode)] = &[
        ("off", PruneMode::Off),
        ("report", PruneMode::Report),
        ("disable", PruneMode::Disable),
        ("delete", PruneMode::Delete),
    ];
    let mut prune = Prune { mode: PruneMode::Off, grace: 7 * 86_400 * SECOND };
    let Some(entry) = layer.find_entry("prune") else { return prune };
    if entry.value.entries().is_none() {
        prune.mode = layer.read_word("prune", MODES).unwrap_or(PruneMode::Off);
    } else if let Some(own) = layer.read_mapping("prune", "`prune`") {
        own.refuse_unknown(&["mode", "grace"]);
        prune.mode = own.read_word("mode", MODES).unwrap_or(PruneMode::Report);
        prune.grace = own.read_duration("grace").unwrap_or(prune.grace);
    }
    prune
}

fn read_placement(layer: &Mapping<'_>) -> Placement {
    let texts = layer.read_texts("runs_on");
    match texts.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] | ["any"] => Placement::Any,
        ["every"] => Placement::Every,
        _ => Placement::Hosts(texts),
    }
}

fn read_hook(layer: &Mapping<'_>, name: &str) -> Option<HookConfig> {
    let hook = layer.read_mapping("hook", &format!("`hook` of job `{name}`"))?;
    hook.refuse_unknown(&["secret_file", "secret", "type"]);
    let mut secrets: Vec<SecretSource> = hook.all_readable("secret_file").into_iter().map(SecretSource::File).collect();
    secrets.extend(hook.find_entry("secret").and_then(|entry| hook.secret_value("secret", &entry.value)));
    if let (3.., Some(entry)) = (secrets.len(), hook.find_entry("secret_file")) {
        let remedy = "keep the new secret and the one before";
        hook.reader.add_error(entry.value.span(), "a hook has at most two secrets", remedy);
    }
    let words: Vec<(&str, &'static str)> = HOOK_TYPES.iter().map(|word| (*word, *word)).collect();
    let kind = hook.read_word("type", &words);
    (!secrets.is_empty()).then_some(HookConfig { secrets, kind })
}

fn check_combinations(all: &Layered<'_>, job: &JobConfig, notifiers: &IndexMap<String, Arc<NotifierConfig>>) {
    let error = |key: &str, message: String, remedy: &str| {
        if let Some(entry) = all.layer_with(key).find_entry(key) {
            all.own.reader.add_error(entry.value.span(), message, remedy);
        }
    };
    if job.mode == Mode::Direct && job.approve != Approval::Auto && all.has_key("approve") {
        let message = format!("job `{}` has no plan that could be approved: its mode is `direct`", job.name);
        error("approve", message, "use `mode: plan`, or `approve: auto`");
    }
    if job.mode == Mode::Direct && job.prune.mode != PruneMode::Off {
        let message = format!("job `{}` cannot know which objects it made: its mode is `direct`", job.name);
        error("prune", message, "use `mode: plan`, or `prune: off`");
    }
    let known: Vec<&String> = notifiers.keys().collect();
    for name in job.notify.iter().filter(|name| !notifiers.contains_key(*name)) {
        let remedy = crate::suggest::find_nearest(name, known.iter().copied()).map_or_else(
            || "describe it below `notify` at the end of the file".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        error("notify", format!("there is no notifier `{name}`"), &remedy);
    }
}

impl JobConfig {
    /// Returns whether the job runs on this host.
    pub fn is_for_host(&self, host: &str) -> bool {
        match &self.runs_on {
            Placement::Any | Placement::Every => true,
            Placement::Hosts(hosts) => hosts.iter().any(|name| name == host),
        }
    }

    /// Returns the hosts that `runs_on` names; none where any will do.
    pub fn hosts(&self) -> &[String] {
        match &self.runs_on {
            Placement::Any | Placement::Every => &[],
            Placement::Hosts(hosts) => hosts,
        }
    }

    /// Returns the playbook paths relative to the checkout.
    pub fn folder(&self) -> PathBuf {
        PathBuf::from(&self.git.path)
    }
}
