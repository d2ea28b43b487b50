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
