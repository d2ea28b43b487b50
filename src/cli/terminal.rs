//! Questions that a run asks at the terminal before it begins.

use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Write};

use crate::diagnostic::render;

/// Asks for a line; `None` if there is no terminal to ask at, or the user ends the input.
///
/// Standard input may be a pipe that a page came through: then the answer is read from the terminal itself.
pub fn ask_line(question: &str) -> Option<String> {
    if !is_there() {
        return None;
    }
    let mut line = String::new();
    let read = if std::io::stdin().is_terminal() {
        show_text(question);
        std::io::stdin().read_line(&mut line)
    } else {
        let mut terminal = BufReader::new(File::open("/dev/tty").ok()?);
        show_text(question);
        terminal.read_line(&mut line)
    };
    match read {
        Ok(0) | Err(_) => {
            show_text("\n");
            None
        }
        Ok(_) => Some(line.trim().to_owned()),
    }
}

/// Whether somebody sits at a terminal who can read a question.
pub fn is_there() -> bool {
    std::io::stderr().is_terminal() && (std::io::stdin().is_terminal() || File::open("/dev/tty").is_ok())
}

/// Shows a text at the terminal, its lines broken at words.
pub fn show_text(text: &str) {
    let ending: String = text.chars().rev().take_while(|c| matches!(c, ' ' | '\n')).collect();
    let text = format!("{}{ending}", render::wrap_text(text, render::terminal_width(), 1).trim_end());
    let mut terminal = std::io::stderr();
    // A terminal that has gone reads no question.
    let _ = terminal.write_all(text.as_bytes()).and_then(|()| terminal.flush());
}

/// The command line of this run as a shell reads it, with further options behind the program's name or its subcommand.
pub fn command_with(options: &[String]) -> String {
    let mut words = std::env::args();
    let program = words.next().unwrap_or_else(|| "ionplay".to_owned());
    let mut words: Vec<String> = words.collect();
    let subcommand = words.first().is_some_and(|word| matches!(word.as_str(), "run" | "plan" | "lint"));
    let behind = usize::from(subcommand);
    words.splice(behind..behind, options.iter().cloned());
    std::iter::once(program).chain(words).map(|word| quote_word(&word)).collect::<Vec<_>>().join(" ")
}

/// Quotes a word for a shell where that is needed.
pub fn quote_word(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.:/@%+=,".contains(&b);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
