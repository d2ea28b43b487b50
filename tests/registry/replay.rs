//! Every recorded case, played plain, with `--check` and with `--check --diff`.
//!
//! `expected.txt` says what has to come out, in blocks that people can read. A block without a line `better:` claims
//! that the plain run does what the reference did, and that claim is checked against the record: the same outcome, action
//! and message, the same writing requests, and a result that has everything the reference's had. A line `better:` names
//! the defect that is avoided, and nothing but reading the block can tell whether it is right.
//!
//! Whatever a block says, no run with `--check` may send a writing request, `--diff` must not change what happens, and no
//! output may show a secret.
//!
//! `REGISTRY_CASES_REWRITE=1` writes the blocks anew (the `better:` lines stay); `REGISTRY_CASE=TEXT` plays only the cases
//! with TEXT in their names.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use ionplay::sandbox::{InjectedFault, SandboxOptions};
use serde_json::{Value as Json, json};

use super::case::Case;
use super::stage::{NEW_PASSWORD, PASSWORD, Played, Stage, TOKEN, named, options};

/// How many cases are played side by side.
const JOBS: usize = 3;

/// A case with its three runs.
pub struct Shown {
    /// The plain run.
    pub plain: Played,
    check: Played,
    diff: Played,
}

fn table() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/registry/expected.txt")
}

/// The blocks of `expected.txt`: the reason of each case, empty where it claims to be the same, and its lines.
pub fn expected() -> BTreeMap<String, (String, String)> {
    let text = std::fs::read_to_string(table()).unwrap_or_default();
    let mut blocks: BTreeMap<String, (String, String)> = BTreeMap::new();
    let mut last = String::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if !line.starts_with(' ') {
            line.clone_into(&mut last);
            blocks.insert(last.clone(), (String::new(), String::new()));
            continue;
        }
        let (reason, lines) = blocks.get_mut(&last).expect("a line belongs to a case");
        match line.trim_start().strip_prefix("better: ") {
            Some(why) => why.clone_into(reason),
            None => writeln!(lines, "{line}").unwrap(),
        }
    }
    blocks
}

fn stage(case: &Case) -> Stage {
    let mut stage = Stage::new(SandboxOptions {
        faults: case.faults.iter().map(|fault| InjectedFault::parse_fault(&fault.to_string()).unwrap()).collect(),
        duplicate_names: case.options.duplicate_names,
        ..options(&case.seed, &[])
    });
    for (name, value) in &case.env {
        stage.set(name, value.as_deref());
    }
    stage
}

fn play(case: &Case, flags: &[&str]) -> Played {
    let stage = stage(case);
    let args = case.args.to_string().replace("{API}", &stage.sandbox.url());
    let task = json!([{
        "name": "the case",
        "ionoscloudsdk.ionoscloud.registry_token": serde_json::from_str::<Json>(&args).unwrap(),
        "register": "result"
    }]);
    stage.play(&task.to_string(), flags)
}

/// Plays cases side by side; the runs come in the order of the cases.
pub fn play_all(cases: &[Case]) -> Vec<Shown> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(case) = cases.get(index) else { return done };
            let [plain, check, diff] =
                [&[][..], &["--check"], &["--check", "--diff"]].map(|flags: &[&str]| play(case, flags));
            done.push((index, Shown { plain, check, diff }));
        }
    };
    let mut all: Vec<(usize, Shown)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..JOBS).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    all.sort_by_key(|(index, _)| *index);
    all.into_iter().map(|(_, shown)| shown).collect()
}

/// The lines of a case: how each run ended and what it asked.
fn lines(shown: &Shown) -> String {
    let mut text = String::new();
    for (mode, played) in [("plain", &shown.plain), ("check", &shown.check)] {
        let action = played.result()["action"].as_str().map(|action| format!(" ({action})")).unwrap_or_default();
        let message = played.message();
        let said = if message.is_empty() { String::new() } else { format!(": {}", stable(&message)) };
        writeln!(text, "  {mode}: {}{action}{said}", played.outcome()).unwrap();
        for warning in warnings(played) {
            writeln!(text, "    warning: {}", stable(&warning)).unwrap();
        }
        for call in played.calls() {
            writeln!(text, "    {}", stable(&call)).unwrap();
        }
    }
    let diff = &shown.diff.result()["diff"];
    if !diff.is_null() {
        writeln!(text, "  diff: {}", changed_fields(diff)).unwrap();
    }
    text
}

/// The fields that a difference shows, with their values before and after.
fn changed_fields(diff: &Json) -> String {
    let diff = if diff.is_array() { &diff[0] } else { diff };
    let (none, mut shown) = (serde_json::Map::new(), Vec::new());
    let side = |name: &str| diff[name].as_object().unwrap_or(&none).clone();
    let (before, after) = (side("before"), side("after"));
    let mut keys: Vec<&String> = before.keys().chain(after.keys()).collect();
    keys.sort();
    keys.dedup();
    for key in keys.into_iter().filter(|key| before.get(*key) != after.get(*key)) {
        let value = |side: &serde_json::Map<String, Json>| side.get(key).map_or("-".to_owned(), Json::to_string);
        shown.push(format!("{key} {} -> {}", value(&before), value(&after)));
    }
    shown.join("; ")
}

fn warnings(played: &Played) -> Vec<String> {
    let lines = played.stderr.lines();
    lines
        .filter_map(|line| line.strip_prefix("[WARNING]: ").or(line.strip_prefix("warning: ")))
        .map(str::to_owned)
        .collect()
}

/// A text without what differs from run to run.
fn stable(text: &str) -> String {
    let ids = fancy_regex::Regex::new("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").unwrap();
    let ports = fancy_regex::Regex::new(r"127\.0\.0\.1:\d{2,}").unwrap();
    let text = named(text);
    let text = ids.replace_all(&text, "{id}");
    ports.replace_all(&text, "{server}").replace('\n', " ")
}

/// What holds whatever the table says.
fn judge(case: &Case, shown: &Shown) -> Result<(), String> {
    for played in [&shown.check, &shown.diff] {
        if let Some(call) = played.requests.iter().find(|call| call.is_write()) {
            return Err(format!("a dry run sent {call}"));
        }
    }
    let brief = |played: &Played| (played.outcome().to_owned(), played.message(), played.calls());
    if brief(&shown.check) != brief(&shown.diff) {
        return Err("`--diff` made a difference to a dry run".to_owned());
    }
    let changes = shown.diff.outcome() == "changed";
    if changes == shown.diff.result()["diff"].is_null() {
        return Err("`--diff` shows something exactly where something would change".to_owned());
    }
    for played in [&shown.plain, &shown.check, &shown.diff] {
        let text = played.everything();
        for secret in [TOKEN, PASSWORD, NEW_PASSWORD] {
            // What the playbook itself says may be quoted from it, but these never are.
            if text.contains(secret) {
                return Err(format!("`{secret}` is shown:\n{text}"));
            }
        }
        if text.contains("panicked") || played.code == 250 {
            return Err(text);
        }
        let fits = match played.outcome() {
            "failed" => played.code == 2,
            "stopped" => played.code == 4 && played.requests.is_empty(),
            _ => played.code == 0,
        };
        if !fits {
            return Err(format!("exit code {} after `{}`", played.code, played.outcome()));
        }
    }
    if case.args["state"] != "absent" && shown.check.outcome() != shown.plain.outcome() && case.faults.is_empty() {
        return Err(format!("foretold `{}`, was `{}`", shown.check.outcome(), shown.plain.outcome()));
    }
    Ok(())
}

/// Whether the plain run did what the reference did.
fn same(case: &Case, plain: &Played) -> Result<(), String> {
    let reference = &case.reference;
    let outcome = if plain.outcome() == "stopped" { "failed" } else { plain.outcome() };
    if outcome != reference.outcome() {
        return Err(format!("`{outcome}`, the reference `{}`", reference.outcome()));
    }
    let action = plain.result()["action"].as_str().unwrap_or_default();
    // Where the reference says nothing, we say that nothing was done.
    if action != reference.action() && !(action == "none" && reference.action().is_empty()) {
        return Err(format!("action `{action}`, the reference `{}`", reference.action()));
    }
    // Ours may go on where theirs ends, and lists what the reference lists without order.
    let (message, theirs) = (plain.message(), reference.message());
    let theirs = [" Valid booleans", ". Supported parameters"]
        .iter()
        .find_map(|list| theirs.split_once(list))
        .map_or(theirs, |(said, _)| said);
    if !message.starts_with(theirs) || theirs.is_empty() != message.is_empty() {
        return Err(format!("message `{message}`, the reference `{theirs}`"));
    }
    let writes: Vec<String> = plain.requests.iter().filter(|r| r.is_write()).map(super::stage::call).collect();
    let theirs: Vec<String> = reference.writes().map(|call| named(call).replace(" None", " reset")).collect();
    if writes != theirs {
        return Err(format!("wrote {writes:?}, the reference {theirs:?}"));
    }
    if plain.outcome() == "stopped" { Ok(()) } else { contains(plain.result(), &reference.result, "result") }
}

/// Whether a result has everything that the reference's has; what differs from run to run is only there.
fn contains(ours: &Json, theirs: &Json, place: &str) -> Result<(), String> {
    let fleeting = [
        "id",
        "password",
        "created_date",
        "last_modified_date",
        "created_by_user_id",
        "last_modified_by_user_id",
        "msg",
    ];
    if let Json::Object(members) = theirs {
        for (key, value) in members {
            let inner = format!("{place}.{key}");
            let own = ours.get(key).filter(|own| !own.is_null() || value.is_null());
            let own = own.or_else(|| (*key == "changed").then_some(&Json::Bool(false)));
            let own = own.ok_or_else(|| format!("{inner} is not there"))?;
            if !fleeting.contains(&key.as_str()) {
                contains(own, value, &inner)?;
            }
        }
        return Ok(());
    }
    if canonical(ours) == canonical(theirs) { Ok(()) } else { Err(format!("{place}: {ours}, the reference {theirs}")) }
}

/// A value as text; lists are sorted, because the service promises no order.
fn canonical(value: &Json) -> String {
    match value {
        Json::Array(items) => {
            let mut items: Vec<String> = items.iter().map(canonical).collect();
            items.sort();
            format!("[{}]", items.join(","))
        }
        Json::Object(members) => {
            let mut members: Vec<String> =
                members.iter().map(|(key, value)| format!("{key}:{}", canonical(value))).collect();
            members.sort();
            format!("{{{}}}", members.join(","))
        }
        other => other.to_string(),
    }
}

const HEAD: &str = "\
# What has to come out of each recorded case; see replay.rs.
#
#   plain, check   how the task ends: its status (`stopped`: the run was refused before any task), the action it reports, its
#                  message; then its warnings and every request it sends
#   diff           the fields that `--check --diff` shows, before -> after
#   better         why this is right where the reference is not; blocks without it do what the reference does
";

#[test]
fn the_recorded_cases() {
    let filter = std::env::var("REGISTRY_CASE").unwrap_or_default();
    let rewrite = std::env::var_os("REGISTRY_CASES_REWRITE").is_some();
    let cases: Vec<Case> = Case::all().into_iter().filter(|case| case.case.contains(&filter)).collect();
    assert!(!filter.is_empty() || cases.len() == 144, "{} cases", cases.len());
    let shown = play_all(&cases);
    let mut expected = expected();
    let mut complaints = Vec::new();
    let mut written = HEAD.to_owned();
    for (case, shown) in cases.iter().zip(&shown) {
        let name = &case.case;
        let (reason, block) = expected.remove(name).unwrap_or_default();
        let lines = lines(shown);
        if let Err(why) = judge(case, shown) {
            complaints.push(format!("{name}: {why}"));
        }
        if reason.is_empty()
            && let Err(why) = same(case, &shown.plain)
        {
            complaints.push(format!("{name} claims to be the same as the reference: {why}"));
        }
        if !rewrite && block != lines {
            complaints.push(format!(
                "{name} has changed:\n{}",
                ionplay::unified_diff::unified_diff(&block, &lines, 3, ("recorded", "now"))
            ));
        }
        let why = if reason.is_empty() { String::new() } else { format!("  better: {reason}\n") };
        write!(written, "\n{name}\n{why}{lines}").unwrap();
    }
    if rewrite && filter.is_empty() {
        std::fs::write(table(), written).unwrap();
    }
    assert!(!filter.is_empty() || expected.is_empty(), "no such cases: {:?}", expected.keys());
    assert!(complaints.is_empty(), "{} complaints\n{}", complaints.len(), complaints.join("\n"));
}
