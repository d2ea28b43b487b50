//! Facts of hosts, kept between runs where the settings want it: a file of JSON for each host (`jsonfile`).

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::value::{Dict, Value, json};

/// The key that says that all facts of a host have been gathered.
pub const GATHERED: &str = "_ansible_facts_gathered";

/// The facts of a host could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot keep the facts of `{host}` in `{}`: {source}", folder.display())]
pub struct FactCacheError {
    /// The host.
    pub host: String,
    /// The folder.
    pub folder: PathBuf,
    /// Error of the system.
    pub source: std::io::Error,
}

/// The folder of the files.
#[derive(Debug, Clone)]
pub struct FactCache {
    /// Where the files lie.
    pub folder: PathBuf,
    /// Prefix of their file names.
    pub prefix: String,
    /// Older ones do not count; none means that they do not age.
    pub timeout: Option<Duration>,
}

impl FactCache {
    /// The facts that are kept for a host.
    pub fn load_facts(&self, host: &str) -> Dict {
        let path = self.cache_path(host);
        if self.is_old(&path) {
            return Dict::new();
        }
        let facts = crate::input::read_text(&path).ok().and_then(|text| json::from_str(&text).ok());
        facts.as_ref().and_then(Value::as_dict).cloned().unwrap_or_default()
    }

    /// Keeps the facts of a host.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save_facts(&self, host: &str, facts: &Dict) -> Result<(), FactCacheError> {
        let text = json::to_string(&facts.clone().into(), json::JsonStyle::EVENT);
        let written = std::fs::create_dir_all(&self.folder).and_then(|()| {
            let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
            std::io::Write::write_all(&mut file, text.as_bytes())?;
            Ok(file.persist(self.cache_path(host))?)
        });
        let wrap = |source| FactCacheError { host: host.to_owned(), folder: self.folder.clone(), source };
        written.map(drop).map_err(wrap)
    }

    /// Forgets the facts of a host.
    pub fn forget_facts(&self, host: &str) {
        // What is not there is forgotten already.
        let _ = std::fs::remove_file(self.cache_path(host));
    }

    fn cache_path(&self, host: &str) -> PathBuf {
        // A name with slashes stays in the folder.
        self.folder.join(format!("{}{}", self.prefix, host.replace('/', "_")))
    }

    fn is_old(&self, path: &Path) -> bool {
        let Some(timeout) = self.timeout else { return false };
        let changed = path.metadata().and_then(|about| about.modified());
        changed.is_ok_and(|changed| changed.elapsed().is_ok_and(|age| age > timeout))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_kept_until_they_are_old_or_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let cache = FactCache {
            folder: folder.path().join("facts"),
            prefix: "p_".to_owned(),
            timeout: Some(Duration::from_secs(60)),
        };
        let facts: Dict = [(Value::text("x"), Value::Int(1))].into_iter().collect();
        assert!(cache.load_facts("h").is_empty());
        cache.save_facts("h", &facts).unwrap();
        assert_eq!(cache.load_facts("h"), facts);
        let aged = FactCache { timeout: Some(Duration::ZERO), ..cache.clone() };
        assert!(aged.load_facts("h").is_empty());
        assert!(folder.path().join("facts/p_h").is_file());
        cache.forget_facts("h");
        assert!(cache.load_facts("h").is_empty());
    }
}
