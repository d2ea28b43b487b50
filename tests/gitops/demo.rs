//! The third command of the README.

use std::process::Command;

#[test]
fn demo_works_with_the_repository_that_it_is_part_of() {
    let home = tempfile::tempdir().unwrap();
    let mut git = Command::new("git");
    git.args(["rev-parse", "--verify", "HEAD:playbooks/gitops/site.yml"]);
    let top = git.current_dir(crate::root()).output();
    if !top.is_ok_and(|output| output.status.success()) {
        println!("skipped: this is not a clone whose last commit has playbooks/gitops");
        return;
    }
    let once = || {
        Command::new(env!("CARGO_BIN_EXE_ionplay"))
            .args(["gitops", "once", "--sandbox", "playbooks/gitops/gitops.yml"])
            .current_dir(crate::root())
            .env("HOME", home.path())
            .env_remove("XDG_STATE_HOME")
            .env_remove("IONPLAY_STATE_DIR")
            .output()
            .unwrap()
    };
    let first = once();
    let said = String::from_utf8_lossy(&first.stdout).into_owned() + &String::from_utf8_lossy(&first.stderr);
    assert!(first.status.success() && said.contains("applied"), "{said}");
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let second = String::from_utf8_lossy(&once().stdout).into_owned();
    assert!(second.contains("corrected"), "the mock registry of the second process is empty again: {second}");
}
