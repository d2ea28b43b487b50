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
