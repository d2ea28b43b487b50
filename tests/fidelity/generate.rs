//! Worlds and playbooks from a seed.

use std::fmt::Write as _;

use crate::dice::Dice;

/// A world and a playbook.
pub struct Case {
    /// What the account holds.
    pub seed: String,
    /// What is run.
    pub playbook: String,
    /// Each object is the business of one task, so that a second run has nothing to do.
    pub converges: bool,
}

const REGISTRIES: [&str; 4] = ["alpha", "beta", "gamma", "delta"];
const TOKENS: [&str; 6] = ["ci", "cd", "deploy", "backup", "audit", "robot"];
const LOCATIONS: [&str; 3] = ["de/fra", "de/txl", "es/vit"];
const EXPIRIES: [&str; 5] = ["2098-01-01T00:00:00Z", "2099-01-01 01:00:00+01:00", "2099-01-01", "+30d", "never"];
const SCOPES: [&str; 4] = [
    "[]",
    r#"[{"type": "repository", "name": "*", "actions": ["pull"]}]"#,
    r#"[{"type": "repository", "name": "*", "actions": ["push", "pull", "pull"]}]"#,
    r#"[{"type": "repository", "name": "a", "actions": ["pull"]}, {"type": "registry", "name": "*", "actions": ["list"]}]"#,
];

impl Case {
    /// The case of a seed.
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 0x5eed);
        let world = world(&mut dice);
        let converges = dice.one_in(3);
        let playbook = if converges { convergent(&mut dice) } else { wild(&mut dice) };
        Self { seed: world, playbook, converges }
    }

    /// A case that was written down: the world as a comment in the first line, then the playbook.
    pub fn kept(text: &str) -> Self {
        let (world, playbook) = text.split_once('\n').expect("a world and a playbook");
        let seed = world.strip_prefix("# ").expect("the world in a comment").to_owned();
        Self { seed, playbook: playbook.to_owned(), converges: false }
    }
}

fn world(dice: &mut Dice) -> String {
    let mut registries = Vec::new();
    for name in REGISTRIES {
        if dice.one_in(2) {
            continue;
        }
        let mut tokens = Vec::new();
        for token in TOKENS {
            if dice.one_in(2) {
                continue;
            }
            let mut fields = format!(r#"{{"name": "{token}""#);
            if dice.one_in(3) {
                fields.push_str(r#", "status": "disabled""#);
            }
            if dice.one_in(3) {
                fields.push_str(r#", "expiryDate": "2099-01-01T00:00:00Z""#);
            }
            if dice.one_in(2) {
                let _ = write!(fields, r#", "scopes": {}"#, dice.pick(&SCOPES));
            }
            fields.push('}');
            tokens.push(fields);
        }
        if dice.one_in(12) {
            tokens.extend((0..120).map(|n| format!(r#"{{"name": "many-{n:03}"}}"#)));
        }
        let schedule = match dice.below(3) {
            0 => r#", "garbageCollectionSchedule": {"days": ["Monday"], "time": "01:00:00+00:00"}"#,
            _ => "",
        };
        registries.push(format!(
            r#"{{"name": "{name}", "location": "{}", "tokens": [{}], "repositories": [{{"name": "app"}}, {{"name": "a/b"}}]{schedule}}}"#,
            dice.pick(&LOCATIONS),
            tokens.join(", ")
        ));
    }
    if dice.one_in(25) {
        registries.extend((0..105).map(|n| format!(r#"{{"name": "many-{n:03}"}}"#)));
    }
    format!(r#"{{"registries": [{}]}}"#, registries.join(", "))
}

/// A play with numbered tasks that go on after failures.
struct Play {
    text: String,
    tasks: usize,
    indent: &'static str,
}

/// Ends the tasks of every play. Handlers of registry objects are what a changed task may bring about.
const HANDLERS: &str = "  handlers:
  - {name: h0, registry_token: {registry: alpha, name: handled}}
  - {name: h1, debug: {msg: said}}
";

impl Play {
    fn new() -> Self {
        Self {
            text: "- hosts: localhost\n  gather_facts: false\n  ignore_errors: true\n  tasks:\n".to_owned(),
            tasks: 0,
            indent: "  ",
        }
    }

    /// Adds a task; gives the name that it registers.
    fn task(&mut self, module: &str, args: &str, extra: &str) -> String {
        let register = format!("r{}", self.tasks);
        let (indent, number) = (self.indent, self.tasks);
        let _ = writeln!(self.text, "{indent}- {{name: t{number}, {module}: {{{args}}}, register: {register}{extra}}}");
        self.tasks += 1;
        register
    }

    /// Opens a section of a block.
    fn section(&mut self, name: &str) {
        if name == "block" {
            self.text.push_str("  - ignore_errors: false\n");
            self.indent = "    ";
        }
        let _ = writeln!(self.text, "    {name}:");
    }
}

fn fields(dice: &mut Dice) -> String {
    let mut text = String::new();
    if dice.one_in(2) {
        let _ = write!(text, ", status: {}", dice.pick(&["enabled", "disabled"]));
    }
    if dice.one_in(2) {
        let _ = write!(text, ", expiry_date: \"{}\"", dice.pick(&EXPIRIES));
    }
    if dice.one_in(2) {
        let _ = write!(text, ", scopes: {}", dice.pick(&SCOPES));
    }
    text
}

fn registry_fields(dice: &mut Dice) -> String {
    let mut text = String::new();
    if dice.one_in(3) {
        text.push_str(r#", garbage_collection_schedule: {days: [Sunday, Monday], time: "02:00:00+00:00"}"#);
    }
    if dice.one_in(3) {
        text.push_str(", features: {vulnerability_scanning: {enabled: true}}");
    }
    if dice.one_in(4) {
        text.push_str(r#", api_subnet_allow_list: ["10.0.0.0/8"]"#);
    }
    if dice.one_in(3) {
        text.push_str(", allow_replace: true");
    }
    text
}

/// Each object once, nothing that depends on what was done.
fn convergent(dice: &mut Dice) -> String {
    let mut play = Play::new();
    for name in REGISTRIES {
        match dice.below(4) {
            0 => _ = play.task("registry", &format!("registry: {name}, state: absent"), ""),
            1 => continue,
            _ => {
                let place = dice.pick(&LOCATIONS);
                let more = registry_fields(dice);
                let made = play.task("registry", &format!("name: {name}, location: {place}{more}"), "");
                let by = if dice.one_in(2) {
                    format!("\"{{{{ {made}.registry.id | default('{name}') }}}}\"")
                } else {
                    name.to_owned()
                };
                for token in TOKENS {
                    if dice.one_in(2) {
                        continue;
                    }
                    let more = fields(dice);
                    let state = if dice.one_in(4) { "absent" } else { "present" };
                    let args = match state {
                        "absent" => format!("registry: {by}, registry_token: {token}, state: absent"),
                        _ => format!("registry: {by}, name: {token}{more}"),
                    };
                    play.task("registry_token", &args, "");
                }
            }
        }
    }
    play.task("registry_info", "", "");
    play.text
}

/// Anything after anything.
fn wild(dice: &mut Dice) -> String {
    let mut play = Play::new();
    let mut known: Vec<String> = Vec::new();
    for _ in 0..2 + dice.below(9) {
        let extra = condition(dice, &known) + &consequences(dice, play.tasks);
        let registry = match dice.below(4) {
            0 if !known.is_empty() => {
                let made = &known[dice.below(known.len())];
                format!("\"{{{{ {made}.registry.id | default('alpha') }}}}\"")
            }
            _ => dice.pick(&REGISTRIES).to_owned(),
        };
        let token = dice.pick(&TOKENS);
        let register = match dice.below(18) {
            0 | 1 => {
                let (name, place, more) = (dice.pick(&REGISTRIES), dice.pick(&LOCATIONS), registry_fields(dice));
                play.task("registry", &format!("name: {name}, location: {place}{more}"), &extra)
            }
            2 => play.task("registry", &format!("registry: {registry}, state: absent"), &extra),
            3 | 4 => {
                let more = fields(dice);
                play.task("registry_token", &format!("registry: {registry}, name: {token}{more}"), &extra)
            }
            5 => {
                let more = fields(dice);
                let args = format!("registry: {registry}, registry_token: {token}, state: update{more}");
                play.task("registry_token", &args, &extra)
            }
            6 => {
                let (new, may) = (dice.pick(&TOKENS), if dice.one_in(3) { "false" } else { "true" });
                let args = format!(
                    "registry: {registry}, registry_token: {token}, name: {new}, state: update, allow_replace: {may}"
                );
                play.task("registry_token", &args, &extra)
            }
            7 => {
                let args = format!("registry: {registry}, registry_token: {token}, state: absent");
                play.task("registry_token", &args, &extra)
            }
            8 => {
                let more = fields(dice);
                let extra = format!("{extra}, loop: [ci, cd, \"{token}\"]");
                play.task("registry_token", &format!("registry: {registry}, name: \"{{{{ item }}}}\"{more}"), &extra)
            }
            9 => {
                // What is listed is removed, planned or not.
                let list = play.task("registry_token_info", &format!("registry: {registry}"), "");
                let extra = format!(
                    ", loop: \"{{{{ ({list}.registry_tokens | default([]))[:3] }}}}\", loop_control: {{label: x}}"
                );
                let by = if dice.one_in(2) { "item.id" } else { "item.properties.name" };
                let args = format!("registry: {registry}, registry_token: \"{{{{ {by} }}}}\", state: absent");
                play.task("registry_token", &args, &extra)
            }
            10 => {
                let name = dice.pick(&["app", "app", "none", "a/b"]);
                play.task("registry_repository", &format!("registry: {registry}, repository: {name}"), &extra)
            }
            11 => block(dice, &mut play, &registry, token),
            12 if !known.is_empty() => {
                // A fact that may be unknown, and what is named by it.
                let made = &known[dice.below(known.len())];
                let part = dice.pick(&["registry_token.id", "registry.id", "registry_token.properties.name"]);
                play.task("set_fact", &format!("fact: \"{{{{ {made}.{part} | default('{token}') }}}}\""), &extra);
                let args =
                    format!("registry: {registry}, registry_token: \"{{{{ fact | default('ci') }}}}\", state: absent");
                play.task("registry_token", &args, "")
            }
            13 => {
                let filter = dice.pick(&[
                    "properties.status: enabled",
                    "properties.name: ci",
                    "properties.name: nobody",
                    "properties.credentials.username: cd",
                ]);
                let list =
                    play.task("registry_token_info", &format!("registry: {registry}, filters: {{{filter}}}"), &extra);
                let more = format!(", when: \"{list}.registry_tokens | default([]) | length > 0\"");
                play.task("registry_token", &format!("registry: {registry}, name: {token}, status: enabled"), &more)
            }
            14 => {
                let filter =
                    dice.pick(&["properties.name: alpha", "properties.location: de/fra", "metadata.state: Running"]);
                let list = play.task("registry_info", &format!("filters: {{{filter}}}"), &extra);
                let extra =
                    format!(", loop: \"{{{{ {list}.registries | default([]) }}}}\", loop_control: {{label: x}}");
                play.task("registry_token", &format!("registry: \"{{{{ item.id }}}}\", name: {token}"), &extra)
            }
            15 => {
                let of = known.get(dice.below(known.len().max(1))).map_or("nothing", String::as_str);
                let file = match dice.below(3) {
                    0 => "@DIR@/a.yml".to_owned(),
                    1 => format!("@DIR@/{{{{ 'a' if {of} is changed else 'b' }}}}.yml"),
                    _ => format!(
                        "@DIR@/{{{{ 'a' if ({of}.registry_token.id | default('0'))[0] in '01234567' else 'b' }}}}.yml"
                    ),
                };
                play.task("include_tasks", &format!("file: \"{file}\""), &condition(dice, &known))
            }
            16 => {
                let list = play.task("registry_repository_info", &format!("registry: {registry}"), &extra);
                let by = format!(
                    "\"{{{{ ({list}.registry_repositories | default([]) | first | default({{}})).id | default('app') }}}}\""
                );
                play.task("registry_repository", &format!("registry: {registry}, repository: {by}, state: absent"), "")
            }
            _ => {
                let list = play.task("registry_token_info", &format!("registry: {registry}"), &extra);
                let more = format!(", when: \"({list}.registry_tokens | default([]) | length) > 2\"");
                play.task("registry_token", &format!("registry: {registry}, name: {token}"), &more)
            }
        };
        known.push(register);
    }
    play.text + HANDLERS
}

/// Something that may fail, and what is done then and in any case.
fn block(dice: &mut Dice, play: &mut Play, registry: &str, token: &str) -> String {
    play.section("block");
    let more = fields(dice);
    let made = play.task("registry_token", &format!("registry: {registry}, name: {token}{more}"), "");
    let extra = match dice.below(3) {
        0 => format!(", failed_when: {made} is changed"),
        1 => format!(", failed_when: \"({made}.registry_token.id | default('0'))[0] in '01234567'\""),
        _ => String::new(),
    };
    let new = dice.pick(&TOKENS);
    let args = format!("registry: {registry}, registry_token: {token}, name: {new}, state: update");
    play.task("registry_token", &args, &extra);
    play.section("rescue");
    play.task("registry_token", &format!("registry: {registry}, registry_token: {new}, state: absent"), "");
    play.section("always");
    let last = play.task("registry_token_info", &format!("registry: {registry}"), "");
    play.indent = "  ";
    last
}

/// What is made of the result of the task with this number.
fn consequences(dice: &mut Dice, number: usize) -> String {
    let first = format!("(r{number}.registry_token.id | default('0'))[0] in '01234567'");
    match dice.below(14) {
        0 => ", notify: h0".to_owned(),
        1 => ", notify: [h1]".to_owned(),
        2 => format!(", changed_when: r{number} is failed, notify: h1"),
        3 => format!(", changed_when: \"{first}\", notify: h0"),
        4 => format!(", failed_when: r{number} is changed"),
        5 => format!(", failed_when: \"{first}\""),
        6 => format!(", until: r{number} is not changed, retries: 2, delay: 0"),
        7 => format!(", until: \"{first}\", retries: 1, delay: 0"),
        _ => String::new(),
    }
}

/// A condition on something that was registered before.
fn condition(dice: &mut Dice, known: &[String]) -> String {
    if known.is_empty() || !dice.one_in(4) {
        return String::new();
    }
    let of = &known[dice.below(known.len())];
    let text = match dice.below(8) {
        0 => format!("{of} is changed"),
        1 => format!("{of} is failed"),
        2 => format!("{of} is not skipped"),
        3 => format!("{of}.registry_token is defined"),
        4 => format!("{of}.registry_token.properties.status | default('enabled') == 'enabled'"),
        5 => format!("({of}.registry_token.id | default('x')) is defined"),
        // The server gives the first digit.
        6 => format!("({of}.registry_token.id | default('0'))[0] in '01234567'"),
        _ => format!("{of} is changed or ({of}.registry.id | default('0'))[0] in '01234567'"),
    };
    format!(", when: \"{text}\"")
}
