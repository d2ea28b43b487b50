//! The JSON Schema of `gitops.yml`, for editors. It stands beside the reader, whose tables of keys and words it uses.

use serde_json::{Map, Value as Json, json};

use super::{TOP, forge, job, notify};

/// Keys of a job whose values are one text or a list of texts.
const TEXT_LISTS: &[&str] =
    &["playbook", "inventory", "tags", "skip_tags", "extra_vars_files", "vault_ids", "depends_on", "notify", "runs_on"];

/// Returns the schema of the file.
pub fn gitops_schema() -> Json {
    let mut job = job_schema();
    let defaults = job.clone();
    // What a job lacks may stand in `defaults`, except its repository, which is rarely shared.
    job["description"] = "A repository, a playbook, when and how.".into();
    let properties: Map<String, Json> = TOP.iter().map(|key| ((*key).to_owned(), top_property(key))).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ionplay gitops",
        "type": "object",
        "properties": properties,
        "required": ["version", "jobs"],
        "additionalProperties": false,
        "$defs": {
            "job": job,
            "defaults": defaults,
            "duration": {"type": "string", "pattern": "^([0-9]+[smhd])+$", "description": "A number and its unit: `30s`, `5m`, `2h` or `7d`."},
            "texts": {"anyOf": [{"$ref": "#/$defs/text"}, {"type": "array", "items": {"$ref": "#/$defs/text"}}]},
            "text": {"type": ["string", "number"]},
            "secret": {
                "type": "object",
                "properties": {"file": {"type": "string"}, "env": {"type": "string"}},
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": false,
                "description": "A file or an environment variable that holds the secret.",
            },
        },
    })
}

fn reference(name: &str) -> Json {
    json!({"$ref": format!("#/$defs/{name}")})
}

/// A mapping with these keys and no others.
fn mapping(properties: Json, required: &[&str]) -> Json {
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn top_property(key: &str) -> Json {
    let text = |about: &str| json!({"type": "string", "description": about});
    match key {
        "version" => json!({"enum": [1, "1"], "description": "Version of the format."}),
        "host" => text("Name of this machine among several; by default the host's name."),
        "state_dir" => text("Folder of the state of jobs."),
        "seal_key_file" => text("File with the key that seals one-time passwords."),
        "store" => json!({"anyOf": [
            {"const": "files"},
            mapping(json!({"postgres": mapping(json!({
                "url": reference("secret"), "url_file": {"type": "string"}, "lease": reference("duration"),
            }), &[])}), &["postgres"]),
        ], "description": "Where the state is: files, or a database that several machines share."}),
        "server" => mapping(
            json!({
                "listen": text("`127.0.0.1:8470` or `unix:/run/ionplay/gitops.sock`."),
                "token": reference("secret"),
                "token_file": {"type": "string"},
                "public_url": {"type": "string", "pattern": "^https?://"},
            }),
            &[],
        ),
        "defaults" => reference("defaults"),
        "jobs" => json!({
            "type": "object",
            "propertyNames": {"pattern": "^[A-Za-z0-9_-][A-Za-z0-9._-]*$"},
            "additionalProperties": reference("job"),
            "minProperties": 1,
        }),
        "notify" => json!({"type": "object", "additionalProperties": notifier_schema()}),
        _ => json!({}),
    }
}

fn notifier_schema() -> Json {
    mapping(
        json!({
            "type": {"enum": notify::type_names()},
            "url": reference("secret"),
            "url_file": {"type": "string"},
            "token": reference("secret"),
            "token_file": {"type": "string"},
            "on": {"anyOf": [
                {"enum": notify::occasion_names()},
                {"type": "array", "items": {"enum": notify::occasion_names()}},
            ]},
            "remind": reference("duration"),
        }),
        &["type"],
    )
}

fn job_schema() -> Json {
    let properties: Map<String, Json> = job::KEYS.iter().map(|key| ((*key).to_owned(), job_property(key))).collect();
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}

fn job_property(key: &str) -> Json {
    let modes = |words: &[&str], mapping: Json| json!({"anyOf": [{"enum": words}, {"const": false}, mapping]});
    let duration = || reference("duration");
    match key {
        "git" => git_schema(),
        "forge" => mapping(
            json!({
                "type": {"enum": forge::type_names()},
                "api_url": {"type": "string"},
                "repository": {"type": "string"},
                "token": reference("secret"),
                "token_file": {"type": "string"},
                "status": {"type": "boolean"},
                "comment": {"type": "boolean"},
            }),
            &["type"],
        ),
        "hook" => mapping(
            json!({"secret_file": reference("texts"), "secret": reference("secret"), "type": {"enum": job::HOOK_TYPES}}),
            &[],
        ),
        "extra_vars" => json!({"type": "object"}),
        "environment" => json!({"type": "object", "additionalProperties": {"anyOf": [
            {"type": ["string", "number", "boolean", "null"]}, reference("secret"),
        ]}}),
        "mode" => json!({"enum": ["plan", "direct"]}),
        "poll" | "timeout" => duration(),
        "drift" => modes(
            &["report", "correct", "off"],
            mapping(
                json!({
                    "every": duration(),
                    "mode": {"enum": ["report", "correct", "off", false]},
                    "ignore": reference("texts"),
                }),
                &[],
            ),
        ),
        "expiry" => json!({"anyOf": [duration(), mapping(json!({"before": duration()}), &["before"])]}),
        "retry" => mapping(json!({"first": duration(), "max": duration()}), &[]),
        "approve" => json!({"anyOf": [
            {"enum": ["auto", "manual"]},
            mapping(json!({"after": duration()}), &["after"]),
            mapping(
                json!({"manual_if": {"type": ["array", "string"], "items": {
                    "enum": ["create", "update", "replace", "delete", "undetermined"],
                }}}),
                &["manual_if"],
            ),
        ]}),
        "prune" => modes(
            &["off", "report", "disable", "delete"],
            mapping(json!({"mode": {"enum": ["off", "report", "disable", "delete", false]}, "grace": duration()}), &[]),
        ),
        "keep_runs" => json!({"type": "integer", "minimum": 1}),
        "suspend" => json!({"type": "boolean"}),
        _ if TEXT_LISTS.contains(&key) => reference("texts"),
        _ => reference("text"),
    }
}

fn git_schema() -> Json {
    let text = || json!({"type": "string"});
    let verify = json!({"anyOf": [
        mapping(json!({"allowed_signers": text(), "revoked_signers": text()}), &["allowed_signers"]),
        mapping(json!({"pgp_fingerprints": reference("texts"), "keyring": text()}), &["pgp_fingerprints", "keyring"]),
    ]});
    mapping(
        json!({
            "url": {"type": "string", "description": "https, ssh, file, or a path."},
            "branch": reference("text"),
            "tag": reference("text"),
            "path": text(),
            "username": text(),
            "password": reference("secret"),
            "password_file": text(),
            "ssh_key_file": text(),
            "known_hosts_file": text(),
            "verify": verify,
            "allow_rewrite": {"type": "boolean"},
        }),
        &["url"],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_a_job_and_of_git_is_described() {
        let schema = gitops_schema();
        for key in job::KEYS {
            assert!(schema["$defs"]["job"]["properties"][key].is_object(), "{key}");
        }
        for key in super::super::git::KEYS {
            assert!(schema["$defs"]["job"]["properties"]["git"]["properties"][key].is_object(), "{key}");
        }
        for key in TOP {
            assert_ne!(schema["properties"][key], json!({}), "{key}");
        }
    }
}
