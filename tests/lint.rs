//! `ionplay lint` on playbooks that include files and roles.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("ionplay-lint-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn lint(folder: &Path) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_ionplay"))
        .current_dir(folder)
        .args(["lint", "playbook.yml"])
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

const PLAYBOOK: &str = "
- hosts: localhost
  gather_facts: false
  tasks:
    - include_tasks: more.yml
    - include_role: {name: tokens, tasks_from: renew}
    - include_tasks: '{{ which }}.yml'
";

#[test]
fn mistakes_in_what_tasks_include_are_found() {
    let files = [
        ("playbook.yml", PLAYBOOK),
        ("more.yml", "- debug: {msg: '{{ x | uper }}'}\n- include_tasks: more.yml\n"),
        ("roles/tokens/tasks/renew.yml", "- copy: {src: a, destination: b}\n- include_tasks: broken.yml\n"),
        ("roles/tokens/tasks/broken.yml", "- debug: {msg: x\n"),
        ("roles/tokens/files/a", ""),
    ];
    let folder = folder("included", &files);
    let (code, said) = lint(&folder);
    assert_eq!(code, Some(4), "{said}");
    for found in ["more.yml:1:", "did you mean `upper`", "roles/tokens/tasks/renew.yml:1:", "tasks/broken.yml:1:"] {
        assert!(said.contains(found), "{found}: {said}");
    }
    assert_eq!(said.matches("uper`").count(), 1, "{said}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn includes_without_mistakes_are_silent() {
    let files = [
        ("playbook.yml", PLAYBOOK),
        ("more.yml", "- debug: {msg: '{{ x | upper }}'}\n  notify: restart\n"),
        ("roles/tokens/tasks/renew.yml", "- debug: {msg: renewed}\n  notify: restart\n"),
        ("roles/tokens/handlers/main.yml", "- name: restart\n  debug: {msg: restarted}\n"),
    ];
    let folder = folder("silent", &files);
    assert_eq!(lint(&folder), (Some(0), "0 errors, 0 warnings\n".to_owned()));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn parameters_that_a_module_looks_for_when_it_runs_are_required() {
    let tasks = "- fetch: {src: a}\n- assemble: {dest: b}\n- group_by: {parents: all}\n- add_host: {groups: web}\n- add_host: {host: a, group: web}\n";
    let folder = folder("needs", &[("playbook.yml", tasks)]);
    let (code, said) = lint(&folder);
    assert_eq!(code, Some(4), "{said}");
    for (module, parameter) in [("fetch", "dest"), ("assemble", "src"), ("group_by", "key"), ("add_host", "name")] {
        assert!(said.contains(&format!("`{module}` needs the parameter `{parameter}`")), "{module}: {said}");
    }
    assert!(said.ends_with("4 errors, 0 warnings\n"), "{said}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn unreadable_task_hides_no_other_finding() {
    let playbook = "
- hosts: localhost
  gather_facts: false
  tasks:
    - nobody.knows.this: {a: 1}
    - service: {name: x}
    - debug: {msg: '{{ x | uper }}'}
      notify: restart
    - debug: {messages: x}
    - include_tasks: more.yml
  handlers:
    - nobody.knows.that: {a: 1}
";
    let more = "- nobody.knows.this: {a: 1}\n- debug: {msg: '{{ x | loower }}'}\n";
    let folder = folder("unreadable", &[("playbook.yml", playbook), ("more.yml", more)]);
    let (code, said) = lint(&folder);
    assert_eq!(code, Some(4), "{said}");
    for found in ["`nobody.knows.this`", "builtin.service`", "`upper`", "module: messages", "`lower`"] {
        assert!(said.contains(found), "{found}: {said}");
    }
    // The handler may be the one that could not be read.
    assert!(!said.contains("`restart`"), "{said}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn decimal_mode_is_a_warning() {
    let playbook = "
- hosts: localhost
  gather_facts: false
  tasks:
    - copy: {content: a, dest: /x/a, mode: 644}
    - file: {path: /x/b, mode: 1777}
    - file: {path: /x/c, mode: 0644}
    - file: {path: /x/d, mode: '644'}
    - file: {path: /x/e, mode: 400}
    - file: {path: /x/e, mode: 420}
    - file: {path: /x/e, mode: 493}
";
    let folder = folder("mode", &[("playbook.yml", playbook)]);
    let (code, said) = lint(&folder);
    assert_eq!(code, Some(0), "{said}");
    for found in ["means mode 1204", "`mode: \"0644\"`", "means mode 3361", "means mode 0620", "3 warnings"] {
        assert!(said.contains(found), "{found}: {said}");
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn role_with_files_alone_is_a_warning() {
    let playbook = "- hosts: localhost\n  gather_facts: false\n  roles: [bare, plugins]\n";
    let files = [("playbook.yml", playbook), ("roles/bare/files/a", ""), ("roles/plugins/filter_plugins/a.py", "")];
    let folder = folder("bare", &files);
    let (code, said) = lint(&folder);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("the role `bare` has no tasks") && said.contains("0 errors, 1 warning"), "{said}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn block_below_a_list_mark_is_read() {
    for mark in ["* ", "• ", "1. ", "- "] {
        let indentation = " ".repeat(mark.chars().count());
        let text = format!("{mark}- name: say\n{indentation}  debug:\n{indentation}    msg: hello\n");
        let folder = folder("mark", &[("playbook.yml", &text)]);
        let (code, said) = lint(&folder);
        assert_eq!(code, Some(0), "{mark}: {said}");
        assert!(said.contains(&format!("the list mark `{}`", mark.trim())), "{mark}: {said}");
        fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn typographic_quotes_round_values_are_named() {
    let playbook = "- registry_token: {registry: demo, name: “web1”, status: “enabled”}\n";
    let folder = folder("quotes", &[("playbook.yml", playbook)]);
    let (code, said) = lint(&folder);
    assert_eq!(code, Some(4), "{said}");
    for found in ["write straight quotes: `\"web1\"`", "did you mean `enabled`?"] {
        assert_eq!(said.matches(found).count(), 1, "{found}: {said}");
    }
    fs::remove_dir_all(folder).unwrap();
}
