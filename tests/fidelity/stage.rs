//! Servers, and runs against them inside this process.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::sync::LazyLock;
use std::time::Duration;

use ionplay::executor::{self, Parts, RunOptions, RunState};
use ionplay::exit::Exit;
use ionplay::host;
use ionplay::intake;
use ionplay::inventory::Inventory;
use ionplay::ionos::Connector;
use ionplay::plan::host_effects::EffectObserver;
use ionplay::plan::{CollectedResults, ResultCollector};
use ionplay::playbook::{Loader, action};
use ionplay::reconcile::Record;
use ionplay::report::{Bus, ReportEvent, ReportedOutcome, Writer};
use ionplay::sandbox::{self, Handle, Pace, Seed};
use ionplay::secrets::Redactor;
use ionplay::source::Source;
use ionplay::template::Globals;
use ionplay::vars::vault::VaultSecrets;

/// What relative dates count from.
pub const NOW: &str = "2030-01-01T00:00:00Z";

/// A server that holds this.
pub fn server(seed: &str) -> Handle {
    let pace = Pace { new: Duration::ZERO, storage: Duration::ZERO, deletion: Duration::ZERO };
    // Equal servers were started in the same moment.
    let now = Some(sandbox::MockTime(NOW.parse::<jiff::Timestamp>().unwrap().as_millisecond()));
    let seed = Seed::parse_seed(seed).unwrap();
    sandbox::start_server(sandbox::SandboxOptions { seed, pace, now, ..sandbox::SandboxOptions::default() }).unwrap()
}

/// A line of a run, with what it did to objects.
pub struct Line {
    pub outcome: ReportedOutcome,
    pub records: Vec<Record>,
}

/// The lines of a run.
pub struct Ran {
    pub lines: Vec<Line>,
    pub gathered: Rc<RefCell<CollectedResults>>,
    pub ended: String,
    pub exit: Exit,
}

/// Takes each line with the records that were new when it came.
struct Lines {
    run: Rc<RefCell<Option<Rc<RunState>>>>,
    seen: usize,
    lines: Rc<RefCell<Vec<Line>>>,
}

impl Writer for Lines {
    fn write_event(&mut self, event: &ReportEvent, _: &Redactor) -> std::io::Result<()> {
        let (ReportEvent::Item(outcome) | ReportEvent::Host(outcome)) = event else { return Ok(()) };
        let run = self.run.borrow();
        let all = run.as_ref().unwrap().records.borrow();
        self.lines.borrow_mut().push(Line { outcome: outcome.clone(), records: all[self.seen..].to_vec() });
        self.seen = all.len();
        Ok(())
    }
}

/// What playbooks include.
static INCLUDED: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let token =
        |name: &str| format!("- {{name: i{name}, registry_token: {{registry: alpha, name: included-{name}}}}}\n");
    for name in ["a", "b"] {
        std::fs::write(folder.path().join(format!("{name}.yml")), token(name)).unwrap();
    }
    folder
});

/// Runs a playbook.
pub async fn run(
    text: &str,
    server: &Handle,
    connector: Rc<dyn Connector>,
    check: bool,
    effects: Option<Rc<dyn EffectObserver>>,
) -> Ran {
    let text = text.replace("@DIR@", &INCLUDED.path().display().to_string());
    let source = Source::new("play.yml", text.as_str());
    let document = intake::read_intake(&source, &|key| action::resolve_name(key).is_some()).unwrap().document;
    let secrets = Rc::new(VaultSecrets::collect_sources(&[], &[], false).unwrap());
    let no_vault = |_: &str, _: &Path| unreachable!("nothing is vaulted");
    let loader = Loader::new(Vec::new(), Box::new(no_vault), Box::new(|value, _| Ok(value.clone())));
    let playbook = loader.read_playbook(document, &source, Path::new("/")).unwrap_or_else(|p| panic!("{:?}", p.report));
    let (held, lines) = (Rc::new(RefCell::new(None)), Rc::new(RefCell::new(Vec::new())));
    let (gather, gathered) = ResultCollector::new();
    let writer = Lines { run: Rc::clone(&held), seen: 0, lines: Rc::clone(&lines) };
    let bus = Bus::new(vec![Box::new(gather), Box::new(writer)], Rc::new(Redactor::new(false)));
    let environment = [
        ("IONOS_API_URL", server.url()),
        ("IONOS_TOKEN", sandbox::TOKEN.to_owned()),
        ("IONPLAY_NOW", NOW.to_owned()),
        ("IONPLAY_POLL_MS", "1".to_owned()),
        ("IONPLAY_RETRY_BASE_MS", "1".to_owned()),
    ];
    let globals = Rc::new(Globals::new(Path::new("/")));
    // As a plan does.
    if check && effects.is_some() {
        globals.pending.start_tracking();
    }
    let parts = Parts {
        options: RunOptions {
            check,
            forks: 5,
            environment: environment.map(|(name, value)| (name.to_owned(), value)).to_vec(),
            ..RunOptions::default()
        },
        bus: Rc::new(bus),
        globals,
        loader: Rc::new(loader),
        inventory: Inventory::load_sources(&[], secrets),
        extra_vars: Rc::default(),
        registries: (Rc::clone(&connector), connector),
        host_apis: (Box::new(host::RealHost), Box::new(host::DryRunHost)),
        effects,
        credentials: None,
    };
    let run = RunState::new(parts);
    *held.borrow_mut() = Some(Rc::clone(&run));
    let ended = executor::run_playbooks(&run, &[playbook]).await;
    // The writer holds the run, and the run the writer.
    held.borrow_mut().take();
    let (exit, ended) = (ended.exit, format!("{:?} {:?}", ended.exit, ended.report));
    Ran { lines: lines.take(), gathered, ended, exit }
}
