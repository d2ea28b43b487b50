//! The difference of two texts, line by line, as `diff -u` and Python's `difflib` write it.

use std::fmt::Write as _;
use std::ops::Range;

use imara_diff::{Algorithm, Diff, Hunk, InternedInput};

/// The unified difference of two texts, with so many lines round each change; empty if there is none.
pub fn unified_diff(before: &str, after: &str, context: u32, headers: (&str, &str)) -> String {
    let input = InternedInput::new(before, after);
    let hunks: Vec<Hunk> = Diff::compute(Algorithm::MyersMinimal, &input).hunks().collect();
    let lines =
        |tokens: &[imara_diff::Token]| -> Vec<&str> { tokens.iter().map(|token| input.interner[*token]).collect() };
    let (old, new) = (lines(&input.before), lines(&input.after));
    let mut out = String::new();
    for group in group_hunks(&hunks, context) {
        if out.is_empty() {
            let _ = write!(out, "--- {}\n+++ {}\n", headers.0, headers.1);
        }
        write_group(&mut out, group, context, (&old, &new));
    }
    out
}

/// Changes that stand so near to one another that their context meets.
fn group_hunks(hunks: &[Hunk], context: u32) -> impl Iterator<Item = &[Hunk]> {
    hunks.chunk_by(move |one, next| next.before.start - one.before.end <= context.saturating_mul(2))
}

fn write_group(out: &mut String, group: &[Hunk], context: u32, (old, new): (&[&str], &[&str])) {
    let (Some(first), Some(last)) = (group.first(), group.last()) else { return };
    let lead = context.min(first.before.start);
    let tail = context.min(old.len() as u32 - last.before.end);
    let shown_old = first.before.start - lead..last.before.end + tail;
    let shown_new = first.after.start - lead..last.after.end + tail;
    let _ = writeln!(out, "@@ -{} +{} @@", describe_range(&shown_old), describe_range(&shown_new));
    let mut at = shown_old.start;
    for hunk in group {
        write_lines(out, ' ', &old[at as usize..hunk.before.start as usize]);
        write_lines(out, '-', &old[hunk.before.start as usize..hunk.before.end as usize]);
        write_lines(out, '+', &new[hunk.after.start as usize..hunk.after.end as usize]);
        at = hunk.before.end;
    }
    write_lines(out, ' ', &old[at as usize..shown_old.end as usize]);
}

/// The first line, counted from 1, and how many; one line needs no number, and none begin at the line before.
fn describe_range(range: &Range<u32>) -> String {
    match range.len() {
        0 => format!("{},0", range.start),
        1 => format!("{}", range.start + 1),
        count => format!("{},{count}", range.start + 1),
    }
}

fn write_lines(out: &mut String, sign: char, lines: &[&str]) {
    for line in lines {
        out.push(sign);
        out.push_str(line);
        if !line.ends_with('\n') {
            out.push_str("\n\\ No newline at end of file\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_shown_with_their_surroundings() {
        let old = "a\nb\nc\nd\ne\nf\ng\nh\n";
        let new = "a\nb\nc\nD\ne\nf\ng\nh\ni";
        let expected = "--- before\n+++ after\n@@ -3,3 +3,3 @@\n c\n-d\n+D\n e\n@@ -8 +8,2 @@\n h\n+i\n\
                        \\ No newline at end of file\n";
        assert_eq!(unified_diff(old, new, 1, ("before", "after")), expected);
        assert_eq!(unified_diff(old, old, 3, ("before", "after")), "");
        assert_eq!(unified_diff("", "x\n", 3, ("a", "b")), "--- a\n+++ b\n@@ -0,0 +1 @@\n+x\n");
    }
}
