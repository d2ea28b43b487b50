//! What a dry run that makes a plan predicts of files: which paths tasks would have changed. Files are read as they
//! are, so a later reader of such a path reads something else than the real run will.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A predicted change of a path.
#[derive(Debug)]
struct Mark {
    task: String,
    /// A folder would have been made where nothing is: what is looked for in it is not there in either run.
    fresh: bool,
}

/// The paths, and which task would have changed each.
#[derive(Debug, Default)]
pub struct PendingChanges {
    kept: Cell<bool>,
    changed: RefCell<BTreeMap<PathBuf, Mark>>,
    met: RefCell<Option<String>>,
}

impl PendingChanges {
    /// Begins to keep account. Plain check mode keeps none: its results are those of Ansible.
    pub fn start_tracking(&self) {
        self.kept.set(true);
    }

    /// Whether account is kept.
    pub fn is_tracking(&self) -> bool {
        self.kept.get()
    }

    /// A task would have changed a path, or may have; a `fresh` folder is empty.
    pub fn add_change(&self, path: &Path, task: &str, fresh: bool) {
        if self.kept.get() {
            let mark = || Mark { task: task.to_owned(), fresh: fresh && !path.exists() };
            self.changed.borrow_mut().entry(normal_path(path)).or_insert_with(mark);
        }
    }

    /// Whether a path is a folder that a task would have made, and nothing else is known of it.
    pub fn is_fresh_folder(&self, path: &Path) -> bool {
        let changed = self.changed.borrow();
        !changed.is_empty() && changed.get(&normal_path(path)).is_some_and(|mark| mark.fresh)
    }

    /// Whether all that is known of a path is that it is a fresh folder, or in one.
    pub fn is_fresh(&self, path: &Path) -> bool {
        let changed = self.changed.borrow();
        normal_path(path).ancestors().find_map(|above| changed.get(above)).is_some_and(|mark| mark.fresh)
    }

    /// Why it is not known what a path holds, if it is not: it, or a folder that it is in, would have been changed.
    pub fn uncertainty_reason(&self, path: &Path) -> Option<String> {
        let changed = self.changed.borrow();
        if changed.is_empty() {
            return None;
        }
        let place = normal_path(path);
        let (path, mark) = place.ancestors().find_map(|above| changed.get_key_value(above))?;
        Some(describe_change(path, mark))
    }

    /// Notes that somebody has read what is not known, without a way to say so.
    pub fn mark_seen(&self, path: &Path) {
        if let Some(doubt) = self.uncertainty_reason(path) {
            self.met.borrow_mut().get_or_insert(doubt);
        }
    }

    /// Returns the change that was met since the last call.
    pub fn take_seen(&self) -> Option<String> {
        self.met.borrow_mut().take()
    }

    /// Why it is not known what a folder lists: something in it would have been changed.
    pub fn listing_uncertainty(&self, folder: &Path) -> Option<String> {
        self.uncertainty_reason(folder).or_else(|| {
            let changed = self.changed.borrow();
            let folder = normal_path(folder);
            let (path, mark) = changed.iter().find(|(path, _)| path.parent() == Some(folder.as_path()))?;
            Some(describe_change(path, mark))
        })
    }
}

fn describe_change(path: &Path, mark: &Mark) -> String {
    format!("what task \"{}\" makes of `{}`", mark.task, path.display())
}

/// The path that all spellings of it come to; what it is itself need not be there yet.
fn normal_path(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let there = absolute.ancestors().skip(1).find_map(|above| Some((above, above.canonicalize().ok()?)));
    match there.and_then(|(above, real)| Some(real.join(absolute.strip_prefix(above).ok()?))) {
        Some(place) => place,
        None => absolute,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_changed_is_not_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let pending = PendingChanges::default();
        pending.add_change(&path("early"), "before tracking", false);
        pending.start_tracking();
        pending.add_change(&path("new"), "first", true);
        pending.add_change(&path("new"), "second", false);
        pending.add_change(&path("new/file"), "third", false);
        std::os::unix::fs::symlink(folder.path(), path("link")).unwrap();
        let expected =
            format!("what task \"first\" makes of `{}`", folder.path().canonicalize().unwrap().join("new").display());
        assert!(pending.is_fresh(&path("new/other")) && !pending.is_fresh(&path("new/file")));
        for spelling in ["new", "new/below", "./new", "link/new"] {
            assert_eq!(pending.uncertainty_reason(&path(spelling)).as_ref(), Some(&expected), "{spelling}");
        }
        assert_eq!(pending.listing_uncertainty(folder.path()), Some(expected));
        for known in ["early", "newer", "", "other"] {
            assert_eq!(pending.uncertainty_reason(&path(known)), None, "{known}");
        }
        assert_eq!(pending.listing_uncertainty(&path("other")), None);
    }
}
