//! Files, Kubernetes manifests among them: one login a file.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{DeliveryContext, Login, LoginFormat, Presence, Receipt, Sink, SinkError};
use crate::host::HostApi;
use crate::ionos::LocalFuture;

/// A file that holds a login and nothing else.
#[derive(Debug, Clone)]
pub struct FileSink {
    /// The file.
    pub path: PathBuf,
    /// Permission bits of the file.
    pub bits: u32,
    /// How the login is written.
    pub format: LoginFormat,
}

impl Sink for FileSink {
    fn name(&self) -> String {
        let kind =
            if matches!(self.format, LoginFormat::KubernetesManifest(_)) { "kubernetes_manifest" } else { "file" };
        format!("{kind} {}", self.path.display())
    }

    fn describe(&self) -> String {
        format!("write `{}` ({}, mode {:04o})", self.path.display(), self.format.name(), self.bits)
    }

    fn needs_server(&self) -> bool {
        self.format.needs_server()
    }

    fn prepare_delivery<'a>(
        &'a self,
        context: DeliveryContext<'a>,
        _: Option<&'a str>,
    ) -> LocalFuture<'a, Result<(), SinkError>> {
        Box::pin(async move {
            match context.host.lstat(&self.path) {
                Some(meta) if !meta.is_file() => {
                    let why = if meta.is_link() { "it is a symbolic link" } else { "it is not a regular file" };
                    Err(io_error("write", &self.path, std::io::Error::new(ErrorKind::InvalidInput, why)))
                }
                _ => Ok(()),
            }
        })
    }

    fn deliver_login<'a>(
        &'a self,
        context: DeliveryContext<'a>,
        login: &'a Login,
    ) -> LocalFuture<'a, Result<Receipt, SinkError>> {
        Box::pin(async move {
            let content = self.format.render_login(context, login)?;
            write_file(context.host, &self.path, &content, self.bits)?;
            Ok(Receipt::from_content(&content))
        })
    }

    fn verify_delivery<'a>(
        &'a self,
        context: DeliveryContext<'a>,
        _: Option<&'a str>,
        receipt: Option<&'a Receipt>,
    ) -> LocalFuture<'a, Result<Presence, SinkError>> {
        Box::pin(async move {
            let Some(content) = read_file(context.host, &self.path)? else { return Ok(Presence::Missing) };
            Ok(match receipt.and_then(|receipt| receipt.matches_content(&content)) {
                Some(true) => Presence::Current,
                Some(false) => Presence::Different,
                None if content.is_empty() => Presence::Missing,
                None => Presence::Unverifiable,
            })
        })
    }
}

/// Writes a file for its owner only, under the lock of its folder.
fn write_file(host: &dyn HostApi, path: &Path, content: &[u8], bits: u32) -> Result<(), SinkError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let lock = host.lock_folder(folder).map_err(|source| io_error("write", folder, source))?;
    host.write_secret(&lock, path, content, bits).map_err(|source| io_error("write", path, source))
}

/// Reads a file that a sink has written; `None` if it is gone. Links, devices and long files are refused.
pub(super) fn read_file(host: &dyn HostApi, path: &Path) -> Result<Option<zeroize::Zeroizing<Vec<u8>>>, SinkError> {
    const LARGEST: u64 = 4 << 20;
    let refused = |why: &str| Err(io_error("read", path, std::io::Error::new(ErrorKind::InvalidInput, why)));
    match host.metadata(path, false) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error("read", path, error)),
        Ok(meta) if meta.is_link() => return refused("it is a symbolic link"),
        Ok(meta) if !meta.is_file() => return refused("it is not a regular file"),
        Ok(meta) if meta.size > LARGEST => return refused("it is longer than 4 MiB"),
        Ok(_) => {}
    }
    match host.read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        other => other.map(|content| Some(content.into())).map_err(|error| io_error("read", path, error)),
    }
}

pub(super) fn io_error(doing: &'static str, path: &Path, source: std::io::Error) -> SinkError {
    SinkError::Io { doing, path: path.display().to_string(), source }
}
