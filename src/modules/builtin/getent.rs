//! `getent`: entries of the databases of the system, as facts.

use indexmap::IndexMap;

use crate::host::{HostApi, HostCommand, RunError};
use crate::modules::outcome::ModuleEffect;
use crate::modules::spec::Param;
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::value::{Dict, Value};

static SPEC: Spec = Spec::new("ansible.builtin.getent", "Queries the system databases (users, groups, hosts, ..).")
    .examples(include_str!("examples/getent.yml"))
    .params(&[&[
        Param::str("database", "Name of the database (`passwd`, `group`, `hosts`, ..).").required(),
        Param::str("key", "Key of the entry; default: all entries."),
        Param::str("service", "Source to query."),
        Param::str("split", "Separator of fields; usually detected."),
        Param::bool("fail_key", "Fail if the entry does not exist.").default("true"),
    ]]);

/// Databases whose fields are separated by colons.
const COLONS: &[&str] = &["passwd", "shadow", "group", "gshadow"];

/// The module.
pub struct Getent;

impl TaskModule for Getent {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(query_database(args, context.host))
    }
}

async fn query_database(args: &ModuleArgs, host: &dyn HostApi) -> Result<ModuleOutcome, Failure> {
    let database = args.str("database").unwrap_or_default();
    let mut command = HostCommand::new(["getent", database]);
    command.words.extend(args.str("key").map(str::to_owned));
    if let Some(service) = args.str("service") {
        command.words.extend(["-s".to_owned(), service.to_owned()]);
    }
    let split = args.str("split").or(COLONS.contains(&database).then_some(":"));
    let output = host.run_query(&command).await.map_err(|error| match error {
        RunError::Start(error) => Failure::new(format!("Failed to find required executable \"getent\": {error}")),
        _ => Failure::new("the output of getent exceeds the limit"),
    })?;
    let found = |entries: Value| {
        let facts: Dict = [(Value::text(format!("getent_{database}")), entries)].into_iter().collect();
        ModuleOutcome::default().with("ansible_facts", facts.clone()).with_effect(ModuleEffect::Facts(facts))
    };
    match output.rc {
        0 => Ok(found(parse_entries(&String::from_utf8_lossy(&output.stdout), split))),
        1 => Err(Failure::new("Missing arguments, or database unknown.")),
        2 => {
            let message = "One or more supplied key could not be found in the database.";
            match args.str("key") {
                Some(key) if !args.bool("fail_key") => {
                    Ok(found(Value::dict([(key, Value::Null)])).with("msg", message))
                }
                _ => Err(Failure::new(message)),
            }
        }
        3 => Err(Failure::new("Enumeration not supported on this database.")),
        _ => Err(Failure::new("Unexpected failure!")),
    }
}

/// The entries by their first fields; of several with one key a list is made.
fn parse_entries(text: &str, split: Option<&str>) -> Value {
    let mut found: IndexMap<&str, Vec<Value>> = IndexMap::new();
    for line in text.lines() {
        let fields: Vec<&str> = match split {
            Some(split) if !split.is_empty() => line.split(split).collect(),
            _ => line.split_whitespace().collect(),
        };
        if let Some((key, rest)) = fields.split_first() {
            found.entry(key).or_default().push(Value::list(rest.iter().map(|field| Value::text(*field))));
        }
    }
    Value::dict(found.into_iter().map(|(key, mut entries)| match entries.len() {
        1 => (key, entries.remove(0)),
        _ => (key, Value::list(entries)),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::builtin::testing::{Bench, yaml};

    #[test]
    fn entries_have_keys_and_fields() {
        assert_eq!(parse_entries("root:x:0:\nb:y\n", Some(":")), yaml("{root: [x, '0', ''], b: [y]}"));
        let hosts = "127.0.0.1   a b\n::1 c\n127.0.0.1 d\n";
        assert_eq!(parse_entries(hosts, None), yaml("{127.0.0.1: [[a, b], [d]], '::1': [c]}"));
    }

    #[test]
    fn the_system_is_asked() {
        let bench = Bench { check: true, ..Bench::new("") };
        let facts = bench.gives(&Getent, "{database: passwd, key: root}", "ansible_facts");
        let root = facts.member_at("getent_passwd.root").and_then(Value::as_slice).unwrap();
        assert_eq!((root.len(), &root[1]), (6, &"0".into()));
        let none = bench.gives(&Getent, "{database: passwd, key: no_such_x, fail_key: false}", "ansible_facts");
        assert_eq!(none, yaml("{getent_passwd: {no_such_x: null}}"));
        let missing = bench.fails(&Getent, "{database: passwd, key: no_such_x}");
        assert_eq!(missing, "One or more supplied key could not be found in the database.");
        assert_eq!(bench.fails(&Getent, "database: no_such_db"), "Missing arguments, or database unknown.");
    }
}
