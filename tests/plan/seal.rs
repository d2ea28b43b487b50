//! Variables that a plan does not show.

use super::Desk;

const TASKS: &str = "    - {name: write, copy: {content: '{{ password }}', dest: out}}\n";

#[test]
fn without_a_key_they_are_given_again() {
    let desk = Desk::with_tasks(TASKS);
    desk.ends(&["plan", "site.yml", "-e", "password=hunter22", "-o", "p"], 0, "1 other change");
    assert!(!desk.read("p").contains("hunter22"));
    desk.ends(&["apply", "p", "--auto-approve"], 11, "give them again with `-e`");
    desk.ends(&["apply", "p", "--auto-approve", "-e", "password=hunter23"], 11, "the variables of the command line");
    desk.ends(&["apply", "p", "--auto-approve", "-e", "password=hunter22"], 0, "Applied.");
    assert_eq!(desk.read("out"), "hunter22");
}

#[test]
fn with_a_key_they_are_sealed() {
    let desk = Desk::with_tasks(TASKS);
    desk.write("key", "correct horse\n");
    desk.write("other", "battery staple\n");
    desk.write("empty", "\n");
    let plan = |key| ["plan", "site.yml", "-e", "password=hunter22", "-o", "p", "--seal-key-file", key];
    desk.ends(&plan("empty"), 1, "the seal key `empty` is empty");
    desk.ends(&plan("key"), 0, "1 other change");
    assert!(!desk.read("p").contains("hunter22") && desk.read("p").contains("$ANSIBLE_VAULT;1.2;AES256;plan"));
    desk.ends(&["apply", "p", "--auto-approve"], 11, "--seal-key-file");
    desk.ends(&["apply", "p", "--auto-approve", "--seal-key-file", "other"], 10, "sealed with another key");
    desk.ends(&["apply", "p", "--auto-approve", "--seal-key-file", "key"], 0, "Applied.");
    assert_eq!(desk.read("out"), "hunter22");
}
