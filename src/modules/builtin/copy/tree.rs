//! A folder where the playbook is, copied with everything in it.

use std::path::{Path, PathBuf};

use super::place::{Parcel, Placing, join_path};
use super::read_parcel;
use crate::host::HostApi;
use crate::modules::builtin::file::{FileRequest, State};
use crate::modules::builtin::files::display_path;
use crate::modules::{Failure, ModuleArgs, ModuleOutcome, TaskContext};
use crate::value::Value;

/// Entries of a folder, each with its name below the destination.
#[derive(Debug, Default)]
struct Tree {
    files: Vec<(PathBuf, String)>,
    folders: Vec<String>,
    links: Vec<(PathBuf, String)>,
}

/// Copies a folder, or only what is in it.
///
/// # Errors
/// For the first file that cannot be copied.
pub async fn copy_tree(
    args: &ModuleArgs,
    context: &TaskContext<'_>,
    source: &Path,
    only_content: bool,
    placing: &Placing,
) -> Result<ModuleOutcome, Failure> {
    let host = context.host;
    let follow = args.get("local_follow").and_then(Value::as_bool).unwrap_or(true);
    let root = if only_content {
        String::new()
    } else {
        source.file_name().map(|name| format!("{}/", name.to_string_lossy())).unwrap_or_default()
    };
    let mut tree = Tree::default();
    if host.is_link(source) && !follow {
        tree.links.push((read_link(host, source)?, root.trim_end_matches('/').to_owned()));
    } else {
        let mut walk = FolderWalk { host, follow, above: vec![canonical_path(source)], tree };
        walk.walk_folder(source, &root)?;
        tree = walk.tree;
    }

    let dest = join_path(&placing.dest, "");
    let placing = Placing { dest: dest.clone(), follow: placing.follow && tree.folders.is_empty(), ..placing.clone() };
    let mut total = ModuleOutcome::default();
    let mut only = None;
    for (path, name) in &tree.files {
        let parcel: Parcel = read_parcel(args, context, path, name.clone())?;
        if let Some(outcome) = placing.place_parcel(host, &parcel).await? {
            total.changed |= outcome.changed;
            total.diff.extend(outcome.diff.iter().cloned());
            only = Some(outcome);
        }
    }
    let mut warn = |warning| context.warn(warning);
    for name in &tree.folders {
        let attributes = placing.attributes.clone().with_mode(placing.directory_mode.clone());
        let made =
            FileRequest::new(join_path(&dest, name), State::Directory, attributes).apply_state(host, &mut warn)?;
        total.changed |= made.changed;
    }
    for (target, name) in &tree.links {
        let attributes = placing.attributes_for(None);
        let mut request = FileRequest::new(join_path(&dest, name), State::Link, attributes);
        request.source = Some(display_path(target));
        request.force = true;
        request.follow = tree.folders.is_empty();
        total.changed |= request.apply_state(host, &mut warn)?.changed;
    }
    match only {
        Some(outcome) if tree.files.len() == 1 => {
            Ok(ModuleOutcome { changed: total.changed, diff: total.diff, ..outcome })
        }
        _ => {
            let source = if only_content { join_path(&display_path(source), "") } else { display_path(source) };
            Ok(total.with("dest", dest).with("src", source))
        }
    }
}

/// A walk through a folder, which notes its entries.
struct FolderWalk<'a> {
    host: &'a dyn HostApi,
    /// Notes what links point to instead of the links.
    follow: bool,
    /// The folders being walked, so that links in a circle stay links.
    above: Vec<PathBuf>,
    tree: Tree,
}

impl FolderWalk<'_> {
    /// Notes everything below a folder, whose own name is `below`.
    fn walk_folder(&mut self, folder: &Path, below: &str) -> Result<(), Failure> {
        let host = self.host;
        let unread = |error| Failure::new(format!("cannot read the folder {}: {error}", folder.display()));
        for name in host.list_folder(folder).map_err(unread)? {
            let path = folder.join(&name);
            let name = format!("{below}{name}");
            let real = canonical_path(&path);
            let circle = host.is_link(&path) && self.above.contains(&real);
            if host.is_link(&path) && (!self.follow || circle || !host.exists(&path)) {
                self.tree.links.push((read_link(host, &path)?, name));
            } else if host.is_dir(&path) {
                self.tree.folders.push(name.clone());
                self.above.push(real);
                self.walk_folder(&path, &format!("{name}/"))?;
                self.above.pop();
            } else {
                self.tree.files.push((path, name));
            }
        }
        Ok(())
    }
}

fn canonical_path(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

fn read_link(host: &dyn HostApi, path: &Path) -> Result<PathBuf, Failure> {
    host.read_link(path).map_err(|error| Failure::new(format!("cannot read the link {}: {error}", path.display())))
}
