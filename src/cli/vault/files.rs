//! Reading and writing: a file is replaced as a whole, with its rights kept, or not at all.

use std::fs;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use zeroize::Zeroizing;

/// The files to work on; none means standard input.
pub fn input_files<'a>(files: &'a [String], output: Option<&str>) -> anyhow::Result<Vec<&'a str>> {
    if output.is_some() && files.len() > 1 {
        bail!("`--output` can take the result of one file only");
    }
    Ok(if files.is_empty() { vec!["-"] } else { files.iter().map(String::as_str).collect() })
}

/// The bytes of a file, or of standard input.
pub fn read(file: &str) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let bytes = if file == "-" {
        crate::input::read_all(std::io::stdin().lock()).context("cannot read standard input")?
    } else {
        crate::input::read_file(Path::new(file)).with_context(|| format!("cannot read `{file}`"))?
    };
    Ok(Zeroizing::new(bytes))
}

/// Writes a file under another name first and then moves it to its place; a new one is for its owner only. `-` is
/// standard output.
pub fn write(file: &str, bytes: &[u8]) -> anyhow::Result<()> {
    if file == "-" {
        let mut out = std::io::stdout().lock();
        return out.write_all(bytes).and_then(|()| out.flush()).context("cannot write to standard output");
    }
    // A link stays a link: what it points to is replaced.
    let target = fs::canonicalize(file).unwrap_or_else(|_| PathBuf::from(file));
    // A device or a pipe is written to; nothing could be moved to its place.
    if target.metadata().is_ok_and(|about| !about.is_file() && !about.is_dir()) {
        return fs::write(&target, bytes).with_context(|| format!("cannot write `{file}`"));
    }
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    replace_file(&target, folder, bytes).with_context(|| format!("cannot write `{file}`"))
}

fn replace_file(target: &Path, folder: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut draft = tempfile::Builder::new().prefix(".vault-").tempfile_in(folder)?;
    if let Ok(about) = target.metadata() {
        use std::os::unix::fs::MetadataExt as _;
        draft.as_file().set_permissions(about.permissions())?;
        // Only root may give files away; for others the owner is the same anyhow.
        let _ = std::os::unix::fs::fchown(draft.as_file(), Some(about.uid()), Some(about.gid()));
    }
    draft.write_all(bytes)?;
    draft.as_file().sync_all()?;
    draft.persist(target)?;
    Ok(())
}

/// Says that all went well, to people only.
pub fn report_done(what: &str) -> anyhow::Result<()> {
    if std::io::stderr().is_terminal() {
        writeln!(std::io::stderr(), "{what}")?;
    }
    Ok(())
}
