//! Times the built program as whole processes: `cargo bench`, or `cargo bench -- WORD` for the rows with a word in them;
//! `cargo bench -- --quick` prints the main rows only, with few runs each.
//!
//! The figures of a machine are written down in `docs/performance.md`. Nothing here passes or fails by a time; a machine
//! that is busy would make a liar of any limit.

mod bare;
mod editor;
mod inputs;
mod measure;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use editor::{Editor, times_of};
use inputs::{Inputs, REGISTRY};
use ionplay::sandbox::{Handle, Latency, SandboxOptions, Seed, TOKEN, start_server};
use measure::{Times, peak, times};

/// Runs of what is over at once.
const MANY: usize = 21;
/// Runs of what takes a while.
const FEW: usize = 5;
/// Runs of each row where it has to be quick.
const QUICK: usize = 3;

/// The rows of `--quick`, by a part of their names.
const MAIN_ROWS: &[&str] = &[
    "an empty play",
    "one debug task",
    "1,000 debug tasks",
    "a loop over 5,000 items",
    "reading and checking 10,000 tasks",
    "12 MB of JSON",
    "10,000 hosts",
    "100 hosts that wait",
    "memory: the same, registered, 100000 items",
    "50 creations",
    "50 no-op tasks",
];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    if let [word, url, calls] = &words[..]
        && word == "replay"
    {
        return bare::replay(url, Path::new(calls)).expect("the calls can be sent");
    }
    let is_quick = std::env::args().any(|word| word == "--quick");
    let bench = Bench { words, is_quick, inputs: Inputs::new() };
    println!("{:<52} {:>9} {:>9} {:>9}", "whole process, ms", "min", "median", "max");
    bench.language();
    bench.data();
    bench.hosts();
    bench.editor();
    bench.memory();
    bench.creations();
    bench.unchanged();
    bench.tokens();
}

struct Bench {
    words: Vec<String>,
    /// Only the main rows, with few runs each.
    is_quick: bool,
    inputs: Inputs,
}

/// The program (another one if `BENCH_PROGRAM` names it), away from the settings of whoever runs this.
fn program(folder: &Path) -> Command {
    let program = std::env::var_os("BENCH_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_ionplay").into());
    let mut command = Command::new(program);
    command.current_dir(folder).env_clear().env("LANG", "C.UTF-8");
    command
}

impl Bench {
    fn wanted(&self, name: &str) -> bool {
        if self.is_quick && !MAIN_ROWS.iter().any(|row| name.contains(row)) {
            return false;
        }
        self.words.is_empty() || self.words.iter().any(|word| name.contains(word.as_str()))
    }

    fn runs(&self, most: usize) -> usize {
        if self.is_quick { most.min(QUICK) } else { most }
    }

    fn run(&self, options: &[&str], input: &Path) -> Command {
        let mut command = program(self.inputs.folder());
        command.args(options).arg(input);
        command
    }

    fn row(&self, name: &str, runs: usize, options: &[&str], input: &dyn Fn(&Inputs) -> PathBuf) {
        if self.wanted(name) {
            let input = input(&self.inputs);
            print(name, &times(self.runs(runs), true, &mut || self.run(options, &input)));
        }
    }

    /// Prints the largest memory of one run.
    fn peak_row(&self, name: &str, input: &dyn Fn(&Inputs) -> PathBuf) {
        if self.wanted(name) {
            let input = input(&self.inputs);
            match peak(&mut self.run(&[], &input)) {
                Some(kib) => println!("{name:<52} {:>9.1} MiB at the most", kib as f64 / 1024.0),
                None => println!("{name:<52} cannot be told here"),
            }
        }
    }

    /// What reading, checking and running playbooks costs.
    fn language(&self) {
        let check = ["--syntax-check"];
        self.row("an empty play", MANY, &[], &Inputs::empty);
        self.row("one debug task", MANY, &[], &|i| i.tasks(1));
        self.row("1,000 debug tasks", MANY, &[], &|i| i.tasks(1000));
        self.row("10,000 debug tasks", FEW, &[], &|i| i.tasks(10_000));
        self.row("1,000 set_fact, each with when, name and register", MANY, &[], &|i| i.mixed(1000));
        self.row("a loop over 5,000 items with expressions", MANY, &[], &|i| i.looped(5000, false));
        self.row("a loop over 100,000 items", FEW, &[], &|i| i.looped(100_000, false));
        self.row("200 includes", MANY, &[], &|i| i.includes(200));
        self.row("a role 100 times", MANY, &[], &|i| i.roles(100));
        self.row("reading and checking 1,000 tasks", MANY, &check, &|i| i.tasks(1000));
        self.row("reading and checking 10,000 tasks", FEW, &check, &|i| i.tasks(10_000));
    }

    /// A large document that is read once and asked three times.
    fn data(&self) {
        self.row("12 MB of JSON, read, selected, queried, grouped", FEW, &[], &Inputs::json);
        self.peak_row("memory: 12 MB of JSON", &Inputs::json);
    }

    /// Many hosts: tasks that compute, and commands that wait side by side.
    fn hosts(&self) {
        let inventory = self.inputs.hosts(10_000);
        let many = ["-i", inventory.to_str().expect("the path is text")];
        self.row("10,000 hosts, 10 set_fact each", FEW, &many, &|i| i.facts(10));
        let inventory = self.inputs.hosts(1_000);
        let thousand = ["-i", inventory.to_str().expect("the path is text")];
        self.row("1,000 hosts that look at hostvars of all", FEW, &thousand, &Inputs::hostvars);
        let inventory = self.inputs.hosts(100);
        let hundred = ["-i", inventory.to_str().expect("the path is text"), "--forks", "50"];
        self.row("100 hosts that wait 100 ms, 50 at once", FEW, &hundred, &Inputs::waiting);
    }

    /// What an editor waits for while somebody types in the middle of a long text.
    fn editor(&self) {
        for (kind, lines_of_task, is_mixed) in [("debug tasks", 3, false), ("tasks with templates", 5, true)] {
            let name = format!("editor: a key press in 1,000 {kind}");
            if !self.wanted(&name) {
                continue;
            }
            let input = if is_mixed { self.inputs.mixed(1000) } else { self.inputs.tasks(1000) };
            let head = if is_mixed { 5 } else { 3 };
            let mut editor = Editor::open(program(self.inputs.folder()), &input, head + 500 * lines_of_task, 13);
            let typed = |editor: &mut Editor, presses: usize| {
                (0..presses).for_each(|_| editor.press());
                editor.await_messages()
            };
            let press = times_of(MANY, || _ = typed(&mut editor, 1));
            print(&name, &Times::new(press));
            let mut checks = 0;
            let ten = times_of(FEW, || checks = checks.max(typed(&mut editor, 10)));
            print("  ten key presses at once", &Times::new(ten));
            println!("{:<52} {checks} at the most", "  checks of the text meanwhile");
            let complete = times_of(MANY, || {
                editor.press();
                editor.complete();
            });
            print("  a key press and its completions", &Times::new(complete));
        }
    }

    /// The largest memory of long runs: it must grow with what is kept, and with nothing else.
    fn memory(&self) {
        for count in [25_000, 50_000, 100_000] {
            self.peak_row(&format!("memory: a loop over {count} items"), &|i| i.looped(count, false));
        }
        for count in [25_000, 50_000, 100_000] {
            self.peak_row(&format!("memory: the same, registered, {count} items"), &|i| i.looped(count, true));
        }
        for count in [2_500, 5_000, 10_000] {
            self.peak_row(&format!("memory: {count} tasks"), &|i| i.tasks(count));
        }
    }

    /// Creations in one loop against the same calls from a bare client, which sends one after the other.
    fn creations(&self) {
        for (count, latency, runs) in [(50, 0, MANY), (50, 20, FEW), (500, 20, 1)] {
            let name = format!("{count} creations, {latency} ms latency");
            if !self.wanted(&name) {
                continue;
            }
            let runs = self.runs(runs);
            let input = self.inputs.tokens(count);
            let calls = self.inputs.folder().join("calls");
            let recorded = serve(0);
            let ended = self.against(&recorded, &input).output().expect("the program can be started");
            assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
            bare::record(&calls, &recorded.requests()).expect("the calls can be written down");
            // Each run meets a service without tokens; it lives until the next one.
            let mut server = None;
            let theirs = times(runs, true, &mut || replay(server.insert(serve(latency)), &calls));
            let compared = Compared { name: &name, bare: &theirs };
            for parallel in ["8", "1"] {
                let ours = times(runs, true, &mut || {
                    let mut command = self.against(server.insert(serve(latency)), &input);
                    command.env("IONPLAY_PARALLEL", parallel);
                    command
                });
                compared.print(&format!("{parallel} at once"), &ours);
            }
            compared.print_bare();
            if count == 50 && !self.is_quick && bare::curl("", &calls).expect("the calls can be written down").is_some()
            {
                let curl = times(runs, true, &mut || {
                    let command = bare::curl(&server.insert(serve(latency)).url(), &calls);
                    command.expect("the calls can be written down").expect("it was there before")
                });
                print("  the same calls from curl", &curl);
            }
        }
    }

    /// Separate tasks that have nothing to do, against a bare client that asks once for each.
    fn unchanged(&self) {
        for latency in [0, 20] {
            let name = format!("50 no-op tasks, {latency} ms latency");
            if !self.wanted(&name) {
                continue;
            }
            let input = self.inputs.token_tasks(50);
            let calls = self.inputs.folder().join("calls");
            let server = serve(latency);
            let ended = self.against(&server, &input).output().expect("the program can be started");
            assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
            let requests = server.requests();
            let listing = requests.first().expect("the list is read");
            bare::record(&calls, &vec![listing.clone(); 50]).expect("the calls can be written down");
            let theirs = times(self.runs(FEW), true, &mut || replay(&server, &calls));
            let compared = Compared { name: &name, bare: &theirs };
            compared.print("one reading", &times(self.runs(FEW), true, &mut || self.against(&server, &input)));
            compared.print_bare();
        }
    }

    /// Many tokens in one loop, first run and no-op run.
    fn tokens(&self) {
        for latency in [0, 20] {
            let name = format!("500 tokens, {latency} ms latency");
            if !self.wanted(&name) {
                continue;
            }
            let input = self.inputs.tokens(500);
            let server = serve(latency);
            print(&format!("{name}: first run"), &times(1, false, &mut || self.against(&server, &input)));
            let first = server.requests().len();
            print(&format!("{name}: no-op run"), &times(1, false, &mut || self.against(&server, &input)));
            println!("{:<52} {first} and {}", "  requests", server.requests().len() - first);
        }
    }

    fn against(&self, server: &Handle, input: &Path) -> Command {
        let mut command = self.run(&[], input);
        command.env("IONOS_API_URL", server.url()).env("IONOS_TOKEN", TOKEN);
        command
    }
}

/// A process that sends recorded calls to a service.
fn replay(server: &Handle, calls: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program knows its name"));
    command.arg("replay").arg(server.url()).arg(calls);
    command
}

/// A row, and the times of a bare client that sends the same calls.
struct Compared<'a> {
    name: &'a str,
    bare: &'a Times,
}

impl Compared<'_> {
    fn print(&self, how: &str, ours: &Times) {
        print(&format!("{}, {how}", self.name), ours);
        let ratio = ours.median().as_secs_f64() / self.bare.median().as_secs_f64();
        println!("{:<52} {:>19.2}", "  ratio to the median of a bare client", ratio);
    }

    fn print_bare(&self) {
        print("  the calls from a bare client, one after the other", self.bare);
    }
}

/// A service with one registry and no tokens.
fn serve(latency: u64) -> Handle {
    let seed = Seed::parse_seed(&format!("registries: [{{id: {REGISTRY}, name: demo}}]")).expect("the seed is valid");
    let latency = Latency { fixed: Duration::from_millis(latency), jitter: Duration::ZERO };
    start_server(SandboxOptions { seed, latency, ..SandboxOptions::default() }).expect("the service can be started")
}

fn print(name: &str, times: &Times) {
    let ms = |time: Duration| format!("{:.2}", time.as_secs_f64() * 1e3);
    println!("{name:<52} {:>9} {:>9} {:>9}", ms(times.min()), ms(times.median()), ms(times.max()));
}
