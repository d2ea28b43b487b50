//! PGP signatures: the key has to be one of those that the file names.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::stage::{Stage, playbook, token};

/// A folder of `gpg` with the keys `anna` and `eve`; its agent ends with it.
struct Keys<'a>(&'a Stage);

impl Keys<'_> {
    fn gpg(&self, arguments: &[&str]) -> Option<Vec<u8>> {
        let mut command = Command::new("gpg");
        command.arg("--homedir").arg(self.0.path("gnupg")).args(["--batch", "--quiet"]).args(arguments);
        let output = command.output().ok()?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Some(output.stdout)
    }

    fn fingerprint(&self, name: &str) -> String {
        let list = self.gpg(&["--with-colons", "--list-keys", name]).unwrap();
        let list = String::from_utf8(list).unwrap();
        let line = list.lines().find(|line| line.starts_with("fpr")).unwrap();
        line.split(':').nth(9).unwrap().to_owned()
    }

    fn push_signed(&self, name: &str, tasks: &str) -> String {
        let stage = self.0;
        let program = format!("gpg.program={}", stage.path("sign").display());
        let key = format!("user.signingkey={}", self.fingerprint(name));
        fs::write(stage.repository().join("site.yml"), playbook(tasks)).unwrap();
        stage.git(&["add", "--all"]);
        let format = "gpg.format=openpgp";
        stage.git(&[
            "-c",
            format,
            "-c",
            &program,
            "-c",
            &key,
            "commit",
            "--quiet",
            "-S",
            "--allow-empty",
            "--message=signed",
        ]);
        stage.head()
    }
}

impl Drop for Keys<'_> {
    fn drop(&mut self) {
        let _ = Command::new("gpgconf").arg("--homedir").arg(self.0.path("gnupg")).args(["--kill", "all"]).status();
    }
}

#[test]
fn only_commits_of_named_keys_are_applied() {
    let stage = Stage::new("");
    let folder = stage.path("gnupg");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    let keys = Keys(&stage);
    for name in ["anna", "eve"] {
        let made = keys.gpg(&[
            "--passphrase",
            "",
            "--quick-gen-key",
            &format!("{name} <{name}@x.org>"),
            "ed25519",
            "sign",
            "never",
        ]);
        if made.is_none() {
            eprintln!("skipped: there is no `gpg` (Debian package `gnupg`)");
            return;
        }
    }
    fs::write(stage.path("sign"), format!("#!/bin/sh\nexec gpg --homedir '{}' \"$@\"\n", folder.display())).unwrap();
    fs::set_permissions(stage.path("sign"), fs::Permissions::from_mode(0o755)).unwrap();
    // The keyring has both keys: it is the fingerprint that counts.
    fs::write(stage.path("keyring"), keys.gpg(&["--export"]).unwrap()).unwrap();
    let verify = format!("verify: {{pgp_fingerprints: [{}], keyring: keyring}}", keys.fingerprint("anna"));
    let job = stage.job().replace("branch: main}", &format!("branch: main, {verify}}}"));
    stage.configure_file(&format!("jobs:\n  tokens:\n{job}"));

    let good = keys.push_signed("anna", &token("ci", "enabled"));
    stage.once(0);
    assert_eq!(stage.status()["applied"], good.as_str());
    let writes = stage.writes();
    keys.push_signed("eve", &token("ci", "disabled"));
    stage.once(2);
    let status = stage.status();
    let message = status["message"].as_str().unwrap();
    assert!(status["state"] == "refused" && message.contains("key that is not allowed"), "{status:#}");
    assert_eq!(stage.writes(), writes);
    // A signed commit on top does not help.
    keys.push_signed("anna", &token("ci", "disabled"));
    stage.once(2);
    assert_eq!((stage.writes(), &stage.status()["applied"]), (writes, &good.as_str().into()));
}
