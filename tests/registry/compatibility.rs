//! The table of `docs/compatibility.md` is made of the recorded cases and what is expected of them.
//!
//! `REGISTRY_CASES_REWRITE=1` writes it anew.

use std::fmt::Write as _;

use super::case::Case;
use super::replay::expected;

const BEGIN: &str = "<!-- cases: begin -->\n";
const END: &str = "<!-- cases: end -->\n";

/// The table, from the plain runs.
fn table() -> String {
    let (expected, cases) = (expected(), Case::all());
    let better = expected.values().filter(|(reason, _)| !reason.is_empty()).count();
    let mut text = format!(
        "{} cases: {} the same, {better} better.\n\n| case | reference | ionplay | |\n| --- | --- | --- | --- |\n",
        cases.len(),
        cases.len() - better
    );
    for case in &cases {
        let (reason, lines) = &expected[&case.case];
        let mut plain = lines.lines().take_while(|line| !line.starts_with("  check:"));
        let ended = plain.next().and_then(|line| line.strip_prefix("  plain: ")).unwrap_or_default();
        let (ended, _) = ended.split_once(": ").unwrap_or((ended, ""));
        let requests = plain.filter(|line| !line.trim_start().starts_with("warning:")).count();
        let reference = &case.reference;
        let action = if reference.action().is_empty() { String::new() } else { format!(" ({})", reference.action()) };
        let theirs = count(reference.http.len());
        let verdict = if reason.is_empty() { "same".to_owned() } else { format!("better: {reason}") };
        let ours = count(requests);
        let _ = writeln!(
            text,
            "| `{}` | {}{action}, {theirs} | {ended}, {ours} | {verdict} |",
            case.case,
            reference.outcome()
        );
    }
    text
}

fn count(requests: usize) -> String {
    match requests {
        0 => "no request".to_owned(),
        1 => "1 request".to_owned(),
        many => format!("{many} requests"),
    }
}

#[test]
fn the_table_in_the_documentation_is_fresh() {
    let path = crate::root().join("docs/compatibility.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("the mark where the table begins");
    let (old, after) = rest.split_once(END).expect("the mark where the table ends");
    let new = format!("\n{}\n", table());
    if std::env::var_os("REGISTRY_CASES_REWRITE").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{new}{END}{after}")).unwrap();
    } else {
        assert!(old == new, "docs/compatibility.md is stale; run the tests with REGISTRY_CASES_REWRITE=1");
    }
}
