//! `ionplay new`: a small right beginning of a playbook, a role, or a job of `gitops`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::playbook::loader::plain_error;

/// Write a small example that runs unmodified
///
/// Existing files are never changed: if one of the files exists, nothing is written.
#[derive(Debug, clap::Args)]
pub struct NewArgs {
    /// Kind of example
    #[arg(value_enum)]
    what: Beginning,
    /// A file for a playbook; a folder for a role or a job of `gitops`
    path: PathBuf,
}

/// Kinds of examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Beginning {
    /// A playbook with a registry token.
    Playbook,
    /// A role with defaults, checked arguments and tasks.
    Role,
    /// A file for `ionplay gitops` and its playbook.
    Gitops,
}

impl Beginning {
    /// The files: the path below the given one, and the text. A playbook is the given path itself.
    fn files(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Playbook => &[("", include_str!("playbook.yml"))],
            Self::Role => &[
                ("defaults/main.yml", include_str!("role_defaults.yml")),
                ("meta/argument_specs.yml", include_str!("role_arguments.yml")),
                ("tasks/main.yml", include_str!("role_tasks.yml")),
            ],
            Self::Gitops => &[
                ("gitops.yml", include_str!("gitops.yml")),
                ("site.yml", include_str!("playbook.yml")),
                (".gitignore", "/state/\n"),
            ],
        }
    }

    /// The command to type next.
    fn next_step(self, path: &Path) -> String {
        let shown = path.display();
        match self {
            Self::Playbook => format!("ionplay --sandbox {shown}"),
            Self::Role => {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                format!("name it in a playbook beside `roles/`: `roles: [{name}]`")
            }
            Self::Gitops => format!(
                "cd {shown} && git init && git add . && git commit -m 'Begin with tokens' && ionplay gitops once --sandbox \
                 gitops.yml"
            ),
        }
    }
}

/// Writes the files.
pub fn write_beginning(args: &NewArgs) -> anyhow::Result<()> {
    let files: Vec<(PathBuf, &str)> = args
        .what
        .files()
        .iter()
        .map(|(name, text)| (if name.is_empty() { args.path.clone() } else { args.path.join(name) }, *text))
        .collect();
    if let Some((path, _)) = files.iter().find(|(path, _)| path.symlink_metadata().is_ok()) {
        anyhow::bail!("`{}` exists already; nothing was written", path.display());
    }
    for (path, text) in &files {
        write_new(path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
        super::output::write_stdout(&format!("{}\n", path.display()));
    }
    super::output::write_stdout(&format!("\nNext: {}\n", args.what.next_step(&args.path)));
    Ok(())
}

fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    let write = || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::File::create_new(path)?.write_all(text.as_bytes())
    };
    write().map_err(|error: std::io::Error| anyhow::anyhow!("{}", plain_error(&error)))
}
