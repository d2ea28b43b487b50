//! Inputs of any size, each of which grows in one way.

use std::fmt::Write as _;
use std::path::Path;

/// An input, and the smaller of the two sizes that are compared.
pub struct Input {
    /// What grows.
    pub name: &'static str,
    /// The smaller size.
    pub size: usize,
    /// Writes `playbook.yml` and `inventory.ini` of a size.
    pub write: fn(&Path, usize),
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("the name is under the folder")).expect("folders can be made");
    std::fs::write(path, text).expect("the input can be written");
}

/// A text with a part for each number below `size`.
fn repeated(size: usize, part: impl Fn(usize) -> String) -> String {
    (0..size).map(part).collect()
}

/// A play on `localhost` with these keywords and tasks.
fn play(folder: &Path, keywords: &str, tasks: &str) {
    hosts_play(folder, "localhost ansible_connection=local\n", keywords, tasks);
}

/// A play on the hosts of an inventory.
fn hosts_play(folder: &Path, inventory: &str, keywords: &str, tasks: &str) {
    write(folder, "inventory.ini", inventory);
    let text = format!("- hosts: all\n  gather_facts: false\n{keywords}  tasks:\n{tasks}");
    write(folder, "playbook.yml", &text);
}

fn hosts(size: usize) -> String {
    repeated(size, |n| format!("host{n} number={n}\n"))
}

fn nested(folder: &Path, size: usize) {
    let mut tasks = String::new();
    for depth in 0..size {
        let _ = writeln!(tasks, "{}- block:", "  ".repeat(depth + 2));
    }
    let _ = writeln!(tasks, "{}- debug: {{msg: deep}}", "  ".repeat(size + 2));
    play(folder, "", &tasks);
}

/// All inputs.
pub const INPUTS: &[Input] = &[
    Input {
        name: "tokens that a loop creates",
        size: 100,
        write: |folder, size| {
            let task = "  - registry_token: {registry: demo, name: 'token-{{ item }}', scopes: []}\n    no_log: true\n";
            play(folder, "", &format!("{task}    loop: \"{{{{ range({size}) | list }}}}\"\n"));
        },
    },
    Input {
        name: "tokens that tasks create",
        size: 60,
        write: |folder, size| {
            let task = |n| format!("  - registry_token: {{registry: demo, name: token-{n}, scopes: []}}\n");
            play(folder, "", &repeated(size, task));
        },
    },
    Input {
        name: "hosts that count all hosts of a group",
        size: 60,
        write: |folder, size| {
            hosts_play(folder, &hosts(size), "", &"  - debug: {msg: \"{{ groups['all'] | length }}\"}\n".repeat(5));
        },
    },
    Input {
        name: "hosts that ask for the hosts of the play",
        size: 60,
        write: |folder, size| {
            let task =
                "  - debug: {msg: \"{{ ansible_play_hosts | length }} {{ inventory_hostname in play_hosts }}\"}\n";
            hosts_play(folder, &hosts(size), "", &task.repeat(5));
        },
    },
    Input {
        name: "hosts that set facts",
        size: 60,
        write: |folder, size| {
            hosts_play(
                folder,
                &hosts(size),
                "",
                &repeated(5, |n| format!("  - set_fact: {{fact{n}: \"{{{{ number }}}}\"}}\n")),
            );
        },
    },
    Input {
        name: "variables of all hosts, read by one",
        size: 60,
        write: |folder, size| {
            let text = "{% for host in groups['all'] %}{{ hostvars[host].number }}{% endfor %}";
            hosts_play(folder, &hosts(size), "", &format!("  - debug: {{msg: \"{text}\"}}\n    run_once: true\n"));
        },
    },
    Input {
        name: "groups",
        size: 60,
        write: |folder, size| {
            let groups = repeated(size, |n| format!("[group{n}]\nlocalhost ansible_connection=local\n"));
            hosts_play(folder, &groups, "", &"  - debug: {msg: \"{{ group_names | length }}\"}\n".repeat(5));
        },
    },
    Input {
        name: "hosts with a group each",
        size: 40,
        write: |folder, size| {
            let groups = repeated(size, |n| format!("[group{n}]\nhost{n}\n"));
            let task = "  - debug: {msg: \"{{ groups | length }} {{ group_names }}\"}\n";
            hosts_play(folder, &groups, "", &task.repeat(5));
        },
    },
    Input {
        name: "hosts of which one in two fails",
        size: 60,
        write: |folder, size| {
            let fail = "  - fail: {}\n    when: number is divisibleby 2\n    ignore_errors: true\n";
            let task = "  - debug: {msg: \"{{ ansible_play_batch | length }}\"}\n";
            hosts_play(folder, &hosts(size), "", &format!("{fail}{}", task.repeat(3)));
        },
    },
    Input {
        name: "tasks",
        size: 200,
        write: |folder, size| play(folder, "", &repeated(size, |n| format!("  - debug: {{msg: task {n}}}\n"))),
    },
    Input {
        name: "tasks that register and look at it",
        size: 150,
        write: |folder, size| {
            let task = |n| {
                format!("  - debug: {{msg: \"{{{{ 1 + 1 }}}}\"}}\n    register: r{n}\n    when: r{n} is not defined\n")
            };
            play(folder, "", &repeated(size, task));
        },
    },
    Input {
        name: "tasks that set facts",
        size: 150,
        write: |folder, size| play(folder, "", &repeated(size, |n| format!("  - set_fact: {{f{n}: {n}}}\n"))),
    },
    Input {
        name: "items of a loop",
        size: 200,
        write: |folder, size| {
            let task = "  - debug: {msg: \"{{ item }} of {{ item * 2 }}\"}\n    loop: \"{{ range(SIZE) | list }}\"\n";
            play(folder, "", &task.replace("SIZE", &size.to_string()));
        },
    },
    Input {
        name: "registered items, and a loop over their results",
        size: 150,
        write: |folder, size| {
            let first =
                "  - debug: {msg: \"{{ item }}\"}\n    loop: \"{{ range(SIZE) | list }}\"\n    register: made\n";
            let second = "  - debug: {msg: \"{{ item.msg }}\"}\n    loop: \"{{ made.results }}\"\n    loop_control: {label: x}\n";
            play(folder, "", &format!("{}{second}", first.replace("SIZE", &size.to_string())));
        },
    },
    Input {
        name: "variables of a play",
        size: 200,
        write: |folder, size| {
            let vars = repeated(size, |n| format!("    v{n}: \"{{{{ base }}}} {n}\"\n"));
            let tasks = "  - debug: {msg: \"{{ v0 }}\"}\n".repeat(5);
            play(folder, &format!("  vars:\n    base: x\n{vars}"), &tasks);
        },
    },
    Input {
        name: "variables that each need the one before",
        size: 30,
        write: |folder, size| {
            let vars = repeated(size, |n| format!("    v{}: \"{{{{ v{n} }}}}x\"\n", n + 1));
            play(
                folder,
                &format!("  vars:\n    v0: x\n{vars}"),
                &format!("  - debug: {{msg: \"{{{{ v{size} | length }}}}\"}}\n"),
            );
        },
    },
    Input {
        name: "includes",
        size: 80,
        write: |folder, size| {
            write(folder, "included.yml", "- debug: {msg: included}\n");
            play(folder, "", &"  - include_tasks: included.yml\n".repeat(size));
        },
    },
    Input {
        name: "items that each include a file",
        size: 60,
        write: |folder, size| {
            write(folder, "included.yml", "- debug: {msg: \"{{ item }}\"}\n");
            let task = "  - include_tasks: included.yml\n    loop: \"{{ range(SIZE) | list }}\"\n";
            play(folder, "", &task.replace("SIZE", &size.to_string()));
        },
    },
    Input {
        name: "roles that are included in public",
        size: 40,
        write: |folder, size| {
            for n in 0..size {
                write(folder, &format!("roles/role{n}/defaults/main.yml"), &format!("word{n}: hello\n"));
                write(folder, &format!("roles/role{n}/tasks/main.yml"), "- debug: {msg: x}\n");
            }
            play(folder, "", &repeated(size, |n| format!("  - include_role: {{name: role{n}, public: true}}\n")));
        },
    },
    Input {
        name: "roles",
        size: 80,
        write: |folder, size| {
            write(folder, "roles/small/defaults/main.yml", "word: hello\n");
            write(folder, "roles/small/tasks/main.yml", "- debug: {msg: \"{{ word }} {{ number }}\"}\n");
            let roles = repeated(size, |n| format!("  - {{role: small, number: {n}}}\n"));
            play(folder, &format!("  roles:\n{roles}"), "  - debug: {msg: end}\n");
        },
    },
    Input {
        name: "handlers, each notified",
        size: 100,
        write: |folder, size| {
            let handlers = repeated(size, |n| format!("  - {{name: handler {n}, debug: {{msg: x}}}}\n"));
            let tasks =
                repeated(size, |n| format!("  - {{debug: {{msg: x}}, changed_when: true, notify: handler {n}}}\n"));
            play(folder, &format!("  handlers:\n{handlers}"), &tasks);
        },
    },
    Input { name: "blocks in blocks", size: 12, write: nested },
    Input {
        name: "conditions of a task",
        size: 100,
        write: |folder, size| {
            let conditions = repeated(size, |n| format!("    - {n} == {n}\n"));
            play(folder, "", &format!("  - debug: {{msg: x}}\n    when:\n{conditions}"));
        },
    },
    Input {
        name: "entries of a JSON document",
        size: 300,
        write: |folder, size| {
            let entries: Vec<String> =
                (0..size).map(|n| format!("{{\"id\": {n}, \"even\": {}}}", n % 2 == 0)).collect();
            write(folder, "data.json", &format!("[{}]", entries.join(", ")));
            let read = "  - set_fact: {data: \"{{ lookup('file', 'data.json') | from_json }}\"}\n";
            let used = "  - debug: {msg: \"{{ data | selectattr('even') | map(attribute='id') | sum }}\"}\n";
            play(folder, "", &format!("{read}{used}"));
        },
    },
];
