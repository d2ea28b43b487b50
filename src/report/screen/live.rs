//! The live line: what is waited for, below what was said, on terminals only.

use std::io;
use std::time::Duration;

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

/// Room at the edge of the terminal for what it echoes (`^C`), which would begin another line.
const MARGIN: u16 = 4;

/// Columns of the live line besides its message: spinner and time.
const AROUND: usize = 12;

/// A live line that is not shown yet.
pub fn new_bar() -> ProgressBar {
    let target = ProgressDrawTarget::term_like_with_hz(Box::new(Narrow(Term::stderr())), 20);
    let bar = ProgressBar::with_draw_target(None, target);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
        bar.set_style(style);
    }
    // It stays away until there is something to show.
    bar.finish_and_clear();
    bar
}

/// Shows a message, or takes the line away if there is none.
pub fn show_message(bar: &ProgressBar, message: &str) {
    if message.is_empty() {
        bar.disable_steady_tick();
        bar.finish_and_clear();
        return;
    }
    if bar.is_finished() {
        bar.reset();
    }
    let room = super::output_width().saturating_sub(AROUND + usize::from(MARGIN));
    bar.set_message(cut_text(message, room));
    bar.enable_steady_tick(Duration::from_millis(120));
}

/// The beginning of a text that is too long.
fn cut_text(text: &str, room: usize) -> String {
    match text.char_indices().nth(room) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A terminal that says it is narrower than it is.
#[derive(Debug)]
struct Narrow(Term);

impl TermLike for Narrow {
    fn width(&self) -> u16 {
        self.0.size().1.saturating_sub(MARGIN).max(1)
    }

    fn height(&self) -> u16 {
        self.0.size().0
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_up(n)
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_down(n)
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_right(n)
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_left(n)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.0.write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.0.flush()
    }
}
