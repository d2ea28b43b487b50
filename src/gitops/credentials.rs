//! The credential store of runs, kept by the engine: children reach it through a socket of this process.
//!
//! Only an engine of several machines keeps entries, and only with a key: then they are sealed before they come here.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

use super::engine::{CredentialWrite, EngineError, GitopsEngine};
use crate::credentials::{RemoteAnswer, RemoteRequest, socket_file};

/// The longest line of a request.
const LONGEST_LINE: usize = 4 << 20;

/// Serves the credential store until it is dropped.
pub struct CredentialServer {
    _folder: tempfile::TempDir,
    socket: PathBuf,
    named_in: PathBuf,
    task: JoinHandle<()>,
}

impl CredentialServer {
    /// Serves the entries that an engine keeps. It has to run inside a [`tokio::task::LocalSet`].
    ///
    /// # Errors
    /// If there can be no socket.
    pub fn start(engine: Rc<dyn GitopsEngine>, state_dir: &Path) -> std::io::Result<Self> {
        // The path of a socket must be short, so it is not below the state folder.
        let folder = tempfile::Builder::new().prefix("ionplay-").tempdir()?;
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700))?;
        let socket = folder.path().join("credentials");
        let listener = UnixListener::bind(&socket)?;
        let named_in = socket_file(state_dir);
        std::fs::create_dir_all(state_dir)?;
        std::fs::write(&named_in, format!("{}\n", socket.display()))?;
        let task = tokio::task::spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::task::spawn_local(serve_connection(Rc::clone(&engine), stream));
            }
        });
        Ok(Self { _folder: folder, socket, named_in, task })
    }

    /// Returns the path of the socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }
}

impl Drop for CredentialServer {
    fn drop(&mut self) {
        self.task.abort();
        let is_own = std::fs::read_to_string(&self.named_in).is_ok_and(|text| Path::new(text.trim()) == self.socket);
        if is_own {
            let _ = std::fs::remove_file(&self.named_in);
        }
    }
}

/// Answers one process until it ends; then what it held is free.
async fn serve_connection(engine: Rc<dyn GitopsEngine>, mut stream: UnixStream) {
    let (reader, mut writer) = stream.split();
    let mut reader = BufReader::new(reader);
    let mut held = BTreeSet::new();
    loop {
        let mut line = zeroize::Zeroizing::new(String::new());
        match tokio::io::AsyncReadExt::take(&mut reader, LONGEST_LINE as u64).read_line(&mut line).await {
            Ok(count) if count > 0 => {}
            _ => break,
        }
        let answer = match serde_json::from_str::<RemoteRequest>(&line) {
            Ok(request) => answer_remote(&*engine, &mut held, request)
                .await
                .unwrap_or_else(|error| RemoteAnswer { error: Some(error.to_string()), ..RemoteAnswer::default() }),
            Err(error) => RemoteAnswer { error: Some(error.to_string()), ..RemoteAnswer::default() },
        };
        let text = zeroize::Zeroizing::new(serde_json::to_string(&answer).unwrap_or_default() + "\n");
        if writer.write_all(text.as_bytes()).await.is_err() {
            break;
        }
    }
    for log in held {
        // What cannot be freed now is free when the lease of this process ends.
        let _ = engine.release_credentials(&log).await;
    }
}

async fn answer_remote(
    engine: &dyn GitopsEngine,
    held: &mut BTreeSet<String>,
    request: RemoteRequest,
) -> Result<RemoteAnswer, EngineError> {
    let mut answer = RemoteAnswer::default();
    match request {
        RemoteRequest::Begin => {
            let log = engine.begin_credentials().await?;
            held.insert(log.clone());
            answer.text = Some(log);
        }
        RemoteRequest::List => answer.logs = engine.list_credentials().await?,
        RemoteRequest::Hold { log } => {
            answer.held = !held.contains(&log) && engine.hold_credentials(&log).await?;
            if answer.held {
                held.insert(log);
            }
        }
        RemoteRequest::Read { log } => {
            let logs = engine.list_credentials().await?;
            answer.text = logs.into_iter().find(|one| one.log == log).map(|one| one.text);
        }
        RemoteRequest::Append { log, text } => engine.write_credentials(&log, &text, CredentialWrite::Append).await?,
        RemoteRequest::Replace { log, text } => engine.write_credentials(&log, &text, CredentialWrite::Replace).await?,
        RemoteRequest::Remove { log } => {
            engine.write_credentials(&log, "", CredentialWrite::Remove).await?;
            held.remove(&log);
        }
        RemoteRequest::Release { log } => {
            if held.remove(&log) {
                engine.release_credentials(&log).await?;
            }
        }
    }
    Ok(answer)
}
