//! `--step`: asks before each task.

use std::rc::Rc;

use super::state::Run;

/// Whether the task is to run. "Continue" stops the asking. Answers may come through a pipe; after its end none is yes.
pub fn confirmed(run: &Rc<Run>, task: &str) -> bool {
    if !run.stepping.get() {
        return true;
    }
    let terminal = console::Term::stderr();
    loop {
        if terminal.write_str(&format!("Perform task: {task} (N)o/(y)es/(c)ontinue: ")).is_err() {
            return false;
        }
        let mut answer = String::new();
        if std::io::stdin().read_line(&mut answer).is_err() {
            return false;
        }
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
