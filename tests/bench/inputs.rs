//! The playbooks that are timed, generated into a folder that goes away with the run.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// The registry of the token loops; it is given by its id, as a careful playbook does.
pub const REGISTRY: &str = "11111111-1111-4111-8111-111111111111";

/// A folder with inputs.
pub struct Inputs(TempDir);

impl Inputs {
    /// An empty folder.
    pub fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder can be made"))
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        let folder = path.parent().expect("the name is under the folder");
        std::fs::create_dir_all(folder).expect("folders can be made");
        std::fs::write(&path, text).expect("the input can be written");
        path
    }

    fn play(&self, name: &str, tasks: &str) -> PathBuf {
        self.write(name, &format!("- hosts: localhost\n  gather_facts: false\n  tasks:\n{tasks}"))
    }

    /// A play with nothing in it: what starting and ending costs.
    pub fn empty(&self) -> PathBuf {
        self.write("empty.yml", "- hosts: localhost\n  gather_facts: false\n  tasks: []\n")
    }

    /// So many `debug` tasks.
    pub fn tasks(&self, count: usize) -> PathBuf {
        let mut tasks = String::new();
        for number in 0..count {
            let _ = writeln!(tasks, "  - name: task {number}\n    debug:\n      msg: hello {number}");
        }
        self.play(&format!("tasks-{count}.yml"), &tasks)
    }

    /// So many tasks with a condition, an expression, a registered result and a templated name.
    pub fn mixed(&self, count: usize) -> PathBuf {
        let mut tasks = String::new();
        for number in 0..count {
            let _ = writeln!(
                tasks,
                "  - name: task {{{{ base }}}} {number}\n    set_fact:\n      fact_{number}: \"{{{{ base | int + {number} }}}}\"\n    \
                 when: base is defined\n    register: result_{number}"
            );
        }
        let head = "- hosts: localhost\n  gather_facts: false\n  vars:\n    base: 1\n  tasks:\n";
        self.write(&format!("mixed-{count}.yml"), &format!("{head}{tasks}"))
    }

    /// A `debug` loop with an expression in its message, registered or not.
    pub fn looped(&self, count: usize, register: bool) -> PathBuf {
        let end = if register { "    register: results\n" } else { "" };
        self.play(
            &format!("loop-{count}{}.yml", if register { "-kept" } else { "" }),
            &format!(
                "  - debug:\n      msg: \"item {{{{ item }}}} of {{{{ item * 2 }}}}\"\n    \
                 loop: \"{{{{ range({count}) | list }}}}\"\n{end}"
            ),
        )
    }

    /// A document of 12 MB, and a play that asks it for parts.
    pub fn json(&self) -> PathBuf {
        const STATES: [&str; 3] = ["enabled", "disabled", "pending"];
        let mut document = String::from("[");
        let mut number = 0;
        while document.len() < 12_000_000 {
            let (group, state, owner) = (number % 50, STATES[number % 3], number % 200);
            let _ = write!(
                document,
                "{}{{\"id\": {number}, \"name\": \"host-{number:06}\", \"group\": \"g{group}\", \"status\": \"{state}\", \
                 \"tags\": [\"a{}\", \"b{}\"], \"meta\": {{\"owner\": \"user{owner}\", \"weight\": 0.{number}, \"active\": {}}}}}",
                if number == 0 { "" } else { ", " },
                number % 7,
                number % 11,
                number % 2 == 0,
            );
            number += 1;
        }
        self.write("document.json", &(document + "]"));
        self.play(
            "json.yml",
            "  - set_fact:\n      document: \"{{ lookup('file', 'document.json') | from_json }}\"\n  \
             - debug:\n      msg: \"{{ document | selectattr('status', 'eq', 'enabled') | list | length }}\"\n  \
             - debug:\n      msg: \"{{ document | json_query('[?group==`g7`].name') | length }}\"\n  \
             - debug:\n      msg: \"{{ document | groupby('group') | length }}\"\n",
        )
    }

    /// An inventory of so many hosts.
    pub fn hosts(&self, count: usize) -> PathBuf {
        let lines: String = (0..count).map(|host| format!("h{host:05} ansible_connection=local\n")).collect();
        self.write(&format!("hosts-{count}.ini"), &lines)
    }

    fn on_all_hosts(&self, name: &str, tasks: &str) -> PathBuf {
        self.write(name, &format!("- hosts: all\n  gather_facts: false\n  tasks:\n{tasks}"))
    }

    /// So many `set_fact` tasks on all hosts.
    pub fn facts(&self, count: usize) -> PathBuf {
        let task = |n| format!("  - set_fact:\n      fact_{n}: \"{{{{ inventory_hostname }}}}-{n}\"\n");
        self.on_all_hosts("facts.yml", &(0..count).map(task).collect::<String>())
    }

    /// Each host reads a variable of every host.
    pub fn hostvars(&self) -> PathBuf {
        self.on_all_hosts(
            "hostvars.yml",
            "  - set_fact:\n      own: \"{{ inventory_hostname }}\"\n  \
             - debug:\n      msg: \"{% for host in groups['all'] %}{{ hostvars[host].own | length }}{% endfor %}\"\n",
        )
    }

    /// A command on all hosts that waits.
    pub fn waiting(&self) -> PathBuf {
        self.on_all_hosts("waiting.yml", "  - command: sleep 0.1\n")
    }

    /// So many tasks that include the same file.
    pub fn includes(&self, count: usize) -> PathBuf {
        self.write("included.yml", "- debug:\n    msg: included\n");
        self.play(&format!("includes-{count}.yml"), &"  - include_tasks: included.yml\n".repeat(count))
    }

    /// A role that is run so many times, with other parameters each time.
    pub fn roles(&self, count: usize) -> PathBuf {
        self.write("roles/small/defaults/main.yml", "word: hello\n");
        self.write("roles/small/tasks/main.yml", "- debug:\n    msg: \"{{ word }} {{ number }}\"\n");
        let mut text = "- hosts: localhost\n  gather_facts: false\n  roles:\n".to_owned();
        for number in 0..count {
            let _ = writeln!(text, "  - role: small\n    vars:\n      number: {number}");
        }
        self.write(&format!("roles-{count}.yml"), &text)
    }

    /// So many tasks with a token each.
    pub fn token_tasks(&self, count: usize) -> PathBuf {
        let task = |n| format!("  - registry_token: {{registry: {REGISTRY}, name: token{n}, status: enabled}}\n");
        self.play(&format!("token-tasks-{count}.yml"), &(0..count).map(task).collect::<String>())
    }

    /// So many tokens in one loop.
    pub fn tokens(&self, count: usize) -> PathBuf {
        self.play(
            &format!("tokens-{count}.yml"),
            &format!(
                "  - registry_token:\n      registry: {REGISTRY}\n      name: token{{{{ item }}}}\n      status: enabled\n    \
                 loop: \"{{{{ range({count}) | list }}}}\"\n"
            ),
        )
    }
}
