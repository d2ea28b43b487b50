//! `ionplay`: parses the command line, runs, and exits with the status.

use std::io::Write as _;
use std::process::ExitCode;

use ionplay::exit::Exit;

#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Deep playbooks nest deeply; the limits of the language are reached long before this is used up.
const STACK: usize = 64 << 20;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|fault| {
        // Only the place: the message of a fault may hold what must not be shown.
        let place = fault.location().map(ToString::to_string).unwrap_or_default();
        let message =
            format!("error: a fault of ionplay itself at {place}; please report it with the playbook that shows it\n");
        ionplay::block_output::write_pending();
        // Standard error may be closed, and a second panic would abort.
        let _ = std::io::stderr().write_all(message.as_bytes());
        std::process::exit(i32::from(Exit::Internal.code()));
    }));
    let run = std::thread::Builder::new().stack_size(STACK).spawn(ionplay::cli::main);
    run.map_or(Exit::Internal, |thread| thread.join().unwrap_or(Exit::Internal)).into()
}
