//! Repositories that are reached with a login: over https from `git http-backend`, over ssh from a real server.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::stage::{Stage, token, wait_until};
use super::web_server::WebServer;

/// Password of the repository; no output may show it.
const PASSWORD: &str = "repository-secret-0815";

fn write_secret(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Writes the file with another way to the repository.
fn configure_git(stage: &Stage, git: &str) {
    let job = stage.job().replace("{url: repository, branch: main}", git);
    stage.configure_file(&format!("jobs:\n  tokens:\n{job}    poll: 1s\n    retry: {{first: 1s, max: 1s}}\n"));
}

#[test]
fn repository_over_https_is_reached_with_the_password_of_a_file_and_nothing_shows_it() {
    let stage = Stage::new("");
    let Some(server) = WebServer::start(&stage.repository(), "bot", PASSWORD) else { return };
    // A git that trusts the certificate of the test, as if the machine did.
    let programs = stage.path("programs");
    fs::create_dir(&programs).unwrap();
    fs::write(stage.path("ca.pem"), &server.certificate).unwrap();
    let path = std::env::var("PATH").unwrap();
    let script =
        format!("#!/bin/sh\nPATH='{path}' GIT_SSL_CAINFO='{}' exec git \"$@\"\n", stage.path("ca.pem").display());
    fs::write(programs.join("git"), script).unwrap();
    fs::set_permissions(programs.join("git"), fs::Permissions::from_mode(0o755)).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = stage.command(arguments);
        command.env("PATH", format!("{}:{path}", programs.display()));
        super::stage::ended(&command.output().unwrap())
    };
    let url = format!("https://localhost:{}/repository/.git", server.port);
    stage.push(&token("ci", "enabled"));

    write_secret(&stage.path("password"), "another");
    configure_git(&stage, &format!("{{url: '{url}', branch: main, username: bot, password_file: password}}"));
    let refused = run(&["once"]).expect(2);
    assert!(refused.stdout.contains("cannot fetch") && refused.stdout.contains("Authentication failed"), "{refused:?}");
    assert!(stage.tokens().is_empty());

    write_secret(&stage.path("password"), PASSWORD);
    run(&["check", "--fetch"]).expect(0);
    wait_until("the commit is applied", || run(&["once"]).code == 0 && stage.tokens().len() == 1);
    // A second commit: only what is new is fetched.
    stage.push(&token("ci", "disabled"));
    run(&["once"]).expect(0);
    assert_eq!(stage.tokens()[0].1, "disabled");
    let shown = run(&["show", stage.history()[0]["run"].as_str().unwrap()]).expect(0).stdout;
    assert!(shown.contains(&url), "{shown}");

    // Without a certificate that the machine trusts nothing is fetched.
    let distrusted = stage.run(&["check", "--fetch"]).expect(1);
    assert!(distrusted.stderr.contains("certificate") || distrusted.stdout.contains("certificate"), "{distrusted:?}");

    let header = server.logins();
    assert!(header.iter().any(|login| login == &format!("bot:{PASSWORD}")), "{header:?}");
    for text in [stage.state_text(), shown, format!("{refused:?}"), format!("{distrusted:?}")] {
        assert!(!text.contains(PASSWORD), "{text}");
        assert!(!text.contains(&server.encoded_login()), "the header is a password, too");
    }
}

/// An ssh server of one user, which ends with the test.
struct SshServer {
    child: Child,
    port: u16,
    known_hosts: PathBuf,
}

impl SshServer {
    /// Starts the server of the system with a configuration of its own; none where it is not installed.
    fn start(folder: &Path) -> Option<Self> {
        let program = Path::new("/usr/sbin/sshd");
        if !program.exists() || !rustix::process::geteuid().is_root() {
            eprintln!("skipped: needs `sshd` (Debian package `openssh-server`) and root");
            return None;
        }
        fs::create_dir_all("/run/sshd").unwrap();
        for key in ["host", "user", "stranger"] {
            let mut command = Command::new("ssh-keygen");
            command.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(folder.join(key));
            assert!(command.status().unwrap().success());
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        fs::copy(folder.join("user.pub"), folder.join("authorized_keys")).unwrap();
        let at = folder.display();
        let text = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {at}/host\nAuthorizedKeysFile {at}/authorized_keys\nPidFile \
             none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n"
        );
        fs::write(folder.join("sshd_config"), text).unwrap();
        let mut command = Command::new(program);
        command.args(["-D", "-e", "-f"]).arg(folder.join("sshd_config"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = Self { child, port, known_hosts: folder.join("known_hosts") };
        wait_until("the ssh server answers", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        let key = fs::read_to_string(folder.join("host.pub")).unwrap();
        fs::write(&server.known_hosts, format!("[127.0.0.1]:{port} {key}")).unwrap();
        Some(server)
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn repository_over_ssh_needs_the_key_of_the_job_and_a_host_that_is_known() {
    let stage = Stage::new("");
    let folder = stage.path("ssh");
    fs::create_dir(&folder).unwrap();
    let Some(server) = SshServer::start(&folder) else { return };
    stage.push(&token("ci", "enabled"));
    let url = format!("ssh://root@127.0.0.1:{}{}", server.port, stage.repository().display());
    let git = |key: &str, hosts: &str| {
        format!("{{url: '{url}', branch: main, ssh_key_file: ssh/{key}, known_hosts_file: ssh/{hosts}}}")
    };
    fs::write(folder.join("nobody_known"), "").unwrap();
    for (key, hosts, words) in
        [("stranger", "known_hosts", "Permission denied"), ("user", "nobody_known", "Host key verification failed")]
    {
        configure_git(&stage, &git(key, hosts));
        let refused = stage.run(&["check", "--fetch"]).expect(1);
        assert!(format!("{refused:?}").contains(words), "{refused:?}");
    }
    configure_git(&stage, &git("user", "known_hosts"));
    stage.once(0);
    assert_eq!(stage.tokens().len(), 1);
    stage.push(&token("ci", "disabled"));
    stage.once(0);
    assert_eq!(stage.tokens()[0].1, "disabled");
}
