//! Nothing grows with the square of its input: counts the memory that a run asks for at two sizes.
//!
//! Allocations and their bytes are counted, never time, so that the figures are the same on every machine. Twice the input
//! may take twice as many, and a little more for what grows with the logarithm. `cargo test --test growth -- --nocapture` prints
//! the table of `docs/performance.md`; a word after `--` keeps to the inputs with it in their names.

mod inputs;

use std::path::Path;
use std::process::{Command, Stdio};

use inputs::INPUTS;

/// The child writes its counts to the file that this variable names.
const COUNTS: &str = "IONPLAY_GROWTH_COUNTS";

/// The most that twice the input may take of what the input takes. A square takes four times as much.
const LIMIT: f64 = 2.3;

/// Allocations of a run, and their bytes.
#[derive(Clone, Copy)]
struct Counts {
    allocations: f64,
    bytes: f64,
}

fn main() {
    if let Some(file) = std::env::var_os(COUNTS) {
        return run_counted(Path::new(&file));
    }
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let wanted = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word.as_str()));
    println!("| input | size | allocations | growth | bytes | growth |");
    println!("| --- | --- | --- | --- | --- | --- |");
    let mut squares = Vec::new();
    for input in INPUTS.iter().filter(|input| wanted(input.name)) {
        let base = count_run(input, 1);
        let [once, twice] = [input.size, input.size * 2].map(|size| count_run(input, size));
        let growth = |of: fn(&Counts) -> f64| (of(&twice) - of(&base)) / (of(&once) - of(&base)).max(1.0);
        let (allocations, bytes) = (growth(|counts| counts.allocations), growth(|counts| counts.bytes));
        println!(
            "| {} | {} to {} | {:.0} | {allocations:.2} | {:.0} | {bytes:.2} |",
            input.name,
            input.size,
            input.size * 2,
            once.allocations,
            once.bytes
        );
        if allocations > LIMIT || bytes > LIMIT {
            squares.push(input.name);
        }
    }
    assert!(squares.is_empty(), "grows with the square: {}", squares.join(", "));
}

/// Runs the playbook of an input in a process of its own.
fn count_run(input: &inputs::Input, size: usize) -> Counts {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    (input.write)(folder.path(), size);
    let file = folder.path().join("counts");
    let mut command = Command::new(std::env::current_exe().expect("this program knows its name"));
    command.args(["playbook.yml", "-i", "inventory.ini", "--sandbox"]).current_dir(folder.path());
    command.env_clear().env("LANG", "C.UTF-8").env("HOME", folder.path()).env(COUNTS, &file);
    let output = command.stdin(Stdio::null()).output().expect("the program can be started");
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    match numbers[..] {
        [0.0, allocations, bytes] => Counts { allocations, bytes },
        _ => panic!("{} of size {size} fails: {}", input.name, String::from_utf8_lossy(&output.stdout)),
    }
}

/// Runs the program with the arguments of this process, and writes down how it ended and what it asked for.
fn run_counted(file: &Path) {
    let work = move || {
        let mut code = 255;
        let counted = allocation_counter::measure(|| code = ionplay::cli::main().code());
        (code, counted.count_total, counted.bytes_total)
    };
    let run = std::thread::Builder::new().stack_size(64 << 20).spawn(work).expect("a thread can be started");
    let (code, allocations, bytes) = run.join().expect("the run does not panic");
    std::fs::write(file, format!("{code} {allocations} {bytes}")).expect("the counts can be written");
}
