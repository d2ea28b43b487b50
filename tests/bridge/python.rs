//! Modules written in Python, run by the Python of the machine.

use super::{Desk, python_with};

const MODULE: &str = r#"#!/usr/bin/python
import os
from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r'''
module: count
short_description: Counts
options:
  word: {type: str, required: true, description: The word.}
  password: {type: str, description: A password.}
'''

STATE = []

def main():
    module = AnsibleModule(
        argument_spec=dict(word=dict(required=True), password=dict(no_log=True)),
        supports_check_mode=@CHECK@,
    )
    STATE.append(1)
    module.warn('mind the gap')
    module.exit_json(changed=True, parent=os.getppid(), seen=len(STATE), word=module.params['word'],
                     back=module.params['password'], check=module.check_mode)

main()
"#;

fn count(supports_check: bool) -> String {
    MODULE.replace("@CHECK@", if supports_check { "True" } else { "False" })
}

#[test]
fn python_module_needs_permission() {
    let desk = Desk::with_tasks("    - count: {word: a}\n");
    desk.write("library/count.py", &count(true));
    let says = ["is written in Python", "--allow-python", "allow_python_modules", "failed=1"];
    desk.ends(&["site.yml"], 2, &says);
    desk.ends(&["lint", "site.yml"], 0, &["runs through the bridge", "--allow-python"]);
}

#[test]
fn python_without_ansible_is_told_what_to_install() {
    let desk = Desk::with_tasks("    - count: {word: a}\n");
    desk.write("library/count.py", &count(true));
    let python = desk.write_program("bare-python", "#!/bin/sh\nexec python3 -I -S \"$@\"\n");
    let variable = format!("ansible_python_interpreter={}", python.display());
    let says = ["cannot import `ansible`", "-m pip install ansible-core"];
    desk.ends(&["site.yml", "--allow-python", "-e", &variable], 2, &says);
    let says = ["there is no Python interpreter `/no/python`"];
    desk.ends(&["site.yml", "--allow-python", "-e", "ansible_python_interpreter=/no/python"], 2, &says);
}

#[test]
fn one_process_runs_all_modules_each_in_a_state_of_its_own() {
    let Some(python) = python_with(&["ansible"]) else { return };
    let desk = Desk::with_tasks(
        "    - count: {word: '{{ item }}'}\n      loop: [a, b, c]\n      register: r\n    - debug:\n        msg: 'processes {{ r.results | map(attribute=\"parent\") | unique | length }}, states {{ r.results | map(attribute=\"seen\") | list }}'\n",
    );
    desk.write("library/count.py", &count(true));
    let variable = format!("ansible_python_interpreter={python}");
    desk.ends(&["site.yml", "--allow-python", "-e", &variable], 0, &["processes 1, states [1, 1, 1]", "mind the gap"]);
    desk.write("ansible.cfg", "[defaults]\nallow_python_modules = true\n");
    desk.ends(&["site.yml", "-e", &variable], 0, &["changed=1"]);
}

#[test]
fn password_of_a_parameter_is_never_shown() {
    let Some(python) = python_with(&["ansible"]) else { return };
    let desk = Desk::with_tasks("    - count: {word: 'so hunter2hunter says', password: hunter2hunter}\n");
    desk.write("library/count.py", &count(true));
    let variable = format!("ansible_python_interpreter={python}");
    let text = desk.ends(&["site.yml", "--allow-python", "-vvv", "-e", &variable], 0, &["changed=1"]);
    assert!(!text.contains("hunter2hunter"), "{text}");
}

#[test]
fn dry_run_asks_the_module() {
    let Some(python) = python_with(&["ansible"]) else { return };
    let desk = Desk::with_tasks(
        "    - count: {word: a}\n      register: r\n    - debug: {msg: 'check {{ r.check | default(\"none\") }}'}\n",
    );
    let variable = format!("ansible_python_interpreter={python}");
    let args = ["site.yml", "--allow-python", "--check", "-e", variable.as_str()];
    desk.write("library/count.py", &count(true));
    desk.ends(&args, 0, &["check True"]);
    desk.write("library/count.py", &count(false));
    desk.ends(&args, 0, &["undetermined: [localhost]", "skipped=1"]);
}

#[test]
fn actions_of_the_executor_are_no_modules_of_an_installed_ansible() {
    let Some(python) = python_with(&["ansible"]) else { return };
    let desk = Desk::with_tasks("    - include_tasks: more.yml\n    - meta: noop\n    - include_role: {name: quiet}\n");
    desk.write("more.yml", "- ping:\n");
    desk.write("roles/quiet/tasks/main.yml", "- ping:\n");
    desk.write("ansible.cfg", &format!("[defaults]\ninterpreter_python = {python}\n"));
    desk.ends(&["lint", "site.yml"], 0, &["0 errors, 0 warnings"]);
    let text = desk.ends(&["site.yml"], 0, &["ok=4"]);
    assert!(!text.contains("warning"), "{text}");
}

#[test]
fn module_of_a_collection_imports_what_is_beside_it() {
    let Some(python) = python_with(&["ansible"]) else { return };
    let desk = Desk::with_tasks(
        "    - some.where.tool: {word: a}\n      register: r\n    - debug: {msg: 'got {{ r.got }}'}\n",
    );
    let root = "collections/ansible_collections/some/where/plugins";
    desk.write(&format!("{root}/module_utils/shared.py"), "def twice(word):\n    return word * 2\n");
    let module = "from ansible.module_utils.basic import AnsibleModule\nfrom ..module_utils.shared import twice\n\n\
                  module = AnsibleModule(argument_spec=dict(word=dict()))\n\
                  module.exit_json(got=twice(module.params['word']))\n";
    desk.write(&format!("{root}/modules/tool.py"), module);
    let variable = format!("ansible_python_interpreter={python}");
    desk.ends(&["site.yml", "--allow-python", "-e", &variable], 0, &["got aa"]);
}

#[test]
fn error_that_a_module_does_not_handle_is_its_message() {
    let Some(python) = python_with(&["ansible"]) else { return };
    let desk = Desk::with_tasks("    - boom:\n      ignore_errors: true\n    - missing:\n");
    let head = "from ansible.module_utils.basic import AnsibleModule\n";
    desk.write("library/boom.py", &format!("{head}AnsibleModule(argument_spec={{}})\nraise ValueError('broken 3')\n"));
    desk.write("library/missing.py", &format!("{head}import no_such_package\n"));
    let variable = format!("ansible_python_interpreter={python}");
    let says = ["Task failed: Module failed: broken 3", "pip install no_such_package"];
    desk.ends(&["site.yml", "--allow-python", "-e", &variable], 2, &says);
}

#[test]
fn package_that_a_module_passes_over_is_named_when_it_fails() {
    let Some(python) = python_with(&["ansible"]) else { return };
    let desk = Desk::with_tasks("    - lazy:\n");
    let module = "from ansible.module_utils.basic import AnsibleModule\ntry:\n    import no_such_package\n\
                  except ImportError:\n    pass\nno_such_package.VERSION\n";
    desk.write("library/lazy.py", module);
    let variable = format!("ansible_python_interpreter={python}");
    let says = ["NameError", "it imports what is not installed", "pip install no_such_package"];
    desk.ends(&["site.yml", "--allow-python", "-e", &variable], 2, &says);
}

#[test]
fn package_of_a_module_is_imported_once_for_all_later_tasks() {
    let Some(python) = python_with(&["ansible"]) else { return };
    let desk = Desk::with_tasks("    - greet:\n      loop: [1, 2, 3, 4, 5]\n");
    let import =
        "import os\nwith open(os.environ['IMPORTS'], 'a') as file:\n    file.write('imported\\n')\nNAME = 'x'\n";
    desk.write("packages/heavy.py", import);
    let module = "import heavy\nfrom ansible.module_utils.basic import AnsibleModule\n\
                  state = hasattr(heavy, 'used')\nheavy.used = True\n\
                  AnsibleModule(argument_spec={}).exit_json(said=heavy.NAME, failed=state)\n";
    desk.write("library/greet.py", module);
    let (packages, imports) = (desk.path().join("packages"), desk.path().join("imports"));
    let environment = format!("PYTHONPATH={} IMPORTS={}", packages.display(), imports.display());
    let wrapper = desk.write_program("python", &format!("#!/bin/sh\n{environment} exec {python} \"$@\"\n"));
    let variable = format!("ansible_python_interpreter={}", wrapper.display());
    desk.ends(&["site.yml", "--allow-python", "-e", &variable], 0, &["(item=5)"]);
    assert_eq!(std::fs::read_to_string(imports).unwrap().lines().count(), 2, "the first task, and all others");
}

#[test]
fn overlong_module_is_ended() {
    let Some(python) = python_with(&["ansible"]) else { return };
    let desk = Desk::with_tasks("    - slow:\n      timeout: 1\n");
    let module = "import time\nfrom ansible.module_utils.basic import AnsibleModule\n\
                  time.sleep(3)\nopen('late', 'w').close()\nAnsibleModule(argument_spec={}).exit_json()\n";
    desk.write("library/slow.py", module);
    let variable = format!("ansible_python_interpreter={python}");
    desk.ends(&["site.yml", "--allow-python", "-e", &variable], 2, &["failed=1"]);
    std::thread::sleep(std::time::Duration::from_secs(4));
    assert!(!desk.path().join("late").exists());
}
