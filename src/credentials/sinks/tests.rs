//! Sinks against the real host, and what they need for it.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use zeroize::Zeroizing;

use super::*;
use crate::host::{DryRunHost, RealHost};

/// For sinks without templates.
pub(super) struct NoTemplates;

impl TemplateRenderer for NoTemplates {
    fn render_login(&self, _: &str, _: &Login) -> Result<Zeroizing<String>, LoginTemplateError> {
        Err(LoginTemplateError::NoPlaybook)
    }
}

/// A login with this password.
pub(super) fn login(password: &str) -> Login {
    Login {
        server: "r.example".to_owned(),
        username: "ci".to_owned(),
        password: Zeroizing::new(password.to_owned()),
        token_id: "id".to_owned(),
        expires: None,
    }
}

fn context(host: &dyn HostApi) -> DeliveryContext<'_> {
    DeliveryContext { host, environment: &[], templates: &NoTemplates }
}

fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

#[test]
fn file_is_written_and_drift_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/secret");
    let sink = FileSink { path: path.clone(), bits: 0o600, format: LoginFormat::Plain };
    let presence = |receipt: Option<&Receipt>| now(sink.verify_delivery(context(&RealHost), None, receipt)).unwrap();
    // A dry run confirms and writes nothing.
    now(sink.deliver_login(context(&DryRunHost), &login("one"))).unwrap();
    assert_eq!(presence(None), Presence::Missing);
    let receipt = now(sink.deliver_login(context(&RealHost), &login("one"))).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"one");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(presence(Some(&receipt)), Presence::Current);
    std::fs::write(&path, "other").unwrap();
    assert_eq!(presence(Some(&receipt)), Presence::Different);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(presence(Some(&receipt)), Presence::Missing);
}

#[test]
fn docker_config_is_made_merged_and_compared() {
    let folder = tempfile::tempdir().unwrap();
    let sink = DockerConfigSink { path: folder.path().join(".docker/config.json") };
    let receipt = now(sink.deliver_login(context(&RealHost), &login("one"))).unwrap();
    let text = std::fs::read_to_string(&sink.path).unwrap();
    assert_eq!(text, "{\n\t\"auths\": {\n\t\t\"r.example\": {\n\t\t\t\"auth\": \"Y2k6b25l\"\n\t\t}\n\t}\n}\n");
    let presence =
        |receipt: &Receipt| now(sink.verify_delivery(context(&RealHost), Some("r.example"), Some(receipt))).unwrap();
    assert_eq!(presence(&receipt), Presence::Current);
    let newer = now(sink.deliver_login(context(&RealHost), &login("two"))).unwrap();
    assert_eq!((presence(&receipt), presence(&newer)), (Presence::Different, Presence::Current));
}

#[test]
fn command_confirms_with_status_zero_only() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("got");
    let run = |script: String, seconds| {
        let argv = ["/bin/sh", "-c", &script].map(str::to_owned).to_vec();
        let sink =
            CommandSink { argv, folder: None, format: LoginFormat::Plain, timeout: Duration::from_secs(seconds) };
        now(sink.deliver_login(context(&RealHost), &login("hunter2"))).map_err(|error| error.to_string())
    };
    assert!(run(format!("cat > {}", target.display()), 20).is_ok());
    assert_eq!(std::fs::read(&target).unwrap(), b"hunter2");
    let why = run("read p; echo \"no $p\" >&2; exit 3".to_owned(), 20).unwrap_err();
    assert_eq!(why, "`/bin/sh` ended with status 3: no ********");
    let why = run("sleep 60".to_owned(), 1).unwrap_err();
    assert_eq!(why, "`/bin/sh`: it took longer than 1 s and was ended");
}
