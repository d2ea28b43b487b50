//! Real clients and a real registry (`skopeo` and `docker-registry`, Debian's packages of these names) log in with what the
//! sinks have. Skipped, with a message, where they are not installed.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::sinks::{deliver, one_registry, text};
use super::stage::Stage;

/// Where a program is; a test that needs one that is not there says that it is skipped.
fn find_program(name: &str) -> Option<PathBuf> {
    let found =
        ["/usr/bin", "/usr/local/bin"].iter().map(|folder| Path::new(folder).join(name)).find(|path| path.exists());
    if found.is_none() {
        eprintln!("SKIPPED: `{name}` is not installed (apt-get install {name})");
    }
    found
}

/// A registry that knows the login of one token.
struct Registry {
    process: Child,
    folder: tempfile::TempDir,
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Registry {
    fn start(program: &Path, address: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(at("htpasswd"), "").unwrap();
        let config = json!({
            "version": "0.1",
            "log": {"level": "error"},
            "storage": {"filesystem": {"rootdirectory": at("data")}},
            "http": {"addr": address},
            "auth": {"htpasswd": {"realm": "test", "path": at("htpasswd")}},
        });
        std::fs::write(at("config.yml"), config.to_string()).unwrap();
        let process = Command::new(program)
            .args(["serve", &at("config.yml")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let registry = Self { process, folder };
        while std::net::TcpStream::connect(address).is_err() {
            std::thread::sleep(Duration::from_millis(20));
        }
        registry
    }

    /// Lets a login in; it is the only one then.
    fn accept(&self, username: &str, password: &str) {
        let hash = bcrypt::hash(password, 4).unwrap();
        // The file is read again when it has changed, which is seen by its time in whole seconds.
        std::thread::sleep(Duration::from_millis(1100));
        std::fs::write(self.folder.path().join("htpasswd"), format!("{username}:{hash}\n")).unwrap();
    }
}

/// The smallest image there is.
fn image(folder: &Path) -> PathBuf {
    let folder = folder.join("image");
    std::fs::create_dir_all(&folder).unwrap();
    let config = r#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#;
    let digest: String = Sha256::digest(config).iter().map(|byte| format!("{byte:02x}")).collect();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": config.len(),
            "digest": format!("sha256:{digest}")},
        "layers": [],
    });
    std::fs::write(folder.join("version"), "Directory Transport Version: 1.1\n").unwrap();
    std::fs::write(folder.join(digest), config).unwrap();
    std::fs::write(folder.join("manifest.json"), manifest.to_string()).unwrap();
    folder
}

/// A client that finds its logins in a home folder.
fn skopeo(program: &Path, home: &Path, path: &str, args: &[&str]) -> (bool, String) {
    let output = Command::new(program)
        .args(args)
        .env_clear()
        .env("HOME", home)
        .env("PATH", path)
        .env("XDG_RUNTIME_DIR", home)
        .output()
        .unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// An address on this machine that is free.
fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[test]
fn real_clients_log_in_with_what_the_sinks_have() {
    let (Some(registry), Some(client)) = (find_program("docker-registry"), find_program("skopeo")) else { return };
    let address = free_address();
    let registry = Registry::start(&registry, &address);
    let stage = Stage::with(&one_registry(&address), &[]);
    let home = stage.folder.path();
    let book = deliver(
        &json!([
            {"docker_config": {}},
            {"kubernetes_manifest": {"path": "pull.yml", "name": "pull"}},
            {"file": {"path": "plain"}},
            {"store": true},
        ]),
        &json!({}),
    );
    let played = stage.play(&book, &[]);
    assert_eq!(played.code, 0, "{}", played.everything());
    registry.accept("ci", &text(&stage, "plain"));
    let target = format!("docker://{address}/app:1");
    let source = format!("dir:{}", image(home).display());
    let usual = "/usr/bin:/bin";
    let empty = tempfile::tempdir().unwrap();
    let push = ["--insecure-policy", "copy", "--dest-tls-verify=false", &source, &target];
    let pull = ["inspect", "--tls-verify=false", target.as_str()];

    // The docker sink.
    let (ok, why) = skopeo(&client, home, usual, &push);
    assert!(ok, "{why}");
    let (ok, _) = skopeo(&client, empty.path(), usual, &pull);
    assert!(!ok, "the registry lets everybody in");

    // The Kubernetes sink, as a node would use it.
    let manifest: Json = {
        let line = text(&stage, "pull.yml");
        let encoded = line.lines().find_map(|line| line.trim().strip_prefix(".dockerconfigjson: ")).unwrap().to_owned();
        serde_json::from_slice(&STANDARD.decode(encoded).unwrap()).unwrap()
    };
    let node = tempfile::tempdir().unwrap();
    std::fs::create_dir(node.path().join(".docker")).unwrap();
    std::fs::write(node.path().join(".docker/config.json"), manifest.to_string()).unwrap();
    let (ok, why) = skopeo(&client, node.path(), usual, &pull);
    assert!(ok, "{why}");

    // The credential helper, called by its own name.
    let helped = tempfile::tempdir().unwrap();
    let bin = helped.path().join("bin");
    std::fs::create_dir_all(helped.path().join(".docker")).unwrap();
    std::fs::create_dir(&bin).unwrap();
    let script = format!(
        "#!/bin/sh\nHOME={} exec -a docker-credential-ionplay {} \"$@\"\n",
        home.display(),
        env!("CARGO_BIN_EXE_ionplay")
    );
    let script = script.replace("/bin/sh", "/bin/bash");
    std::fs::write(bin.join("docker-credential-ionplay"), script).unwrap();
    let all = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(bin.join("docker-credential-ionplay"), all).unwrap();
    let helpers = json!({"credHelpers": {&address: "ionplay"}});
    std::fs::write(helped.path().join(".docker/config.json"), helpers.to_string()).unwrap();
    let (ok, why) = skopeo(&client, helped.path(), &format!("{}:{usual}", bin.display()), &pull);
    assert!(ok, "{why}");
}

#[test]
fn rotation_verifies_the_login_at_a_real_registry() {
    let Some(program) = find_program("docker-registry") else { return };
    let address = free_address();
    let registry = Registry::start(&program, &address);
    let stage = Stage::with(&one_registry(&address), &[]);
    let sinks = json!([{"file": {"path": "plain"}}, {"docker_config": {}}]);
    let book = deliver(&sinks, &json!({"rotate": {"verify": "login"}}));
    let played = stage.play(&book, &[]);
    assert_eq!(played.outcome(), "failed", "{}", played.everything());
    assert!(
        played.message().contains(&format!("registry `{address}` refused the login of `ci`")),
        "{}",
        played.message()
    );
    registry.accept("ci", &text(&stage, "plain"));
    let played = stage.play(&book, &[]);
    assert_eq!((played.code, &played.result()["password"]), (0, &json!("delivered")), "{}", played.everything());
}
