//! Plans that are not applied: each kind of reason has its message and its status, and nothing is written.

use ionplay::plan::lock::Lock;
use ionplay::plan::{Plan, save};

use super::{Desk, PLAYBOOK, account};

const APPLY: &[&str] = &["apply", "p", "--auto-approve"];

fn planned(playbook: &str) -> Desk {
    let desk = Desk::new(playbook);
    desk.ends(&["plan", "site.yml", "-o", "p"], 0, "Written to p");
    desk
}

/// Changes a plan as somebody would who knows how its digest is made.
fn forge(desk: &Desk, change: impl Fn(&mut Plan)) {
    let path = desk.path().join("p");
    let mut plan = save::read(&path).unwrap();
    change(&mut plan);
    plan.digest = plan.compute_digest();
    save::write(&path, &save::serialize_plan(&plan).unwrap()).unwrap();
}

#[test]
fn what_is_no_plan_or_of_another_version_or_altered() {
    let desk = planned(PLAYBOOK);
    let text = desk.read("p");
    desk.write("p", &text.replace("\"ci\"", "\"cd\""));
    desk.ends(APPLY, 10, "`p` was altered");
    desk.write("p", &text[..text.len() / 2]);
    desk.ends(APPLY, 10, "`p` is not a plan");
    desk.write("p", &text.replace("\"format\": 1", "\"format\": 7"));
    desk.ends(APPLY, 10, "has format 7, but this program reads format 1");
    desk.ends(&["apply", "nowhere"], 10, "cannot read `nowhere`");
    desk.write("p", &text);
    forge(&desk, |plan| plan.tool = "0.0.0".to_owned());
    desk.ends(APPLY, 10, "made by version 0.0.0");
    assert_eq!(desk.writes(), 0);
}

#[test]
fn what_would_fail_is_named_and_not_applied() {
    let desk = Desk::with_tasks("    - {name: bad, fail: {msg: 'because of {{ item }}'}, loop: [a]}\n");
    let (status, text) = desk.says(&["plan", "site.yml", "-o", "p", "--detailed-exitcode"]);
    assert_eq!(status, 1, "{text}");
    assert!(text.contains("! task \"bad\" on localhost (item=a)\n      # would fail: because of a\n"), "{text}");
    desk.ends(APPLY, 10, "1 tasks of the plan would fail");
}

#[test]
fn another_world() {
    let desk = planned(PLAYBOOK);
    desk.write("other.yml", &PLAYBOOK[..PLAYBOOK.find("    - name: token").unwrap()]);
    desk.ends(&["other.yml"], 0, "changed=1");
    desk.ends(APPLY, 12, "the world has changed since the plan was made: registry `fresh`");
    assert_eq!(desk.writes(), 1);
}

#[test]
fn a_world_that_is_as_planned_already() {
    // A date that counts from now would be another one.
    let desk = planned(&PLAYBOOK.replace(", expiry_date: +30d", ""));
    desk.ends(&["site.yml"], 0, "changed=2");
    desk.ends(APPLY, 13, "everything is as it would make it");
}

#[test]
fn another_account() {
    let desk = planned(PLAYBOOK);
    let (status, text) = desk.says_on(&account(), APPLY);
    assert_eq!(status, 16, "{text}");
    assert!(text.contains("the plan is for another account"), "{text}");
}

#[test]
fn a_run_that_was_broken_off_and_one_that_goes_on() {
    let desk = planned(PLAYBOOK);
    let path = desk.path().join("p");
    let mut lock = Lock::acquire_lock(&path, &save::read(&path).unwrap().digest).unwrap();
    desk.ends(APPLY, 17, "is being applied by another process");
    lock.record_begin().unwrap();
    drop(lock);
    desk.ends(APPLY, 13, "was interrupted: it may be partly applied");
    assert_eq!(desk.writes(), 0);
}

/// Killed between its two requests: the old plan is refused, a new one has what is left.
#[test]
fn what_is_left_of_a_broken_run_is_a_new_plan() {
    let slow = PLAYBOOK.replace("    - name: token", "    - command: sleep 30\n    - name: token");
    let desk = planned(&slow);
    let mut run = std::process::Command::new(env!("CARGO_BIN_EXE_ionplay"))
        .args(APPLY)
        .current_dir(desk.path())
        .env("IONOS_API_URL", desk.server.url())
        .env("IONOS_TOKEN", ionplay::sandbox::TOKEN)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    for _ in 0..600 {
        if desk.writes() > 0 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    assert_eq!(desk.writes(), 1);
    desk.ends(APPLY, 13, "was interrupted");
    desk.ends(&["plan", "site.yml", "-o", "q"], 0, "1 to create, 0 to update, 0 to replace, 0 to delete, 1 unchanged");
}

/// Every file that the run reads belongs to the playbook.
#[test]
fn another_playbook() {
    let desk = Desk::new(
        "- hosts: all
  gather_facts: false
  vars_files: [vars.yml]
  roles: [r]
  tasks:
    - include_vars: included.yml
    - include_tasks: more.yml
    - template: {src: t.j2, dest: out}
    - copy: {src: c.txt, dest: out2}
    - debug: {msg: \"{{ lookup('file', 'l.txt') }} {{ lookup('template', 'lt.j2') }} {{ lookup('fileglob', 'g/*') }}\"}
    - script: s.sh
",
    );
    let files = [
        ("hosts", "localhost ansible_connection=local\n"),
        ("group_vars/all.yml", "a: 1\n"),
        ("vars.yml", "v: 1\n"),
        ("extra.yml", "e: 1\n"),
        ("roles/r/tasks/main.yml", "- debug: {msg: r}\n"),
        ("roles/r/defaults/main.yml", "d: 1\n"),
        ("vars/included.yml", "i: 1\n"),
        ("more.yml", "- debug: {msg: m}\n"),
        ("templates/t.j2", "{% include 'part.j2' %}\n"),
        ("templates/part.j2", "part {{ a }}\n"),
        ("files/c.txt", "c\n"),
        ("files/l.txt", "l\n"),
        ("templates/lt.j2", "lt\n"),
        ("files/s.sh", "true\n"),
        ("files/g/one", "1\n"),
    ];
    for (name, text) in files {
        desk.write(name, text);
    }
    desk.ends(&["plan", "-i", "hosts", "-e", "@extra.yml", "site.yml", "-o", "p"], 0, "Written to p");
    for (name, text) in files {
        desk.write(name, &format!("{text}\n# another\n"));
        if name == "files/g/one" {
            desk.write("files/g/two", "2\n");
        }
        desk.ends(APPLY, 11, "the playbook is not the one that was planned");
        desk.write(name, text);
    }
    std::fs::remove_file(desk.path().join("files/g/two")).unwrap();
    desk.write("host_vars/localhost.yml", "h: 1\n");
    desk.ends(APPLY, 11, "`host_vars/localhost.yml` is new");
    std::fs::remove_file(desk.path().join("host_vars/localhost.yml")).unwrap();
    desk.ends(APPLY, 0, "Applied.");
}
