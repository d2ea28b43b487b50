//! `ionplay lsp`: the language server on standard input and output.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use lsp_server::Connection;

use super::args::RunArgs;
use super::lint::describe_playbook;
use super::load;
use super::output;
use crate::diagnostic::{Report, fold_repeated};
use crate::exit::Exit;
use crate::lsp::{self, CheckRequest, CheckedText, names, server::ServerEnd};
use crate::secrets::Redactor;
use crate::source::Source;

/// Serve an editor: messages, completion, hover, rename and more (Language Server Protocol)
///
/// Speaks the Language Server Protocol on standard input and output; an editor starts it (`docs/editors.md` says how). It
/// reads texts as the editor has them, saved or not. Nothing is run, no vault is opened and no request is sent.
#[derive(Debug, clap::Args)]
pub struct LspArgs {
    /// Standard input and output; the default, and there is no other way
    #[arg(long)]
    pub stdio: bool,
}

/// Serves until the editor ends the conversation.
pub fn serve_editor(_args: &LspArgs) -> Exit {
    let (connection, threads) = Connection::stdio();
    let served = lsp::serve(&connection, &check_text);
    drop(connection);
    match served {
        Ok(ServerEnd::Orderly) => {
            // What is written last reaches the editor before the program ends.
            let _ = threads.join();
            Exit::Success
        }
        Ok(ServerEnd::Abrupt) => Exit::General,
        Err(error) => {
            output::write_stderr(&format!("error: {error}; `ionplay lsp` is started by an editor"));
            Exit::General
        }
    }
}

/// Gives what `ionplay lint` says of a text.
fn check_text(request: &CheckRequest<'_>) -> CheckedText {
    let redactor = Rc::new(Redactor::new(false));
    let draft = make_draft(request);
    let report = check_draft(&draft, request, &redactor);
    // What a role is checked with is not a text of the user.
    let is_shown =
        |message: &crate::diagnostic::Diagnostic| message.span().is_none_or(|span| span.source().name() != ROLE_CALLER);
    let report = fold_repeated(report).into_iter().filter(is_shown).collect();
    CheckedText { report, redactor }
}

fn check_draft(draft: &load::Draft, request: &CheckRequest<'_>, redactor: &Rc<Redactor>) -> Report {
    let options = RunArgs { all_blocks: true, ..RunArgs::default() };
    match load::read_draft(&options, draft, request.unsaved.clone(), redactor) {
        Ok(read) => describe_playbook(read).0,
        Err(problem) => problem.report,
    }
}

/// Name of the playbook that calls a role in order to check it.
const ROLE_CALLER: &str = "<role>";

/// The text to check. Tasks of a role are checked as part of it: its handlers and files count.
fn make_draft(request: &CheckRequest<'_>) -> load::Draft {
    let folder = request.path.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    if let Some((role, from)) = role_tasks(request.path) {
        let name = role.file_name().unwrap_or_default().to_string_lossy();
        let text = format!(
            "- hosts: localhost\n  gather_facts: false\n  tasks:\n    - import_role: {{name: \"{name}\", tasks_from: \"{from}\"}}\n"
        );
        let project = role.parent().and_then(Path::parent).map_or(folder, Path::to_path_buf);
        return load::Draft { source: Source::new(ROLE_CALLER, text), folder: project };
    }
    let source: Arc<Source> = Source::new(request.path.display().to_string(), request.text);
    load::Draft { source, folder }
}

/// The folder of the role, and the name of the file of tasks, if a path is such a file. One of handlers is checked with
/// the main file of tasks, if there is one.
fn role_tasks(path: &Path) -> Option<(PathBuf, String)> {
    let role = names::role_folder(path)?;
    let (tasks, handlers) = (role.join("tasks"), role.join("handlers"));
    let is_plain = |name: &str| !name.contains(['"', '\\', '{']);
    if path.parent() == Some(&tasks) && path.is_file() {
        let name = path.file_name()?.to_str()?.to_owned();
        return is_plain(&name).then_some((role, name));
    }
    let has_tasks = tasks.join("main.yml").is_file();
    (path.parent() == Some(&handlers) && path.is_file() && has_tasks).then(|| (role, "main.yml".to_owned()))
}
