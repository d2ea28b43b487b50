//! Values that modules return, besides those of every task.

use crate::modules::Spec;

/// Rows of the values of a module: key and sentence.
type Rows = &'static [(&'static str, &'static str)];

const COMMAND: Rows = &[
    ("cmd", "the command that was run"),
    ("rc", "exit status"),
    ("stdout", "standard output"),
    ("stdout_lines", "standard output, a list of lines"),
    ("stderr", "standard error"),
    ("stderr_lines", "standard error, a list of lines"),
    ("start", "when it began"),
    ("end", "when it ended"),
    ("delta", "how long it took"),
];

const WRITTEN_FILE: Rows = &[
    ("dest", "path of the file"),
    ("checksum", "SHA-1 checksum of the content"),
    ("mode", "permissions, such as `0644`"),
    ("owner", "owner"),
    ("group", "group"),
    ("uid", "number of the owner"),
    ("gid", "number of the group"),
    ("size", "size in bytes"),
    ("state", "`file`, `directory`, `link`, .."),
    ("backup_file", "path of the copy of the old file, with `backup`"),
];

const EDITED_FILE: Rows = &[
    ("msg", "what was done in a few words"),
    ("backup", "path of the copy of the old file, with `backup`; empty otherwise"),
    ("diff", "what changed, with `--diff`"),
];

const FACTS: Rows = &[("ansible_facts", "the variables that were set, by name")];

/// Values by the short name of the module.
const BUILTIN: &[(&str, Rows)] = &[
    ("add_host", &[("add_host", "the host with its groups and variables")]),
    (
        "archive",
        &[
            ("dest", "path of the archive"),
            ("archived", "paths that it holds"),
            ("missing", "paths that were not there"),
            ("state", "`absent`, `incomplete`, `archive` or `compress`"),
        ],
    ),
    ("assemble", WRITTEN_FILE),
    (
        "assert",
        &[
            ("msg", "the message of success or failure"),
            ("assertion", "the condition that did not hold"),
            ("evaluated_to", "its value"),
        ],
    ),
    (
        "async_status",
        &[
            ("ansible_job_id", "id of the job"),
            ("finished", "1 when the job has ended"),
            ("started", "1 when the job has begun"),
            ("results_file", "file of its result"),
        ],
    ),
    ("blockinfile", EDITED_FILE),
    ("command", COMMAND),
    ("copy", WRITTEN_FILE),
    ("debug", &[("msg", "the text, or the value under the name of `var`")]),
    ("fail", &[("msg", "the message")]),
    ("fetch", &[("dest", "path of the copy"), ("checksum", "SHA-1 checksum of it"), ("md5sum", "MD5 checksum of it")]),
    (
        "file",
        &[
            ("path", "the path"),
            ("dest", "the path of a link"),
            ("mode", "permissions"),
            ("owner", "owner"),
            ("group", "group"),
            ("state", "what it is now"),
            ("size", "size in bytes"),
        ],
    ),
    (
        "find",
        &[
            ("files", "what was found, a list of mappings as those of `stat`"),
            ("matched", "how many were found"),
            ("examined", "how many were looked at"),
            ("skipped_paths", "paths that could not be read, with the reason"),
        ],
    ),
    ("gather_facts", FACTS),
    (
        "get_url",
        &[
            ("dest", "path of the file"),
            ("url", "address after redirects"),
            ("status_code", "status of the answer"),
            ("checksum_src", "checksum of what was received"),
            ("checksum_dest", "checksum of the file before"),
            ("elapsed", "seconds that it took"),
        ],
    ),
    ("getent", FACTS),
    (
        "git",
        &[
            ("before", "commit before"),
            ("after", "commit afterwards"),
            ("remote_url_changed", "whether the address of the remote was changed"),
        ],
    ),
    ("group_by", &[("add_group", "name of the group"), ("parent_groups", "groups above it")]),
    (
        "include_vars",
        &[("ansible_facts", "the variables that were read"), ("ansible_included_var_files", "files that were read")],
    ),
    (
        "ini_file",
        &[
            ("msg", "what was done in a few words"),
            ("path", "path of the file"),
            ("backup_file", "path of the copy of the old file, with `backup`"),
        ],
    ),
    ("lineinfile", EDITED_FILE),
    (
        "pause",
        &[
            ("user_input", "what was typed"),
            ("start", "when it began"),
            ("stop", "when it ended"),
            ("delta", "seconds that it took"),
            ("stdout", "the pause in words"),
        ],
    ),
    ("ping", &[("ping", "`pong`, or the value of `data`")]),
    (
        "raw",
        &[
            ("rc", "exit status"),
            ("stdout", "standard output"),
            ("stdout_lines", "standard output, a list of lines"),
            ("stderr", "standard error"),
            ("stderr_lines", "standard error, a list of lines"),
        ],
    ),
    ("read_csv", &[("list", "rows as mappings; without `key`"), ("dict", "rows as mappings by the value of `key`")]),
    ("replace", EDITED_FILE),
    ("script", COMMAND),
    ("service_facts", FACTS),
    ("set_fact", FACTS),
    ("set_stats", &[("ansible_stats", "the numbers, as they are added up")]),
    ("setup", FACTS),
    ("shell", COMMAND),
    ("slurp", &[("content", "the content, in Base64"), ("encoding", "`base64`"), ("source", "path of the file")]),
    (
        "stat",
        &[(
            "stat",
            "mapping with `exists`, `isdir`, `islnk`, `isreg`, `mode`, `size`, `mtime`, `checksum`, `pw_name`, ..",
        )],
    ),
    ("tempfile", &[("path", "path of the file or folder"), ("state", "`file` or `directory`")]),
    ("template", WRITTEN_FILE),
    (
        "unarchive",
        &[
            ("dest", "folder"),
            ("src", "archive"),
            ("handler", "kind of archive"),
            ("files", "paths in it, with `list_files`"),
        ],
    ),
    (
        "uri",
        &[
            ("status", "status of the answer"),
            ("url", "address after redirects"),
            ("json", "content of a JSON answer"),
            ("content", "body, with `return_content`"),
            ("msg", "status in words"),
            ("elapsed", "seconds that it took"),
            ("redirected", "whether there was a redirect"),
        ],
    ),
    (
        "validate_argument_spec",
        &[
            ("msg", "the result in words"),
            ("validate_args_context", "the role and the entry point"),
            ("argument_errors", "what is wrong, a list"),
        ],
    ),
    (
        "wait_for",
        &[
            ("elapsed", "seconds that it took"),
            ("state", "the state that was awaited"),
            ("port", "the port"),
            ("path", "the path"),
            ("match_groups", "groups of `search_regex`"),
            ("match_groupdict", "named groups of it"),
        ],
    ),
    ("wait_for_connection", &[("elapsed", "seconds that it took")]),
];

/// Lists the values that a module returns.
pub fn returned_values(spec: &Spec) -> Vec<(&'static str, String)> {
    let mut rows = vec![("changed", "whether anything was changed, or would be under `--check`".to_owned())];
    let Some(key) = spec.returns else {
        let own = BUILTIN.iter().find(|(name, _)| *name == spec.short_name()).map_or(&[][..], |(_, rows)| rows);
        rows.extend(own.iter().map(|(name, about)| (*name, (*about).to_owned())));
        return rows;
    };
    if spec.states.is_empty() {
        rows.push((key, "what was found, a list".to_owned()));
        return rows;
    }
    rows.push(("action", "what was done: `create`, `update`, `replace`, `delete` or nothing".to_owned()));
    rows.push((key, "the object afterwards, with all keys of the API in snake case".to_owned()));
    if spec.short_name() == "registry_token" {
        let password = "where the one-time password is: `pending` (no task has used it yet), `kept` (in the credential store), \
                        `delivered`; without the key, nothing is known of a password";
        let recovered = "`true` if an earlier run created the token and did not end well; this result has its password";
        rows.extend([("password", password.to_owned()), ("recovered", recovered.to_owned())]);
    }
    rows.push(("diff", "what changed, with `--diff`".to_owned()));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::MODULES;

    #[test]
    fn every_module_has_values_and_every_row_a_module() {
        for spec in MODULES.iter().map(|module| module.module_spec()) {
            assert!(returned_values(spec).len() > 1, "{}", spec.name);
        }
        for (name, _) in BUILTIN {
            assert!(
                crate::modules::find_module(name).is_some()
                    || MODULES.iter().any(|module| module.module_spec().short_name() == *name),
                "{name}"
            );
        }
    }
}
