//! The door through which everything leaves, and what is said where no run has opened it.

use std::cell::RefCell;
use std::io::{IsTerminal, Write as _};
use std::rc::Rc;

use super::args::{OutputFormat, RunArgs};
use super::callbacks::Callbacks;
use crate::diagnostic::{Diagnostic, render};
use crate::exit::Exit;
use crate::playbook::LoadError;
use crate::playbook::loader::plain_error;
use crate::report::files::ReportFiles;
use crate::report::{Bus, Writer, document, jsonl, screen};
use crate::secrets::Redactor;
use crate::settings::{self, RunSettings};

/// Opens the door with the writers that the arguments ask for.
///
/// # Errors
/// If the file of the events cannot be written.
pub fn open_output(
    args: &RunArgs,
    colour: bool,
    settings: &RunSettings,
    writer: Option<Box<dyn Writer>>,
    quiet: bool,
) -> Result<Rc<Bus>, Diagnostic> {
    let mut writers: Vec<Box<dyn Writer>> = Vec::new();
    writers.extend(writer);
    let quiet = quiet || args.output.is_some();
    let callbacks = Callbacks::read(settings);
    let options = screen_options(args, colour, settings, quiet);
    writers.push(Box::new(screen::Screen::new(options)));
    let log = settings.text(settings::DEFAULT_LOG_PATH);
    if !log.is_empty() {
        let file = std::fs::File::options().append(true).create(true).open(&log);
        let file = file
            .map_err(|error| Diagnostic::error(format!("cannot write `log_path` `{log}`: {}", plain_error(&error))))?;
        let options = screen::ScreenOptions { colour: false, quiet: false, brief: false, ..options };
        writers.push(Box::new(screen::Screen::to_log(options, file)));
    }
    if let Some(profile) = callbacks.profile().filter(|_| !quiet) {
        writers.push(Box::new(profile));
    }
    if let Some(format) = args.output {
        let format = match format {
            OutputFormat::Json => document::DocumentFormat::Json,
            OutputFormat::Yaml => document::DocumentFormat::Yaml,
        };
        writers.push(Box::new(document::ResultDocument::new(format)));
    }
    if let Some(path) = &args.events {
        let writer = jsonl::Jsonl::create(path).map_err(|error| {
            Diagnostic::error(format!("cannot write the events to `{}`: {}", path.display(), plain_error(&error)))
        })?;
        writers.push(Box::new(writer));
    }
    if !args.report.is_empty() {
        let writer = ReportFiles::new(&args.report, &args.playbooks)
            .map_err(|error| Diagnostic::error(format!("cannot write the report {}", plain_error(&error))))?;
        writers.push(Box::new(writer));
    }
    Ok(Rc::new(Bus::new(writers, Rc::new(Redactor::new(args.show_secrets)))))
}

/// The options of the screen, from arguments and settings.
fn screen_options(args: &RunArgs, colour: bool, settings: &RunSettings, quiet: bool) -> screen::ScreenOptions {
    screen::ScreenOptions {
        colour,
        brief: args.quiet,
        verbosity: args.verbose.min(4),
        debug: settings.bool(settings::DEFAULT_DEBUG),
        quiet,
        show_skipped: settings.bool(settings::DISPLAY_SKIPPED_HOSTS) && !args.quiet,
        show_ok: settings.bool(settings::DISPLAY_OK_HOSTS) && !args.quiet,
        failures_to_stderr: settings.bool(settings::DISPLAY_FAILED_STDERR),
        check_marks: settings.bool(settings::CHECK_MODE_MARKERS),
        check: args.check,
        host_starts: settings.bool(settings::SHOW_PER_HOST_START),
        places_of_failures: settings.bool(settings::SHOW_TASK_PATH_ON_FAILURE),
        show_deprecations: settings.bool(settings::DEPRECATION_WARNINGS),
        custom_stats: settings.bool(settings::SHOW_CUSTOM_STATS),
        format: match settings.text(settings::CALLBACK_RESULT_FORMAT).as_str() {
            _ if Callbacks::read(settings).shows_yaml => screen::ResultFormat::Yaml,
            "yaml" => screen::ResultFormat::Yaml,
            _ => screen::ResultFormat::Json,
        },
        pretty: crate::modules::args::parse_bool(&settings.text(settings::CALLBACK_FORMAT_PRETTY).into()),
    }
}

/// Colour only where the output is a terminal and colour is not switched off.
pub fn has_colours(refused: bool) -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if refused || set("NO_COLOR") || is_switched_on(settings::ANSIBLE_NOCOLOR) {
        return false;
    }
    are_colours_forced() || std::io::stdout().is_terminal()
}

/// Whether the user wants colours also where no terminal is.
fn are_colours_forced() -> bool {
    is_switched_on("CLICOLOR_FORCE") || is_switched_on(settings::ANSIBLE_FORCE_COLOR)
}

/// Whether a variable of the environment is set to something other than a no.
fn is_switched_on(name: &str) -> bool {
    let value = std::env::var(name).unwrap_or_default().to_lowercase();
    !matches!(value.as_str(), "" | "0" | "no" | "off" | "false" | "n" | "f")
}

/// Tells messages on standard error, without the secrets that are known, in source lines neither.
pub fn print_redacted(report: &[Diagnostic], redactor: &Redactor, colour: bool, exit: Exit) -> Exit {
    let colour = colour && (are_colours_forced() || std::io::stderr().is_terminal());
    for (index, message) in report.iter().enumerate() {
        if index > 0 {
            write_stderr("");
        }
        write_stderr(&redactor.redact(&render::render_diagnostic(message, colour)));
    }
    exit
}

/// Writes a line to standard error. If that is closed or full, there is no place left to say so.
pub fn write_stderr(text: &str) {
    crate::block_output::write_pending();
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

thread_local! {
    /// Why standard output could not be written, the first time.
    static LOST: RefCell<Option<std::io::Error>> = const { RefCell::new(None) };
}

/// Writes to standard output; a failure is told at the end by [`settle_exit`].
pub fn write_stdout(text: &str) {
    crate::block_output::write_pending();
    if let Err(error) = std::io::stdout().lock().write_all(text.as_bytes()) {
        record_failure(error);
    }
}

/// Notes why something could not be written.
pub fn record_failure(error: std::io::Error) {
    LOST.with_borrow_mut(|lost| {
        lost.get_or_insert(error);
    });
}

/// The exit status of the program, after the last of its output is written. What could not be written is an error, unless
/// the reader has seen enough (`| head`). A run that failed keeps its own status.
pub fn settle_exit(exit: Exit) -> Exit {
    if let Err(error) = std::io::stdout().lock().flush() {
        record_failure(error);
    }
    match LOST.take() {
        Some(error) if error.kind() != std::io::ErrorKind::BrokenPipe => report_unwritten(&plain_error(&error), exit),
        _ => exit,
    }
}

/// Says that something could not be written.
pub fn report_unwritten(why: &str, exit: Exit) -> Exit {
    write_stderr(&format!("error: cannot write the output: {why}"));
    match exit {
        Exit::Success | Exit::Changes | Exit::Undetermined => Exit::OutputLost,
        other => other,
    }
}

/// Tells messages of which none can hold a secret.
pub fn print_messages(report: &[Diagnostic], colour: bool, exit: Exit) -> Exit {
    print_redacted(report, &Redactor::new(true), colour, exit)
}

/// A problem with the call itself, in one sentence.
pub fn general_problem(message: impl Into<String>) -> Box<LoadError> {
    Box::new(LoadError::from_general(Diagnostic::error(message)))
}

/// A message without the numbers that the standard library adds to what the system says.
pub(super) fn without_numbers(text: &str) -> String {
    let mut parts = text.split(" (os error ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once(')').map_or(part, |(_, rest)| rest))
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_of_the_system_tell_nobody_anything() {
        let clean = super::without_numbers("cannot read `a`: No such file (os error 2): gone (os error 3); stop");
        assert_eq!(clean, "cannot read `a`: No such file: gone; stop");
        assert_eq!(super::without_numbers("plain"), "plain");
    }
}
