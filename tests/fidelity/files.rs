//! Playbooks from a seed that mix registry tasks with tasks on files: what one writes, another looks at.

use std::fmt::Write as _;
use std::path::Path;

use super::generate::Case;
use crate::dice::Dice;

/// Paths in the folder of a case; some are there at the start.
const PATHS: [&str; 6] = ["kept.txt", "made.txt", "sub", "sub/in.txt", "vars.yml", "full/old.txt"];
const FOLDERS: [&str; 3] = ["sub", "full", "sub/deep"];
const TEXTS: [&str; 3] = ["one\\n", "flavour: cd\\n", "flavour: ci\\nmore: {made: true}\\n"];

/// Fills the folder that the playbook of a case works in.
pub fn fill_folder(folder: &Path) {
    std::fs::write(folder.join("kept.txt"), "one\ntwo\n").unwrap();
    std::fs::write(folder.join("vars.yml"), "flavour: ci\n").unwrap();
    std::fs::write(folder.join("tokens.j2"), "{{ flavour | default('none') }} {{ 1 + 1 }}\n").unwrap();
    std::fs::create_dir(folder.join("full")).unwrap();
    std::fs::write(folder.join("full/old.txt"), "old\n").unwrap();
}

impl Case {
    /// The case of a seed that is about files as well.
    pub fn with_files(seed: u64) -> Self {
        let mut dice = Dice::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0xf11e);
        let world = Self::new(seed).seed;
        Self { seed: world, playbook: playbook(&mut dice), converges: false }
    }
}

fn playbook(dice: &mut Dice) -> String {
    let mut text = "- hosts: localhost\n  gather_facts: false\n  ignore_errors: true\n  tasks:\n".to_owned();
    for number in 0..3 + dice.below(8) {
        let extra = condition(dice, number);
        let (module, args) = if dice.one_in(3) { registry_task(dice, number) } else { file_task(dice) };
        let _ = writeln!(text, "  - {{name: t{number}, {module}: {{{args}}}, register: r{number}{extra}}}");
    }
    text
}

fn file_task(dice: &mut Dice) -> (&'static str, String) {
    let (path, folder, content) = (dice.pick(&PATHS), dice.pick(&FOLDERS), dice.pick(&TEXTS));
    match dice.below(13) {
        0 => ("file", format!("path: \"@WORK@/{folder}\", state: directory")),
        1 => ("file", format!("path: \"@WORK@/{path}\", state: absent")),
        2 => (
            "file",
            format!("path: \"@WORK@/{path}\", state: touch, modification_time: preserve, access_time: preserve"),
        ),
        3 | 4 => ("copy", format!("dest: \"@WORK@/{path}\", content: \"{content}\"")),
        5 => ("template", format!("src: \"@WORK@/tokens.j2\", dest: \"@WORK@/{path}\"")),
        6 => ("lineinfile", format!("path: \"@WORK@/{path}\", line: two, create: {}", dice.one_in(2))),
        // What a command does to other files than those that it names is not predicted.
        7 => ("command", format!("cmd: \"touch @WORK@/{path}\", creates: \"@WORK@/{path}\"")),
        8 => ("command", format!("cmd: \"rm -f @WORK@/{path}\", removes: \"@WORK@/{path}\"")),
        9 => ("command", format!("cmd: \"touch in.txt\", chdir: \"@WORK@/{folder}\", creates: in.txt")),
        10 | 11 => ("stat", format!("path: \"@WORK@/{path}\"")),
        _ => ("include_vars", "file: \"@WORK@/vars.yml\"".to_owned()),
    }
}

fn registry_task(dice: &mut Dice, number: usize) -> (&'static str, String) {
    let registry = dice.pick(&["alpha", "beta"]);
    let name = match dice.below(4) {
        0 => "\"{{ flavour | default('robot') }}\"".to_owned(),
        1 if number > 0 => {
            format!("\"{{{{ 'audit' if r{0}.stat.exists | default(false) else 'backup' }}}}\"", dice.below(number))
        }
        2 if number > 0 => {
            format!("\"{{{{ 'audit' if r{} is changed else 'backup' }}}}\"", dice.below(number))
        }
        _ => dice.pick(&["ci", "cd", "deploy"]).to_owned(),
    };
    let state = if dice.one_in(4) { ", state: absent" } else { "" };
    let named = if state.is_empty() { "name" } else { "registry_token" };
    ("registry_token", format!("registry: {registry}, {named}: {name}{state}"))
}

/// A condition on an earlier result, or a loop over one.
fn condition(dice: &mut Dice, number: usize) -> String {
    if number == 0 || !dice.one_in(3) {
        return String::new();
    }
    let of = dice.below(number);
    let text = match dice.below(6) {
        0 => format!("r{of} is changed"),
        1 => format!("r{of} is not failed"),
        2 => format!("r{of}.stat.exists | default(true)"),
        3 => format!("r{of} is skipped"),
        4 => "flavour | default('none') == 'cd'".to_owned(),
        _ => {
            return format!(
                ", loop: \"{{{{ [r{of}, r{of}] | selectattr('changed', 'defined') | list }}}}\", loop_control: {{label: x}}"
            );
        }
    };
    format!(", when: \"{text}\"")
}
