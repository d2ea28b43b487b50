//! Questions at the terminal. The caller may stop waiting: the future is dropped, and the terminal is restored.

use std::io;

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

/// Asks for a line; without `echo` it is not seen while it is typed.
///
/// # Errors
/// If the terminal cannot be read.
pub async fn ask_user(question: String, echo: bool) -> io::Result<String> {
    let mut open = Open::from_terminal();
    let read = in_a_thread(move || {
        let terminal = console::Term::stderr();
        terminal.write_str(&question)?;
        if echo { terminal.read_line() } else { terminal.read_secure_line() }
    });
    match read.await {
        // The signal is on its way to those who end the run.
        Err(error) if error.kind() == io::ErrorKind::Interrupted => std::future::pending().await,
        read => open.finish_prompt(read),
    }
}

/// Asks for a line that may come through a pipe; its end is an empty line.
///
/// # Errors
/// If standard input cannot be read.
pub async fn ask_anybody(question: String) -> io::Result<String> {
    let mut open = Open::from_terminal();
    let read = in_a_thread(move || {
        console::Term::stderr().write_str(&question)?;
        let mut line = String::new();
        io::stdin().read_line(&mut line)?;
        Ok(line)
    });
    open.finish_prompt(read.await)
}

/// The thread is left behind if the caller no longer waits.
async fn in_a_thread(read: impl FnOnce() -> io::Result<String> + Send + 'static) -> io::Result<String> {
    let (send, answer) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = send.send(read());
    });
    answer.await.unwrap_or_else(|_| Err(io::Error::other("the answer was not read")))
}

/// A question that is not answered yet. If it never is, the terminal gets its settings back and a new line.
struct Open(Option<Termios>);

impl Open {
    fn from_terminal() -> Self {
        Self(tcgetattr(io::stdin()).ok())
    }

    fn finish_prompt<T>(&mut self, answer: T) -> T {
        self.0 = None;
        answer
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(settings) = &self.0 {
            // A terminal that has gone needs neither.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, settings);
            let _ = console::Term::stderr().write_line("");
        }
    }
}
