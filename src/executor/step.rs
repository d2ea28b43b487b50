//! `--step`: asks before each task.

use std::rc::Rc;

use super::state::Run;
use crate::host::ask::ask_anybody;
use crate::report::Event;

/// Whether the task is to run. "Continue" stops the asking. Answers may come through a pipe; after its end none is yes.
pub async fn confirmed(run: &Rc<Run>, task: &str) -> bool {
    if !run.stepping.get() {
        return true;
    }
    loop {
        run.bus.emit(&Event::Progress(String::new()));
        let answer = tokio::select! {
            biased;
            answer = ask_anybody(format!("Perform task: {task} (N)o/(y)es/(c)ontinue: ")) => answer,
            () = run.interrupt.raised() => return false,
        };
        let Ok(answer) = answer else { return false };
        match answer.trim().to_lowercase().as_str() {
            "y" | "yes" => return true,
            "c" | "continue" => {
                run.stepping.set(false);
                return true;
            }
            "" | "n" | "no" => return false,
            _ => {}
        }
    }
}
