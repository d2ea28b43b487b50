//! `--step`: asks before each task. Answers may come through a pipe; when it ends, the run ends, as with Ansible.

use std::rc::Rc;

use crate::diagnostic::Diagnostic;
use crate::executor::state::RunState;
use crate::host::prompt::ask_anybody;
use crate::playbook::{LoadError, LoadErrorKind, LoadResult};
use crate::report::ReportEvent;

/// Whether the task is to run. "Continue" stops the asking.
///
/// # Errors
/// If standard input has come to its end.
pub async fn confirm_task(run: &Rc<RunState>, task: &str) -> LoadResult<bool> {
    if !run.stepping.get() {
        return Ok(true);
    }
    loop {
        run.bus.emit(&ReportEvent::Progress(String::new()));
        let answer = tokio::select! {
            biased;
            answer = ask_anybody(format!("Perform task: {task} (N)o/(y)es/(c)ontinue: ")) => answer,
            () = run.interrupt.wait_until_raised() => return Ok(false),
        };
        let answer = answer.ok().filter(|answer| !answer.is_empty()).ok_or_else(|| {
            let message = Diagnostic::error(format!("cannot ask whether to run task `{task}`"))
                .hint("`--step` needs a terminal, or a line for each task on standard input");
            Box::new(LoadError::from_general(message)).of_kind(LoadErrorKind::Breakdown)
        })?;
        match answer.trim().to_lowercase().as_str() {
            "y" | "yes" => return Ok(true),
            "c" | "continue" => {
                run.stepping.set(false);
                return Ok(true);
            }
            "" | "n" | "no" => return Ok(false),
            _ => {}
        }
    }
}
