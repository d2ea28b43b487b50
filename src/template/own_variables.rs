//! What a template file knows of itself.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::plugin::Context;
use crate::value::{Time, Value};
use crate::vars::users;

/// The variables that a template file finds about itself: its name as written, where it lies, where it goes, whose it is.
pub fn own_variables(context: &dyn Context, name: &str, path: &Path, dest: Option<&str>) -> Vec<(String, Value)> {
    let meta = std::fs::metadata(path).ok();
    let owner = meta.as_ref().map_or(0, MetadataExt::uid);
    let zone = jiff::tz::TimeZone::system();
    let local = |stamp: jiff::Timestamp| Value::Time(Time::Naive(zone.to_datetime(stamp)));
    let written = meta.and_then(|meta| meta.modified().ok()).and_then(|time| jiff::Timestamp::try_from(time).ok());
    let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let full_path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let mut variables = vec![
        ("template_host".to_owned(), machine.into()),
        ("template_path".to_owned(), name.into()),
        ("template_mtime".to_owned(), written.map_or(Value::Null, local)),
        ("template_uid".to_owned(), users::user_name(owner).map_or_else(|| owner.into(), Value::text)),
        ("template_run_date".to_owned(), local(jiff::Timestamp::now())),
        ("template_destpath".to_owned(), dest.map_or(Value::Null, Value::from)),
        ("template_fullpath".to_owned(), full_path.display().to_string().into()),
    ];
    if !matches!(context.get_variable("ansible_managed"), Ok(Some(_)) | Err(_)) {
        variables.push(("ansible_managed".to_owned(), "Ansible managed".into()));
    }
    variables
}
