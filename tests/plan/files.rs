//! Files, sections and pauses of which a plan cannot know what the real run makes.

use super::Desk;

#[test]
fn who_looks_at_what_would_be_changed_is_undetermined() {
    let desk = Desk::with_tasks(
        "    - name: write
      copy: {content: new, dest: there.txt}
    - name: look
      stat: {path: there.txt}
      register: looked
    - name: use
      debug: {msg: small}
      when: looked.stat.size < 4
    - name: read
      slurp: {src: ./there.txt}
    - name: look up
      debug: {msg: yes}
      when: lookup('file', playbook_dir ~ '/there.txt') == 'old'
    - name: test
      debug: {msg: yes}
      when: (playbook_dir ~ '/there.txt') is exists
    - name: edit
      lineinfile: {path: there.txt, line: more}
    - name: folder
      file: {path: made, state: directory}
    - name: into it
      copy: {content: x, dest: made/x}
    - name: from it
      slurp: {src: made/x}
    - name: other
      stat: {path: site.yml}
      register: other
    - name: known
      copy: {content: \"{{ other.stat.exists }}\", dest: other.txt}
",
    );
    desk.write("there.txt", "old");
    let (status, text) = desk.says(&["plan", "site.yml", "-o", "p"]);
    assert_eq!(status, 0, "{text}");
    let steps = |sign: &str| -> Vec<&str> {
        let lines = text.lines().filter_map(|line| line.strip_prefix(&format!("  {sign} task \"")));
        lines.map(|line| line.split('"').next().unwrap()).collect()
    };
    assert_eq!(steps("~"), ["write", "folder", "into it", "known"], "{text}");
    assert_eq!(steps("?"), ["look", "use", "read", "look up", "test", "edit", "from it"], "{text}");
    let place = desk.path().canonicalize().unwrap().join("there.txt");
    let why = format!("# waits for what task \"write\" makes of `{}`", place.display());
    assert!(text.contains(&why), "{text}");
    // What was undetermined may be done when the plan is applied.
    desk.ends(&["apply", "p", "--auto-approve"], 0, "Applied.");
    assert_eq!(desk.read("there.txt"), "new\nmore\n");
}

/// Check mode is that of the original: files are as they are.
#[test]
fn plain_check_mode_reads_what_is_there() {
    let desk = Desk::with_tasks(
        "    - copy: {content: new, dest: there.txt}
    - debug: {msg: \"it is {{ lookup('file', playbook_dir ~ '/there.txt') }}\"}
",
    );
    desk.write("there.txt", "old");
    desk.ends(&["--check", "site.yml"], 0, "it is old");
}

#[test]
fn a_rescue_that_may_be_gone_through_is_shown() {
    let desk = Desk::with_tasks(
        "    - registry: {name: fresh, location: de/fra}
    - block:
        - name: may fail
          command: \"false\"
        - registry_token: {registry: fresh, name: ci}
      rescue:
        - name: clean up
          registry_token: {registry: fresh, registry_token: ci, state: absent}
        - meta: end_play
      always:
        - name: always
          copy: {content: a, dest: always.txt}
    - block:
        - command: \"true\"
          ignore_errors: true
      rescue:
        - name: never
          debug: {msg: not shown}
    - name: after
      registry_token: {registry: fresh, name: after}
",
    );
    let (_, text) = desk.says(&["plan", "site.yml"]);
    for line in [
        "  + Registry Token after\n",
        "  ~ task \"always\" on localhost\n",
        "  ? task \"clean up\" on localhost\n      # waits for whether a task of the block fails\n",
        "Plan: 3 to create, 0 to update, 0 to replace, 0 to delete, 0 unchanged, 3 undetermined, 1 other change",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!text.contains("never"), "{text}");
    // Plain check mode is that of the original.
    let (_, text) = desk.says(&["--check", "site.yml"]);
    assert!(!text.contains("clean up"), "{text}");
}

#[test]
fn nobody_is_waited_for() {
    let desk = Desk::with_tasks(
        "    - pause: {minutes: 10}
    - pause: {prompt: Go on}
      register: answer
    - name: asked
      copy: {content: x, dest: x}
      when: answer.user_input == 'yes'
",
    );
    let begun = std::time::Instant::now();
    desk.ends(&["plan", "site.yml"], 0, "? task \"asked\" on localhost\n      # waits for `answer.user_input`");
    assert!(begun.elapsed() < std::time::Duration::from_secs(60));
}

/// Every module looks at files as earlier tasks of the plan would leave them.
#[test]
fn plan_of_tasks_that_read_what_earlier_ones_write_is_applied() {
    let cases: [(&str, &[&str], &str); 5] = [
        (
            "    - file: {path: marker, state: absent}
    - command: {cmd: touch built, creates: marker}
",
            &["command"],
            "built",
        ),
        (
            "    - file: {path: new, state: directory}
    - command: {cmd: touch x, chdir: new}
",
            &["command"],
            "new/x",
        ),
        (
            "    - copy: {dest: new.yml, content: 'flag: true'}
    - include_vars: new.yml
    - copy: {dest: out, content: x}
      when: flag
",
            &["include_vars", "copy"],
            "out",
        ),
        (
            "    - copy: {dest: new.yml, content: 'flag: true'}
    - include_vars: {file: new.yml, name: read}
    - copy: {dest: '{{ read.flag | ternary(\"yes\", \"no\") }}', content: x}
",
            &["include_vars", "copy"],
            "yes",
        ),
        (
            "    - file: {path: tree/sub, state: directory}
    - copy: {dest: tree/sub/f, content: x}
    - copy: {src: tree/, dest: tree2/}
    - assemble: {src: tree/sub, dest: whole, remote_src: false}
    - template: {src: tree/sub/f, dest: rendered}
",
            &["copy", "assemble", "template"],
            "rendered",
        ),
    ];
    for (tasks, undetermined, made) in cases {
        let desk = Desk::with_tasks(tasks);
        desk.write("marker", "");
        let (status, text) = desk.says(&["plan", "site.yml", "-o", "p"]);
        assert_eq!(status, 0, "{text}");
        let lines = text.lines().filter_map(|line| line.strip_prefix("  ? task \""));
        let found: Vec<&str> = lines.map(|line| line.split('"').next().unwrap()).collect();
        assert_eq!(found, undetermined, "{text}");
        desk.ends(&["apply", "p", "--auto-approve"], 0, "Applied.");
        assert!(desk.path().join(made).exists(), "{tasks}");
    }
}

/// The results of creations say more in the real run than in the plan; their items are the same.
#[test]
fn plan_of_a_loop_over_registered_results_is_applied() {
    let desk = Desk::with_tasks(
        "    - registry: {name: reg-a, location: de/fra}
    - registry_token: {registry: reg-a, name: '{{ item }}'}
      loop: [first, second]
      register: made
    - copy:
        dest: 'out-{{ item.item }}'
        content: '{{ item.registry_token.properties.credentials.password }}'
      loop: '{{ made.results }}'
      loop_control: {label: '{{ item.item }}'}
",
    );
    desk.ends(&["plan", "site.yml", "-o", "p"], 0, "3 to create");
    desk.ends(&["apply", "p", "--auto-approve"], 0, "Applied.");
    assert!(desk.read("out-first") != desk.read("out-second"));
}
