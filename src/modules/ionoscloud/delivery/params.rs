//! The parameters of deliveries and rotations: `credentials` and `rotate`. Additions of ours.

use crate::modules::spec::{Param, ParamKind};

/// The formats that every sink knows.
const FORMATS: &[&str] = &["plain", "username", "dotenv", "json", "template", "docker_config"];

/// The formats of a command.
const COMMAND_FORMATS: &[&str] =
    &["plain", "username", "dotenv", "json", "template", "docker_config", "kubernetes_manifest"];

const PREFIX: Param =
    Param::str("prefix", "With format `dotenv`: the names of the variables begin with it.").default("REGISTRY_");

const TEMPLATE: Param = Param::str(
    "template",
    "With format `template`: a template file, looked for as `ansible.builtin.template` does. It knows `server`, `username`, \
     `password`, `token_id` and `expires`.",
);

const fn format_param(choices: &'static [&'static str]) -> Param {
    Param::str(
        "format",
        "`plain` is the password alone, `username` the user name alone; `dotenv` and `json` hold server, user name and \
         password.",
    )
    .default("plain")
    .choices(choices)
}

const MODE: Param =
    Param::new("mode", ParamKind::Raw, "Permission bits in octal. It must not let others read.").default("0600");

const MANIFEST_NAME: Param = Param::str("name", "Name of the secret.");
const NAMESPACE: Param = Param::str("namespace", "Namespace of the secret; left out if not given.");
const LABELS: Param = Param::new("labels", ParamKind::Raw, "Labels of the secret, a mapping.");
const ANNOTATIONS: Param = Param::new("annotations", ParamKind::Raw, "Annotations of the secret, a mapping.");

const FILE: &[Param] = &[
    Param::path("path", "The file. Missing folders are made with mode 0700; a link is refused.").required(),
    MODE,
    format_param(FORMATS),
    PREFIX,
    TEMPLATE,
];

const DOCKER_CONFIG: &[Param] = &[Param::path(
    "path",
    "The file; by default `config.json` in `$DOCKER_CONFIG`, or in `~/.docker`. Other entries and the formatting are kept.",
)];

const KUBERNETES_MANIFEST: &[Param] =
    &[Param::path("path", "The file.").required(), MODE, MANIFEST_NAME.required(), NAMESPACE, LABELS, ANNOTATIONS];

const COMMAND: &[Param] = &[
    Param::list("argv", &ParamKind::Str, "The program and its arguments. No shell reads them."),
    Param::str("cmd", "The same as one line, split at blanks as a shell does."),
    Param::path("chdir", "The folder to run it in."),
    format_param(COMMAND_FORMATS),
    PREFIX,
    TEMPLATE,
    Param::new(
        "manifest",
        ParamKind::Dict(&[MANIFEST_NAME.required(), NAMESPACE, LABELS, ANNOTATIONS]),
        "With format `kubernetes_manifest`: the secret.",
    ),
    Param::int("timeout", "Seconds after which it is ended, and has failed.").default("60"),
];

const GITHUB_SECRET: &[Param] = &[
    Param::str("repository", "The repository, as `owner/name`.").required(),
    Param::str("name", "Name of the secret.").required(),
    Param::str("environment", "The environment that the secret is for; all workflows if not given."),
    format_param(FORMATS),
    PREFIX,
    TEMPLATE,
    Param::str("api_url", "Base URL of the API.").env("GITHUB_API_URL").default("https://api.github.com"),
    Param::str("token_env", "The variable of the environment that holds the token for the API.")
        .default("GITHUB_TOKEN"),
];

const GITLAB_VARIABLE: &[Param] = &[
    Param::str("project", "The project, as its path or id."),
    Param::str("group", "The group, as its path or id, instead of a project."),
    Param::str("name", "Name of the variable.").required(),
    Param::str("environment_scope", "The environments that the variable is for.").default("*"),
    Param::bool("masked", "Hide the value in job logs. GitLab refuses values that it cannot mask.").default("true"),
    Param::bool("protected", "Give it to protected branches and tags only.").default("false"),
    format_param(FORMATS),
    PREFIX,
    TEMPLATE,
    Param::str("api_url", "Base URL of the API.").env("CI_API_V4_URL").default("https://gitlab.com/api/v4"),
    Param::str("token_env", "The variable of the environment that holds the token for the API.")
        .default("GITLAB_TOKEN"),
];

/// Allowed values of `when_missing`: the reaction to a sink that has lost the password.
pub const WHEN_MISSING: &[&str] = &["fail", "replace", "ignore"];

/// One sink: exactly one of its kinds, and what to do when it has lost the password.
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
    Param::bool(
        "store",
        "Keep the login in the credential store of this machine; `docker-credential-ionplay` answers out of it.",
    ),
    Param::str(
        "when_missing",
        "What to do when the sink has lost the password, or has another one, and the store no longer has it: `fail`; \
         `replace` the token by one with a new password; `ignore` it with a warning.",
    )
    .default("fail")
    .choices(WHEN_MISSING),
];

/// Where the password goes.
pub const CREDENTIALS: Param = Param::list(
    "credentials",
    &ParamKind::Dict(SINK),
    "Where the password is delivered to; each item names one sink. The password stays in the credential store until every sink \
     has confirmed it. Not a parameter of the Ansible module.",
)
.only_in(&["present"]);

/// When the token is rotated.
pub const ROTATE: Param = Param::new(
    "rotate",
    ParamKind::Dict(&[
        Param::str("before", "A successor is made so long before the token ends: `14d`, `12h`.").default("14d"),
        Param::str("grace", "A disabled predecessor is deleted after so long.").default("24h"),
        Param::str(
            "verify",
            "How a delivery is checked before the predecessor is disabled: `sinks` reads back what can be read, `login` also \
             logs in to the registry.",
        )
        .default("sinks")
        .choices(&["sinks", "login"]),
    ]),
    "Rotate the token before it ends; needs `credentials` and a relative `expiry_date` (`+90d`). The successors of token `ci` are \
     called `ci-g2`, `ci-g3` and so on. Not a parameter of the Ansible module.",
)
.only_in(&["present"]);
