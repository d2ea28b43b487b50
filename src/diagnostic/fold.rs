//! One message for an error that repeats: the first place is drawn, the others are listed.

use super::{Diagnostic, Report};

/// Joins messages that differ only in their place. The first one stays where it is and lists the places of the others;
/// the same message at the same place is dropped.
pub fn fold_repeated(report: Report) -> Report {
    let mut folded: Report = Vec::with_capacity(report.len());
    for message in report {
        let Some(first) = folded.iter_mut().find(|first| says_the_same(first, &message)) else {
            folded.push(message);
            continue;
        };
        let places = message.labels.iter().take(1).map(|label| &label.span).chain(&message.also);
        for place in places {
            if first.span() != Some(place) && !first.also.contains(place) {
                first.also.push(place.clone());
            }
        }
    }
    folded
}

/// Whether two messages differ in nothing but the first place.
fn says_the_same(a: &Diagnostic, b: &Diagnostic) -> bool {
    let remarks = |message: &Diagnostic| message.labels.iter().map(|label| label.text.clone()).collect::<Vec<_>>();
    let others =
        |message: &Diagnostic| message.labels.iter().skip(1).map(|label| label.span.clone()).collect::<Vec<_>>();
    a.severity == b.severity
        && a.summary == b.summary
        && a.hints == b.hints
        && a.notes == b.notes
        && remarks(a) == remarks(b)
        && (others(a) == others(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    #[test]
    fn repeated_messages_become_one_with_all_places() {
        let source = Source::new("page.md", "a: \'\'\nb: \'\'\n");
        let at = |from: usize| Diagnostic::error("this is empty").at(&source.span(from..from + 2), "").hint("fill it");
        let folded = fold_repeated(vec![at(3), Diagnostic::error("other"), at(9), at(3), at(9)]);
        let shown: Vec<_> = folded.iter().map(|message| (message.summary.as_str(), message.also.len())).collect();
        assert_eq!(shown, [("this is empty", 1), ("other", 0)]);
    }

    #[test]
    fn messages_with_other_remedies_stay_apart() {
        let folded = fold_repeated(vec![Diagnostic::error("x").hint("a"), Diagnostic::error("x").hint("b")]);
        assert_eq!(folded.len(), 2);
    }
}
