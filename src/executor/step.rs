//! `--step`: asks before each task.

use std::rc::Rc;

use super::state::Run;

/// Whether the task is to run. "Continue" stops the asking; without a terminal nothing is asked.
pub fn confirmed(run: &Rc<Run>, task: &str) -> bool {
    if !run.stepping.get() {
        return true;
    }
    let terminal = console::Term::stderr();
    loop {
        if terminal.write_str(&format!("Perform task: {task} (N)o/(y)es/(c)ontinue: ")).is_err() {
            return true;
        }
        let Ok(answer) = terminal.read_line() else { return true };
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
