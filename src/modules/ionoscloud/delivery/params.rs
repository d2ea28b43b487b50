//! The parameters of deliveries and rotations: `credentials` and `rotate`. Additions of ours.

use crate::modules::spec::{Param, ParamKind};

/// The formats that every sink knows.
const FORMATS: &[&str] = &["plain", "username", "dotenv", "json", "template", "docker_config"];

/// The formats of a command.
const COMMAND_FORMATS: &[&str] =
    &["plain", "username", "dotenv", "json", "template", "docker_config", "kubernetes_manifest"];

const PREFIX: Param = Param::str("prefix", "With format `dotenv`: prefix of the variable names.").default("REGISTRY_");

const TEMPLATE: Param = Param::str(
    "template",
    "With format `template`: a template file, searched as by `ansible.builtin.template`. Its variables are `server`, \
     `username`, `password`, `token_id` and `expires`.",
);

const fn format_param(choices: &'static [&'static str]) -> Param {
    Param::str(
        "format",
        "`plain` is only the password, `username` only the user name; `dotenv` and `json` contain server, user name and \
         password.",
    )
    .default("plain")
    .choices(choices)
}

const MODE: Param =
    Param::new("mode", ParamKind::Raw, "Permissions, octal; others must not have read access.").default("0600");

const MANIFEST_NAME: Param = Param::str("name", "Name of the secret.");
const NAMESPACE: Param = Param::str("namespace", "Namespace of the secret; omitted by default.");
const LABELS: Param = Param::new("labels", ParamKind::Raw, "Labels of the secret, a mapping.");
const ANNOTATIONS: Param = Param::new("annotations", ParamKind::Raw, "Annotations of the secret, a mapping.");

const FILE: &[Param] = &[
    Param::path("path", "Path of the file. Missing folders are created with mode 0700; a link is refused.").required(),
    MODE,
    format_param(FORMATS),
    PREFIX,
    TEMPLATE,
];

const DOCKER_CONFIG: &[Param] = &[Param::path(
    "path",
    "Path of the file; default: `config.json` in `$DOCKER_CONFIG`, or in `~/.docker`. Other entries and the formatting are kept.",
)];

const KUBERNETES_MANIFEST: &[Param] = &[
    Param::path("path", "Path of the file.").required(),
    MODE,
    MANIFEST_NAME.required(),
    NAMESPACE,
    LABELS,
    ANNOTATIONS,
];

const COMMAND: &[Param] = &[
    Param::list("argv", &ParamKind::Str, "The program and its arguments, without a shell."),
    Param::str("cmd", "The program and its arguments as one line, split as in a shell."),
    Param::path("chdir", "Working folder of the command."),
    format_param(COMMAND_FORMATS),
    PREFIX,
    TEMPLATE,
    Param::new(
        "manifest",
        ParamKind::Dict(&[MANIFEST_NAME.required(), NAMESPACE, LABELS, ANNOTATIONS]),
        "With format `kubernetes_manifest`: the secret.",
    ),
    Param::int("timeout", "Seconds after which the command is stopped and fails.").default("60"),
];

const GITHUB_SECRET: &[Param] = &[
    Param::str("repository", "Repository, as `owner/name`.").required(),
    Param::str("name", "Name of the secret.").required(),
    Param::str("environment", "Environment of the secret; default: all workflows."),
    format_param(FORMATS),
    PREFIX,
    TEMPLATE,
    Param::str("api_url", "Base URL of the API.").env("GITHUB_API_URL").default("https://api.github.com"),
    Param::str("token_env", "Environment variable with the API token.").default("GITHUB_TOKEN"),
];

const GITLAB_VARIABLE: &[Param] = &[
    Param::str("project", "Path or id of the project."),
    Param::str("group", "Path or id of the group, instead of a project."),
    Param::str("name", "Name of the variable.").required(),
    Param::str("environment_scope", "Environments of the variable.").default("*"),
    Param::bool("masked", "Mask the value in job logs. GitLab rejects values that it cannot mask.").default("true"),
    Param::bool("protected", "Provide the variable only to protected branches and tags.").default("false"),
    format_param(FORMATS),
    PREFIX,
    TEMPLATE,
    Param::str("api_url", "Base URL of the API.").env("CI_API_V4_URL").default("https://gitlab.com/api/v4"),
    Param::str("token_env", "Environment variable with the API token.").default("GITLAB_TOKEN"),
];

/// Allowed values of `when_missing`: the reaction to a sink that has lost the password.
pub const WHEN_MISSING: &[&str] = &["fail", "replace", "ignore"];

/// One sink: exactly one kind, and the reaction if it has lost the password.
pub const SINK: &[Param] = &[
    Param::new("file", ParamKind::Dict(FILE), "Write a file."),
    Param::new(
        "docker_config",
        ParamKind::Dict(DOCKER_CONFIG),
        "Merge a login into a docker configuration, under a lock.",
    ),
    Param::new(
        "kubernetes_manifest",
        ParamKind::Dict(KUBERNETES_MANIFEST),
        "Write the manifest of a secret of type `kubernetes.io/dockerconfigjson`.",
    ),
    Param::new(
        "command",
        ParamKind::Dict(COMMAND),
        "Run a command with the login on its standard input; exit status 0 confirms the delivery.",
    ),
    Param::new("github_secret", ParamKind::Dict(GITHUB_SECRET), "Set a secret of GitHub Actions."),
    Param::new("gitlab_variable", ParamKind::Dict(GITLAB_VARIABLE), "Set a CI/CD variable of GitLab."),
    Param::bool("store", "Keep the login in the credential store of this machine, for `docker-credential-ionplay`."),
    Param::str(
        "when_missing",
        "If the sink has lost the password, or has another one, and the store no longer has it: `fail`; \
         `replace` the token by one with a new password; or `ignore` it with a warning.",
    )
    .default("fail")
    .choices(WHEN_MISSING),
];

/// Sinks for the password.
pub const CREDENTIALS: Param = Param::list(
    "credentials",
    &ParamKind::Dict(SINK),
    "Sinks for the password, one per item. The password stays in the credential store until every sink \
     has confirmed it. Not a parameter of the Ansible module.",
)
.only_in(&["present"]);

/// Settings of the rotation.
pub const ROTATE: Param = Param::new(
    "rotate",
    ParamKind::Dict(&[
        Param::str("before", "Time before the expiry at which the successor is created: `14d`, `12h`.").default("14d"),
        Param::str("grace", "Time after which a disabled predecessor is deleted.").default("24h"),
        Param::str(
            "verify",
            "Check before the predecessor is disabled: `sinks` reads the readable sinks back, `login` also logs in to the \
             registry.",
        )
        .default("sinks")
        .choices(&["sinks", "login"]),
    ]),
    "Rotate the token before it expires; needs `credentials` and a relative `expiry_date` (`+90d`). The successors of token `ci` are \
     named `ci-g2`, `ci-g3` and so on. Not a parameter of the Ansible module.",
)
.only_in(&["present"]);
