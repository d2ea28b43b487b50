//! Files of variables that SOPS has encrypted. The program is not packaged by Debian: a stand-in shows how it is called.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

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
