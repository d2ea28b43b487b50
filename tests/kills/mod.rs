//! The kill matrix: each operation is killed before each of its steps, then simply repeated.
//!
//! A step is a call that writes to a file, changes a folder or talks to the service, so that every request boundary and
//! every durable write is met. After the kill the same playbook runs again, at most three times, and then everything has to
//! be right: nothing lost, orphaned, doubled, stuck, or green without the password.
//!
//! The test kills before some steps. `KILLS=all cargo test --locked --test main kills -- --nocapture` kills before all of them
//! and prints the table of `docs/reliability.md`; `KILLS=twice` kills the run after a kill as well, before some of its steps.
//! `KILLS_OF=WORD` keeps to operations with this word in their names.

mod scenario;

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use ionplay::sandbox::password_of;
use scenario::{SCENARIOS, Scenario};

use crate::registry::stage::{NEW_PASSWORD, Stage};

/// What can be wrong after a kill.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Faults {
    /// A token is there whose password is nowhere.
    lost: usize,
    /// An object or an entry is left that belongs to nothing.
    orphaned: usize,
    /// Two tokens are there for one purpose.
    doubled: usize,
    /// Three further runs do not end well.
    stuck: usize,
    /// The run ended well, and the password is not where the playbook puts it.
    silent: usize,
}

/// The library that kills, compiled once; none where there is no compiler.
static LIBRARY: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let source = crate::root().join("tests/kills/kill.c");
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("kill-{}.so", std::process::id()));
    let built = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).args([&library, &source]).status();
    match built {
        Ok(status) if status.success() => Some(library),
        other => {
            eprintln!("SKIPPED: the kill matrix needs a C compiler on glibc: {other:?}");
            None
        }
    }
});

/// What came of a run that was killed and repeated.
struct Killed {
    kills: Vec<usize>,
    count: usize,
    faults: Faults,
    told: String,
}

impl Scenario {
    fn stage(&self) -> Stage {
        let stage = Stage::with(&(self.seed)(), &[]);
        std::fs::write(stage.folder.path().join("playbook.yml"), (self.playbook)().to_string()).unwrap();
        (self.prepare)(&stage);
        stage
    }

    /// The number of steps of an undisturbed run.
    fn steps(&self, library: &Path) -> usize {
        let stage = self.stage();
        let file = stage.folder.path().join("steps");
        let output =
            stage.program(&["playbook.yml"]).env("LD_PRELOAD", library).env("KILL_COUNT", &file).output().unwrap();
        assert!(output.status.success(), "{}: {output:?}", self.name);
        let text = std::fs::read_to_string(file).unwrap();
        text.trim().parse().unwrap()
    }

    /// Kills a run before a step, and the run after it, if it gets so far; repeats it, and looks.
    fn kill(&self, library: &Path, kills: &[usize]) -> Killed {
        let stage = self.stage();
        let mut told = String::new();
        let mut count = 0;
        let mut run = |stage: &Stage, at: Option<usize>| {
            let mut command = stage.program(&["playbook.yml"]);
            if let Some(at) = at {
                command.env("LD_PRELOAD", library).env("KILL_AT", at.to_string());
            }
            let output = command.output().unwrap();
            let text = [output.stdout, output.stderr].concat();
            told += &String::from_utf8_lossy(&text);
            count += usize::from(output.status.signal() == Some(9));
            output.status.success()
        };
        kills.iter().for_each(|step| _ = run(&stage, Some(*step)));
        let mut well = false;
        for _ in 0..3 {
            well = run(&stage, None);
            if well {
                break;
            }
        }
        let list = String::from_utf8(stage.program(&["token", "list"]).output().unwrap().stdout).unwrap();
        let mut faults = Faults { stuck: usize::from(!well), ..Faults::default() };
        // What is remembered of a delivery stays as long as the token.
        let open = ["its password is kept", "it may exist", "under way"];
        if !list.starts_with("No saved passwords") && open.iter().any(|state| list.contains(state)) {
            faults.orphaned += 1;
        }
        let store = stage.sandbox.read_store();
        let tokens: Vec<_> = store.registries.iter().flat_map(|registry| &registry.tokens).collect();
        for token in tokens.iter().filter(|token| !self.stays.contains(&token.name.as_str())) {
            let Some((_, file)) = self.stored.iter().find(|(name, _)| *name == token.name) else {
                if self.replaced.contains(&token.name.as_str()) {
                    faults.doubled += 1
                } else {
                    faults.orphaned += 1
                }
                continue;
            };
            let password = password_of(token.id);
            let kept = std::fs::read_to_string(stage.folder.path().join(file)).unwrap_or_default();
            if !kept.contains(&password) {
                let shown = stage.program(&["token", "show", &token.name]).output().unwrap();
                let in_store = String::from_utf8_lossy(&shown.stdout).trim() == password;
                if in_store { faults.silent += 1 } else { faults.lost += 1 }
            }
        }
        let missing = self.stored.iter().filter(|(name, _)| !tokens.iter().any(|token| token.name == *name)).count();
        faults.silent += if well { missing } else { 0 };
        assert!(!told.contains(NEW_PASSWORD), "{} before steps {kills:?} shows a password:\n{told}", self.name);
        Killed { kills: kills.to_vec(), count, faults, told: format!("{told}\n{list}\n{tokens:?}") }
    }
}

#[test]
fn killed_operations_are_completed_by_the_next_run() {
    let Some(library) = LIBRARY.as_deref() else { return };
    let mode = std::env::var("KILLS").unwrap_or_default();
    let is_long = !mode.is_empty();
    let (mut table, mut total, mut complaints) = (String::new(), 0, Vec::new());
    let wanted = std::env::var("KILLS_OF").unwrap_or_default();
    for (index, scenario) in SCENARIOS.iter().enumerate().filter(|(_, scenario)| scenario.name.contains(&wanted)) {
        let steps = scenario.steps(library);
        // A few steps of each operation, others in each.
        let stride = if is_long { 1 } else { steps.div_ceil(6).max(1) };
        let steps_of = |stride: usize, begin: usize| (1 + begin % stride..=steps).step_by(stride);
        let points: Vec<Vec<usize>> = match mode.as_str() {
            "twice" => steps_of(2, index).flat_map(|a| steps_of(5, a).map(move |b| vec![a, b])).collect(),
            _ => steps_of(stride, index).map(|step| vec![step]).collect(),
        };
        let next = AtomicUsize::new(0);
        let workers = if is_long { 2 } else { 1 };
        let found = std::thread::scope(|scope| {
            let work = || {
                let mut found = Vec::new();
                while let Some(kills) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
                    found.push(scenario.kill(library, kills));
                }
                found
            };
            let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect::<Vec<_>>()
        });
        let (mut sum, mut count) = (Faults::default(), 0);
        for Killed { kills, count: killed, faults, told } in found {
            count += killed;
            sum.lost += faults.lost;
            sum.orphaned += faults.orphaned;
            sum.doubled += faults.doubled;
            sum.stuck += faults.stuck;
            sum.silent += faults.silent;
            if faults != Faults::default() {
                complaints.push(format!("{} before steps {kills:?}: {faults:?}\n{told}", scenario.name));
            }
        }
        total += count;
        let Faults { lost, orphaned, doubled, stuck, silent } = sum;
        let row = format!("| {} | {} | {lost} | {orphaned} | {doubled} | {stuck} | {silent} |\n", scenario.name, count);
        if is_long {
            eprint!("{row}");
        }
        table += &row;
    }
    eprintln!("{table}{total} kills");
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n\n"));
}
