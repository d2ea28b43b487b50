//! The picture under the source line. The only user of annotate-snippets.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{Diagnostic, Severity};

/// Draws a message with its source lines, ready to be printed; `colour` only where the reader is a terminal.
pub fn render(diagnostic: &Diagnostic, colour: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Deprecation => Level::WARNING.with_name("deprecated"),
    };
    let mut group = Group::with_title(level.primary_title(&diagnostic.summary));
    // One snippet for each source, so that labels in the same file share a picture.
    let mut drawn: Vec<&str> = Vec::new();
    for label in &diagnostic.labels {
        let source = label.span.source();
        if drawn.contains(&source.name()) {
            continue;
        }
        drawn.push(source.name());
        if source.is_sealed() {
            let place = label.span.position();
            group = group.element(Origin::path(source.name()).line(place.line).char_column(place.column));
            continue;
        }
        let annotations = diagnostic.labels.iter().enumerate().filter(|(_, l)| l.span.source().name() == source.name());
        let mut snippet = Snippet::source(source.text()).path(source.name()).fold(true);
        if diagnostic.severity == Severity::Error {
            let lead = before(label.span.range().start, source.text());
            snippet = snippet.annotation(AnnotationKind::Visible.span(lead));
        }
        for (index, label) in annotations {
            let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
            let annotation = kind.span(visible(label.span.range(), source.text()));
            snippet = snippet.annotation(if label.text.is_empty() {
                annotation
            } else {
                annotation.label(label.text.as_str())
            });
        }
        group = group.element(snippet);
    }
    for hint in &diagnostic.hints {
        group = group.element(Level::HELP.message(hint.as_str()));
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&[group])
}

/// How many lines are shown before the one that an error is about.
const LINES_BEFORE: usize = 2;

/// The lines before the one that a place is in.
fn before(place: usize, text: &str) -> std::ops::Range<usize> {
    let earlier = text.get(..place).unwrap_or_default();
    let line = earlier.rfind('\n').map_or(0, |end| end + 1);
    let mut start = line;
    for _ in 0..LINES_BEFORE {
        let Some(above) = start.checked_sub(1) else { break };
        start = earlier[..above].rfind('\n').map_or(0, |end| end + 1);
    }
    start..line
}

/// A span cut to its first line: a caret under twenty lines of a block scalar shows nothing.
fn visible(range: std::ops::Range<usize>, text: &str) -> std::ops::Range<usize> {
    let start = range.start.min(text.len());
    let end = range.end.clamp(start, text.len());
    match text.get(start..end).and_then(|part| part.find('\n')) {
        Some(0) | None => start..end,
        Some(line) => start..start + line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    #[test]
    fn the_line_is_shown_with_a_caret() {
        let source = Source::new("token.yml", "name: x\nstatus: enable\n");
        let shown = render(
            &Diagnostic::error("`status` must be one of `enabled`, `disabled`, not `enable`")
                .at(&source.span(16..22), "")
                .hint("did you mean `enabled`?"),
            false,
        );
        assert!(shown.contains("--> token.yml:2:9"), "{shown}");
        assert!(shown.contains("^^^^^^"), "{shown}");
        assert!(shown.contains("did you mean `enabled`?"), "{shown}");
    }

    #[test]
    fn lines_of_vaulted_files_are_not_shown() {
        let source = Source::sealed("vars.yml", "a: 1\npassword:\"secret\"\n");
        let shown = render(&Diagnostic::error("this is text").at(&source.span(5..22), ""), false);
        assert!(shown.contains("--> vars.yml:2:1") && !shown.contains("secret"), "{shown}");
    }
}
