//! The dry run, the real run, the second real run, and the changed world.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::rc::Rc;

use ionplay::exit::Exit;
use ionplay::interrupt::Interrupt;
use ionplay::ionos::model::{NewRegistry, TokenPatch};
use ionplay::ionos::{ApiConnection, Connector, Credentials, Deferred, Endpoint, HttpConnector, Tuning, WaitPolicy};
use ionplay::plan::host_effects::EffectObserver;
use ionplay::plan::model::{FORMAT, PlannedAction};
use ionplay::plan::{DryRunRecorder, Guard, Invocation, Plan, record_dry_run, show, verify};
use ionplay::progress::ProgressChannel;
use ionplay::reconcile::Record;
use ionplay::report::OutcomeStatus;
use ionplay::sandbox::{self, Handle};
use ionplay::value::{Dict, Value};

use super::files;
use super::generate::Case;
use super::stage::{self, Line, Ran};

/// What came of all runs together.
#[derive(Default)]
pub struct Sums {
    pub runs: u64,
    pub certain: u64,
    pub agreed: u64,
    pub undetermined: u64,
    pub changes: u64,
    pub again: u64,
    pub refused: u64,
}

impl Sums {
    pub fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.certain += other.certain;
        self.agreed += other.agreed;
        self.undetermined += other.undetermined;
        self.changes += other.changes;
        self.again += other.again;
        self.refused += other.refused;
    }
}

impl fmt::Display for Sums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figure = self.agreed as f64 * 100.0 / self.certain.max(1) as f64;
        write!(
            f,
            "fidelity {figure:.3} % ({} of {} certain predictions came true) in {} runs; {} undetermined; {} changes of \
             objects predicted; {} second runs changed nothing; {} plans refused in changed worlds",
            self.agreed, self.certain, self.runs, self.undetermined, self.changes, self.again, self.refused
        )
    }
}

fn sandboxed() -> Option<String> {
    Some("sandbox".to_owned())
}

/// Runs one case.
pub async fn compare(case: &Case) -> Result<Sums, String> {
    let folder = tempfile::tempdir().unwrap();
    files::fill_folder(folder.path());
    let playbook = case.playbook.replace("@WORK@", &folder.path().display().to_string());
    let case = &Case { playbook, seed: case.seed.clone(), converges: case.converges };
    let (predicted_on, done_on) = (stage::server(&case.seed), stage::server(&case.seed));
    let (plan, predicted) = predict(case, &predicted_on).await;
    if let Some(request) = predicted_on.requests().iter().find(|request| request.is_write()) {
        return Err(format!("the dry run sent {} {}", request.method, request.path));
    }

    let guard = Guard::new(&plan, sandboxed());
    let certain = plan.undetermined.is_empty();
    let http: Rc<dyn Connector> = Rc::new(HttpConnector::default());
    let connector = if certain { guard.wrap_connector(http) } else { http };
    let held = certain.then(|| Rc::clone(&guard) as Rc<dyn EffectObserver>);
    let done = stage::run(&case.playbook, &done_on, connector, false, held).await;
    let mut sums = Sums { runs: 1, changes: plan.writes.len() as u64, ..Sums::default() };
    lines(&predicted, &done, &mut sums)?;
    let status = plan.count_actions().exit_status(predicted.exit);
    if status != told(&show::render_text(&plan, show::Look::PLAIN))? {
        return Err(format!("the text of the plan does not fit its status {status:?}: {}", plan.count_actions()));
    }
    if predicted.ended != done.ended && certain {
        return Err(format!("predicted to end with {}, ended with {}", predicted.ended, done.ended));
    }
    if let Some(what) = guard.refused_request() {
        return Err(format!("the plan was left: {what}"));
    }
    if certain && guard.count_unsent() > 0 {
        return Err(format!("{} planned requests were not sent", guard.count_unsent()));
    }

    if case.converges {
        let again = stage::run(&case.playbook, &done_on, Rc::new(HttpConnector::default()), false, None).await;
        let first: Vec<&Line> =
            again.lines.iter().filter(|line| line.outcome.status == OutcomeStatus::Changed).collect();
        if let Some(line) = first.first() {
            return Err(format!("the second run changed something in {}", line.outcome.label.task));
        }
        sums.again = 1;
    }
    if change_world(case, &plan, &predicted_on).await {
        let (now, _) = predict(case, &predicted_on).await;
        if verify::verify_plan(&plan, &now).is_ok() {
            return Err("the world was changed, and the plan not refused".to_owned());
        }
        sums.refused = 1;
    }
    Ok(sums)
}

/// The exit status that the closing line of a plan tells.
fn told(text: &str) -> Result<Exit, String> {
    let line = text.lines().last().and_then(|line| line.strip_prefix("Plan: ")).ok_or("a plan has no closing line")?;
    let counts: HashMap<&str, usize> = line
        .split(", ")
        .map(|part| part.split_once(' ').and_then(|(count, what)| Some((what, count.parse().ok()?))))
        .collect::<Option<_>>()
        .ok_or_else(|| format!("`{line}` is not understood"))?;
    let any = |names: &[&str]| names.iter().any(|name| counts.get(name).is_some_and(|count| *count > 0));
    Ok(match () {
        () if any(&["failed"]) => Exit::General,
        () if any(&["to create", "to update", "to replace", "to delete", "other change", "other changes"]) => {
            Exit::Changes
        }
        () if any(&["undetermined"]) => Exit::Undetermined,
        () => Exit::Success,
    })
}

async fn predict(case: &Case, server: &Handle) -> (Plan, Ran) {
    let recorder = DryRunRecorder::new(sandboxed());
    let connector = record_dry_run(Rc::new(HttpConnector::default()), &recorder);
    let ran = stage::run(&case.playbook, server, connector, true, Some(Rc::clone(&recorder) as _)).await;
    let gathered = ran.gathered.borrow();
    let plan = Plan {
        format: FORMAT,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        made: stage::NOW.to_owned(),
        run: Invocation::default(),
        salt: String::new(),
        files: Default::default(),
        variables: String::new(),
        sealed: None,
        actions: gathered.records.iter().map(PlannedAction::from).collect(),
        others: gathered.others.clone(),
        undetermined: gathered.undetermined.clone(),
        failed: gathered.failed.clone(),
        observed: recorder.observed_objects(),
        writes: recorder.predicted_writes(),
        host_effects: recorder.predicted_effects(),
        digest: String::new(),
    };
    drop(gathered);
    (plan, ran)
}

/// Where the promise ends: an undetermined task has failed in the real run, and what comes after it was predicted for the
/// case that it does not.
fn promised<'a>(predicted: &'a Ran, done: &'a Ran) -> (&'a [Line], bool) {
    let undetermined = |name: &str| {
        predicted.lines.iter().any(|line| &*line.outcome.label.task == name && line.outcome.undetermined.is_some())
    };
    let ends = done.lines.iter().position(|line| {
        matches!(line.outcome.status, OutcomeStatus::Failed | OutcomeStatus::Rescued | OutcomeStatus::Ignored)
            && line.outcome.item.is_none()
            && undetermined(&line.outcome.label.task)
    });
    ends.map_or((&done.lines[..], true), |at| (&done.lines[..=at], false))
}

/// Every certain line of the dry run must be a line of the real one.
fn lines(predicted: &Ran, done: &Ran, sums: &mut Sums) -> Result<(), String> {
    let (real_lines, whole) = promised(predicted, done);
    let unknown_line = |line: &&Line| line.outcome.undetermined.is_some();
    let real: BTreeSet<&str> = real_lines.iter().map(|line| &*line.outcome.label.task).collect();
    let all: BTreeSet<&str> = predicted.lines.iter().map(|line| &*line.outcome.label.task).collect();
    let names: BTreeSet<&str> = all.iter().copied().filter(|name| whole || real.contains(name)).collect();
    for missing in names.difference(&real) {
        // A handler that may be notified need not be.
        if !predicted.lines.iter().filter(|line| &*line.outcome.label.task == *missing).all(|line| unknown_line(&line))
        {
            return Err(format!("{missing} was predicted and did not come"));
        }
    }
    let includes = |line: &Line| line.outcome.label.action.ends_with(".include_tasks");
    let open = predicted.lines.iter().filter(unknown_line).any(includes);
    for more in real.difference(&all) {
        // Nobody can say what an unknown file holds.
        if !(open && more.starts_with('i')) {
            return Err(format!("{more} came and was not predicted"));
        }
    }
    let names: Vec<&str> = names.intersection(&real).copied().collect();
    for name in names {
        let of = |lines: &[Line]| -> Vec<usize> {
            (0..lines.len()).filter(|at| &*lines[*at].outcome.label.task == name).collect()
        };
        let (said, was) = (of(&predicted.lines), of(real_lines));
        let unknown = |at: &&usize| predicted.lines[**at].outcome.undetermined.is_some();
        let row = |at: &usize| predicted.lines[*at].outcome.item.as_ref().and_then(Value::as_str) == Some("[*]");
        if said.iter().any(row) {
            sums.undetermined += 1;
            continue;
        }
        // What is undetermined may come more often, or not at all.
        if said.iter().all(|at| unknown(&at)) {
            sums.undetermined += said.len() as u64;
            continue;
        }
        // An unknown file may have held it too, and after the promise has ended the rest did not come.
        if (open && name.starts_with('i')) || (!whole && was.len() < said.len()) {
            sums.undetermined += said.len() as u64;
            continue;
        }
        if said.len() != was.len() {
            return Err(format!("{name}: {} lines predicted, {} real", said.len(), was.len()));
        }
        let doubtful = said.iter().filter(unknown).count();
        for (said, was) in said.iter().zip(&was) {
            let (said, was) = (&predicted.lines[*said], &done.lines[*was]);
            if said.outcome.undetermined.is_some() {
                sums.undetermined += u64::from(!said.outcome.looped);
            } else if !(said.outcome.looped && doubtful > 0) {
                sums.certain += 1;
                same(said, was).map_err(|why| format!("{name}: {why}"))?;
                sums.agreed += 1;
            }
        }
    }
    Ok(())
}

fn same(said: &Line, was: &Line) -> Result<(), String> {
    let (a, b) = (&said.outcome, &was.outcome);
    if a.status != b.status {
        return Err(format!("predicted {:?}, was {:?}: {:?} / {:?}", a.status, b.status, a.result, b.result));
    }
    if said.records.len() != was.records.len() {
        return Err(format!("{} objects predicted, {} real", said.records.len(), was.records.len()));
    }
    for (a, b) in said.records.iter().zip(&was.records) {
        record(a, b)?;
    }
    for key in ["registry", "registry_token", "registries", "registry_tokens", "registry_repositories", "id", "action"]
    {
        match (a.result.get(key), b.result.get(key)) {
            (Some(a), Some(b)) => agrees(key, a, b)?,
            (None, None) => {}
            (a, b) => return Err(format!("`{key}` predicted as {a:?}, was {b:?}")),
        }
    }
    Ok(())
}

fn record(a: &Record, b: &Record) -> Result<(), String> {
    if (a.kind, &a.verb, a.error.is_some()) != (b.kind, &b.verb, b.error.is_some()) || a.identity != b.identity {
        // An identity may be an id that was not known.
        if !a.identity.contains("<known after creation>") || a.verb != b.verb {
            return Err(format!("predicted {a:?}, was {b:?}"));
        }
    }
    let fields = |dict: &Dict| Value::from(dict.clone());
    agrees("before", &fields(&a.before), &fields(&b.before))?;
    agrees("after", &fields(&a.after), &fields(&b.after))
}

/// What was predicted and is not unknown is so.
fn agrees(place: &str, said: &Value, was: &Value) -> Result<(), String> {
    match (said, was) {
        (Value::Unknown(_), _) => Ok(()),
        (Value::Dict(a), Value::Dict(b)) => {
            for (key, value) in a.iter() {
                let name = key.as_str().unwrap_or_default();
                // When something was last changed is not predicted.
                if name.starts_with("last_modified") {
                    continue;
                }
                let other = b.get_value(key).ok_or_else(|| format!("{place}.{name} is not there"))?;
                agrees(&format!("{place}.{name}"), value, other)?;
            }
            Ok(())
        }
        (Value::List(a), Value::List(b)) if a.len() == b.len() => {
            a.iter().zip(b.iter()).try_for_each(|(a, b)| agrees(&format!("{place}[]"), a, b))
        }
        (Value::Str(a), _) if a.contains("<known after creation>") => Ok(()),
        (a, b) if a == b => Ok(()),
        (a, b) => Err(format!("{place} predicted as {a:?}, was {b:?}")),
    }
}

/// Changes something that the plan was decided from; false if there is nothing.
async fn change_world(case: &Case, plan: &Plan, server: &Handle) -> bool {
    let endpoint = Endpoint {
        url: server.url(),
        credentials: Credentials::Bearer(sandbox::TOKEN.to_owned()),
        contract: None,
        fingerprint: None,
        pin_only: false,
    };
    let waiting = WaitPolicy {
        patience: std::time::Duration::from_secs(5),
        interrupt: Interrupt::default(),
        progress: ProgressChannel::default(),
    };
    let connection = ApiConnection {
        endpoint,
        waiting,
        tuning: Tuning::default(),
        kept: None,
        is_reused: std::rc::Rc::default(),
        task: None,
    };
    let api = HttpConnector::default().connect(&connection).unwrap();
    let known = |text: &str| Deferred::Known(text.to_owned());
    let tokens: Vec<_> = plan.observed.iter().filter(|o| o.kind == "token" && o.there).collect();
    let registries: Vec<_> = plan.observed.iter().filter(|o| o.kind == "registry" && o.there).collect();
    let free: Vec<_> = plan.observed.iter().filter(|o| o.kind == "registry name" && !o.there).collect();
    let choice = case.playbook.len();
    if let Some(token) = tokens.get(choice % tokens.len().max(1)) {
        let (registry, id) = (known(token.parent.as_ref().unwrap()), known(&token.id));
        if choice.is_multiple_of(2) {
            return api.delete_token(&registry, &id).await.is_ok();
        }
        let status = token.fields.get("status").and_then(|status| status.as_str());
        let other = if status == Some("disabled") { "enabled" } else { "disabled" };
        let patch = TokenPatch { status: Some(known(other)), ..TokenPatch::default() };
        return api.patch_token(&registry, &id, &patch).await.is_ok();
    }
    if let Some(registry) = registries.first() {
        return api.delete_registry(&known(&registry.id)).await.is_ok();
    }
    if let Some(name) = free.first() {
        let new = NewRegistry { name: known(&name.id), location: known("de/fra"), ..NewRegistry::default() };
        return api.create_registry(&new).await.is_ok();
    }
    false
}
