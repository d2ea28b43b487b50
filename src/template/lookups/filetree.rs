//! The files below a folder, with what is known of them.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::call::{lookup_error, read_option, require_text, search_folders, warn_unknown_options};
use crate::template::error::TemplateError;
use crate::template::plugin::{Lookup, PluginCall};
use crate::template::python::path::normpath;
use crate::template::python::regex::{Pattern, RegexFlags};
use crate::value::{Dict, Value};

/// The family.
pub const TABLE: &[Lookup] =
    &[Lookup::new("community.general.filetree", filetree, "Returns all files and folders below given folders.")];

fn filetree(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    warn_unknown_options(call, &["exclude"]);
    let exclude = read_option(call, "exclude")?;
    let exclude = exclude.map(|pattern| Pattern::compile(&pattern, RegexFlags::default())).transpose()?;
    let mut found: Vec<Value> = Vec::new();
    for term in &call.args.positional {
        let term = require_text(call, term)?;
        let mut walk = FileTreeWalk { call, exclude: exclude.as_deref(), seen: Vec::new(), found: Vec::new() };
        // A file of a nearer folder hides one of the same name further away.
        for folder in search_folders(call, "files") {
            let root = folder.join(&term);
            TemplateError::reject_unknown(call.context.explain_unknown_listing(&root))?;
            if root.is_dir() {
                let root = normpath(&root.to_string_lossy());
                walk.visit(Path::new(&root), Path::new(&root))?;
                break;
            }
        }
        found.append(&mut walk.found);
    }
    Ok(found)
}

struct FileTreeWalk<'a> {
    call: &'a PluginCall<'a>,
    exclude: Option<&'a Pattern>,
    seen: Vec<String>,
    found: Vec<Value>,
}

impl FileTreeWalk<'_> {
    fn visit(&mut self, root: &Path, folder: &Path) -> Result<(), TemplateError> {
        let unreadable = |why: std::io::Error| lookup_error(format!("cannot read `{}`: {why}", folder.display()));
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            entries.push((entry.path(), entry.file_type().map_err(unreadable)?));
        }
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        let names: Vec<_> = entries.iter().map(|(path, _)| path.clone()).collect();
        self.call.context.record_listing(folder, &names);
        let (folders, files): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(path, _)| path.is_dir());
        for (path, _) in folders.iter().chain(&files) {
            self.add(root, path)?;
        }
        for (path, kind) in folders {
            if !kind.is_symlink() {
                self.visit(root, &path)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, root: &Path, path: &Path) -> Result<(), TemplateError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(exclude) = self.exclude
            && exclude.match_start(&name)?.is_some()
        {
            return Ok(());
        }
        let relative = path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned();
        if self.seen.contains(&relative) {
            return Ok(());
        }
        let about = std::fs::symlink_metadata(path)
            .map_err(|why| lookup_error(format!("cannot read `{}`: {why}", path.display())))?;
        let mut entry = Dict::new();
        entry.set("root", Value::text(root.to_string_lossy()));
        entry.set("path", Value::text(relative.as_str()));
        if about.is_symlink() {
            entry.set("state", Value::text("link"));
            let target = std::fs::read_link(path).unwrap_or_default();
            entry.set("src", Value::text(target.to_string_lossy()));
        } else if about.is_dir() {
            entry.set("state", Value::text("directory"));
        } else if about.is_file() {
            entry.set("state", Value::text("file"));
            entry.set("src", Value::text(path.to_string_lossy()));
        } else {
            self.call
                .context
                .add_warning(format!("filetree: `{}` is neither a file, a folder nor a link", path.display()));
            return Ok(());
        }
        entry.set("uid", Value::from(about.uid()));
        entry.set("gid", Value::from(about.gid()));
        entry.set("owner", owner_name("passwd", about.uid()));
        entry.set("group", owner_name("group", about.gid()));
        entry.set("mode", Value::text(format!("0{:o}", about.mode() & 0o7777)));
        entry.set("size", Value::from(about.size()));
        let seconds = |whole: i64, nanos: i64| Value::Float(whole as f64 + nanos as f64 / 1e9);
        entry.set("mtime", seconds(about.mtime(), about.mtime_nsec()));
        entry.set("ctime", seconds(about.ctime(), about.ctime_nsec()));
        self.seen.push(relative);
        self.found.push(entry.into());
        Ok(())
    }
}

/// The name of a number in `/etc/passwd` or `/etc/group`; the number itself if it has none.
fn owner_name(database: &str, id: u32) -> Value {
    let text = std::fs::read_to_string(format!("/etc/{database}")).unwrap_or_default();
    let wanted = id.to_string();
    let find = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == wanted).then(|| Value::text(name))
    };
    text.lines().find_map(find).unwrap_or_else(|| Value::from(id))
}
