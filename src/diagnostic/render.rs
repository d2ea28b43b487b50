//! The picture under the source line. The only user of annotate-snippets.

use std::io::IsTerminal;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{Diagnostic, Label, Severity};
use crate::source::Span;

/// Draws a message with its source lines, ready to be printed; `colour` only where the reader is a terminal.
pub fn render_diagnostic(diagnostic: &Diagnostic, colour: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Deprecation => Level::WARNING,
    };
    let width = terminal_width();
    // `error: ` and `  = help: ` stand before the first line of what they introduce.
    let title = wrap_text(&diagnostic.summary, width, "warning: ".len());
    let mut group = Group::with_title(level.primary_title(&title));
    // One snippet for each source, so that labels in the same file share a picture.
    let mut drawn: Vec<&str> = Vec::new();
    // Places are shown in the text that the user has.
    let labels: Vec<Label> = diagnostic
        .labels
        .iter()
        .map(|label| Label { span: label.span.to_original(), text: label.text.clone() })
        .collect();
    for label in &labels {
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
        let annotations = labels.iter().enumerate().filter(|(_, l)| l.span.source().name() == source.name());
        let mut snippet = Snippet::source(source.text()).path(source.name()).fold(true);
        if diagnostic.severity == Severity::Error {
            let lead = lines_before(label.span.range().start, source.text());
            snippet = snippet.annotation(AnnotationKind::Visible.span(lead));
        }
        for (index, label) in annotations {
            let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
            let annotation = kind.span(clip_to_first_line(label.span.range(), source.text()));
            snippet = snippet.annotation(if label.text.is_empty() {
                annotation
            } else {
                annotation.label(label.text.as_str())
            });
        }
        group = group.element(snippet);
    }
    if !diagnostic.also.is_empty() {
        group = group.element(Level::NOTE.message(wrap_text(&list_places(&diagnostic.also), width, MARGIN)));
    }
    for note in &diagnostic.notes {
        group = group.element(Level::NOTE.message(wrap_text(note, width, MARGIN)));
    }
    for hint in &diagnostic.hints {
        group = group.element(Level::HELP.message(wrap_text(hint, width, MARGIN)));
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    renderer.term_width(width.unwrap_or(DEFAULT_WIDTH)).render(&[group])
}

/// The columns before a note or a help text: number of the line, ` = `, and the word.
const MARGIN: usize = 13;

/// How wide pictures may be where no terminal says it.
const DEFAULT_WIDTH: usize = 140;

/// The width of the terminal that messages are read at; `None` where they go to a file or a pipe, whose readers look for
/// whole lines.
pub fn terminal_width() -> Option<usize> {
    let terminal = console::Term::stderr();
    let seen = terminal.is_term() && std::io::stdout().is_terminal();
    seen.then(|| terminal.size_checked()).flatten().map(|(_, columns)| usize::from(columns)).filter(|width| *width > 30)
}

/// Breaks lines at words so that they fit beside a margin. What stands in backticks is copied and stays whole.
pub fn wrap_text(text: &str, width: Option<usize>, margin: usize) -> String {
    const KEPT: char = '\u{e000}';
    let Some(width) = width else { return text.to_owned() };
    let options = textwrap::Options::new(width.saturating_sub(margin).max(20))
        .break_words(false)
        // Dates and names with a hyphen stay whole.
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    let mut quoted = false;
    let kept = text.chars().map(|c| {
        quoted ^= c == '`';
        if quoted && c == ' ' { KEPT } else { c }
    });
    let kept: String = kept.collect();
    let lines: Vec<String> = kept.lines().map(|line| textwrap::fill(line, &options)).collect();
    lines.join("\n").replace(KEPT, " ")
}

/// How many further places are listed; beyond it only their number is.
const LISTED_PLACES: usize = 12;

/// `also at page.md:13:13, page.md:25:13`.
fn list_places(places: &[Span]) -> String {
    let listed: Vec<String> = places.iter().take(LISTED_PLACES).map(Span::to_string).collect();
    let more = places.len() - listed.len();
    let rest = if more > 0 { format!(" and at {more} other places") } else { String::new() };
    format!("also at {}{rest}", listed.join(", "))
}

/// How many lines are shown before the one that an error is about.
const LINES_BEFORE: usize = 2;

/// The lines before the one that a place is in.
fn lines_before(place: usize, text: &str) -> std::ops::Range<usize> {
    let earlier = &text[..text.floor_char_boundary(place)];
    let line = earlier.rfind('\n').map_or(0, |end| end + 1);
    let mut start = line;
    for _ in 0..LINES_BEFORE {
        let Some(above) = start.checked_sub(1) else { break };
        start = earlier[..above].rfind('\n').map_or(0, |end| end + 1);
    }
    start..line
}

/// A span cut to its first line: a caret under twenty lines of a block scalar shows nothing.
fn clip_to_first_line(range: std::ops::Range<usize>, text: &str) -> std::ops::Range<usize> {
    // A place inside of a character would be none that can be drawn.
    let start = text.floor_char_boundary(range.start);
    let end = text.ceil_char_boundary(range.end.max(start));
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
    fn place_inside_of_a_character_is_drawn() {
        let source = Source::new("x.yml", "a: é!\nb: ü\n");
        for start in 0..source.text().len() {
            for end in start..source.text().len() + 2 {
                let place = source.span(start..end.min(source.text().len()));
                assert!(render_diagnostic(&Diagnostic::error("odd").at(&place, "here"), false).contains("x.yml"));
            }
        }
    }

    #[test]
    fn the_line_is_shown_with_a_caret() {
        let source = Source::new("token.yml", "name: x\nstatus: enable\n");
        let shown = render_diagnostic(
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
    fn long_lines_break_at_words_and_commands_stay_whole() {
        let text = "or give the values on the command line: `ionplay --fill registry=VALUE page.md`";
        let wrapped = "or give the values on the command\nline:\n`ionplay --fill registry=VALUE page.md`";
        assert_eq!(wrap_text(text, Some(50), 13), wrapped);
        assert_eq!(wrap_text(text, None, 13), text);
    }

    #[test]
    fn lines_of_vaulted_files_are_not_shown() {
        let source = Source::sealed("vars.yml", "a: 1\npassword:\"secret\"\n");
        let shown = render_diagnostic(&Diagnostic::error("this is text").at(&source.span(5..22), ""), false);
        assert!(shown.contains("--> vars.yml:2:1") && !shown.contains("secret"), "{shown}");
    }
}
