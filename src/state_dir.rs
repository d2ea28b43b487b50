//! Where things are kept from one run to the next.

use std::path::PathBuf;

/// The folder: `IONPLAY_STATE_DIR`, or the user's folder for such things. None where there is no such user.
pub fn state_folder() -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).filter(|folder| !folder.is_empty()).map(PathBuf::from);
    named("IONPLAY_STATE_DIR")
        // A relative one is invalid, and ignored, by the specification of these folders.
        .or_else(|| Some(named("XDG_STATE_HOME").filter(|folder| folder.is_absolute())?.join("ionplay")))
        .or_else(|| Some(std::env::home_dir()?.join(".local/state/ionplay")))
}
