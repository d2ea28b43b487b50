//! Which backend keeps the entries of a state directory.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::backend::Backend;
use super::folder::Folder;
use super::remote::Remote;
use crate::cli_interface::CREDENTIALS_SOCKET_VARIABLE;

/// The file in a state directory that names the socket of the process which keeps its entries.
pub fn socket_file(state_dir: &Path) -> PathBuf {
    state_dir.join("credentials-socket")
}

/// Returns the backend of a state directory: its folder, or the process that keeps the entries of all hosts.
pub fn backend_of(state_dir: &Path) -> Rc<dyn Backend> {
    let given = std::env::var_os(CREDENTIALS_SOCKET_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
    let named = || std::fs::read_to_string(socket_file(state_dir)).ok().map(|path| PathBuf::from(path.trim()));
    match given.or_else(named) {
        Some(socket) => Rc::new(Remote::at_socket(&socket)),
        None => Rc::new(Folder::in_state_dir(state_dir)),
    }
}
