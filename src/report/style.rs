//! Colours by meaning.

use anstyle::{AnsiColor, Color, Style};

/// Meaning of a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// Nothing changed.
    Ok,
    /// Something changed.
    Changed,
    /// Not run.
    Skipped,
    /// Failed.
    Failed,
    /// A warning.
    Warning,
    /// Said in passing.
    Verbose,
    /// A removed line.
    Removed,
    /// An added line.
    Added,
    /// A hunk header.
    Hunk,
}

impl Meaning {
    fn style(self) -> Style {
        let colour = match self {
            Self::Ok | Self::Added => AnsiColor::Green,
            Self::Changed => AnsiColor::Yellow,
            Self::Skipped | Self::Hunk => AnsiColor::Cyan,
            Self::Failed | Self::Removed => AnsiColor::Red,
            Self::Warning => AnsiColor::BrightMagenta,
            Self::Verbose => AnsiColor::Blue,
        };
        Style::new().fg_color(Some(Color::Ansi(colour)))
    }
}

/// Paints text, or leaves it alone where there is no colour.
#[derive(Debug, Clone, Copy)]
pub struct Paint(pub bool);

impl Paint {
    /// The text in the colour of its meaning, line by line, so that a cut-off line leaves no colour behind.
    pub fn paint_text(self, text: &str, meaning: Meaning) -> String {
        if !self.0 || text.is_empty() {
            return text.to_owned();
        }
        let style = meaning.style();
        text.split('\n').map(|line| format!("{style}{line}{style:#}")).collect::<Vec<_>>().join("\n")
    }
}
