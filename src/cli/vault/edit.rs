//! Vaulted files in an editor: the plain text lives in a private folder that is wiped whatever happens.

use std::fs;
use std::io::{IsTerminal, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};
use zeroize::Zeroizing;

use super::{EditArgs, files, read_vaulted};
use crate::vars::vault::{encrypt_text, vault_id};

/// Makes new files.
pub fn create_files(args: &EditArgs) -> anyhow::Result<()> {
    if !args.skip_tty_check && !std::io::stdout().is_terminal() {
        bail!("there is no terminal for an editor; use `--skip-tty-check` to open it anyway");
    }
    let (id, secret) = args.seal.read_seal_secret()?;
    for file in &args.files {
        if Path::new(file).exists() {
            bail!("`{file}` is there already; `edit` changes it");
        }
        let plain = in_editor(b"", file)?;
        files::write(file, encrypt_text(&plain, secret.bytes(), Some(&id), None).as_bytes())?;
    }
    Ok(())
}

/// Changes files. They keep their id unless another one is asked for; one that was not changed is not written.
pub fn edit_files(args: &EditArgs) -> anyhow::Result<()> {
    let secrets = args.seal.secrets.collect_secrets()?;
    for file in &args.files {
        let text = read_vaulted(file)?;
        let (before, opener) = secrets.open_with(&text).with_context(|| format!("cannot open `{file}`"))?;
        let before = Zeroizing::new(before);
        let after = in_editor(&before, file)?;
        if *before == *after {
            continue;
        }
        // The secret that opened the file seals it again, under the id that stands in it.
        let (id, secret) = match args.seal.read_seal_id() {
            Some(wanted) => {
                let (id, secret) = secrets.to_encrypt(Some(&wanted))?;
                (Some(id.to_owned()), secret)
            }
            None => (vault_id(&text)?, opener),
        };
        files::write(file, encrypt_text(&after, secret.bytes(), id.as_deref(), None).as_bytes())?;
    }
    Ok(())
}

/// Opens the text in an editor and returns the edited text.
fn in_editor(plain: &[u8], file: &str) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let folder = tempfile::Builder::new().prefix("vault-").tempdir().context("cannot make a private folder")?;
    // The name's ending tells the editor which language it is.
    let ending = Path::new(file).extension().map(|ending| format!(".{}", ending.to_string_lossy()));
    let path = folder.path().join(format!("text{}", ending.unwrap_or_default()));
    let draft = Wiped(&path);
    fs::write(draft.0, plain).context("cannot write the text for the editor")?;
    let editor = ["VISUAL", "EDITOR"].iter().find_map(|name| std::env::var(name).ok().filter(|text| !text.is_empty()));
    let editor = editor.unwrap_or_else(|| "vi".to_owned());
    // An editor may be a command with options (`code --wait`), so a shell reads it.
    let status = Command::new("/bin/sh").args(["-c", &format!("{editor} \"$1\""), "sh"]).arg(draft.0).status();
    let status = status.with_context(|| format!("cannot start the editor `{editor}`"))?;
    if !status.success() {
        bail!("the editor `{editor}` ended with {status}, so nothing was changed");
    }
    Ok(Zeroizing::new(fs::read(draft.0).context("cannot read what the editor wrote")?))
}

/// A file that is overwritten before it goes.
struct Wiped<'a>(&'a Path);

impl Drop for Wiped<'_> {
    fn drop(&mut self) {
        let wipe = || -> std::io::Result<()> {
            let mut file = fs::OpenOptions::new().write(true).open(self.0)?;
            let length = usize::try_from(file.metadata()?.len()).unwrap_or(0);
            file.seek(SeekFrom::Start(0))?;
            file.write_all(&vec![0; length])?;
            file.sync_all()
        };
        // The folder is removed in any case; where there is nothing to wipe there is nothing to say.
        let _ = wipe();
        let _ = fs::remove_file(self.0);
    }
}
