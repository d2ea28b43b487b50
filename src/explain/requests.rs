//! Requests of registry modules, by module and state: what a run would send at most.

/// Requests of a module in a state. They depend on what the service has; those that write are sent only if something
/// differs.
type Row = (&'static str, &'static str, &'static [&'static str]);

const FIND_REGISTRY: &str = "GET /registries: find the registry by its name";
const FIND_TOKEN: &str = "GET /registries/{id}/tokens: find the token by its name";
const FIND_TOKEN_BY_ID: &str = "GET /registries/{id}/tokens/{id}: find the token by its id";
const CREATE_TOKEN: &str = "POST /registries/{id}/tokens: create it, if it is not there or is replaced";
const REPLACE_TOKEN: &str = "POST /registries/{id}/tokens: create the new one, if it is replaced";
const CHANGE_TOKEN: &str = "PATCH /registries/{id}/tokens/{id}: change it, if it differs";
const DELETE_OLD_TOKEN: &str = "DELETE /registries/{id}/tokens/{id}: delete the old one, if it is replaced";
const CREATE_REGISTRY: &str = "POST /registries: create it, if it is not there or is replaced";
const CHANGE_REGISTRY: &str = "PATCH /registries/{id}: change it, if it differs";
const DELETE_OLD_REGISTRY: &str = "DELETE /registries/{id}: delete the old one, if it is replaced";
const AWAIT_REGISTRY: &str = "GET /registries/{id}: find it by its id, or wait for it";
const CHECK_LOCATION: &str = "GET /locations: check the location, if it is replaced";

const ROWS: &[Row] = &[
    (
        "registry_token",
        "present",
        &[
            FIND_REGISTRY,
            "GET /registries/{id}: find the address of the registry, if there are `credentials`",
            FIND_TOKEN,
            CREATE_TOKEN,
            CHANGE_TOKEN,
            DELETE_OLD_TOKEN,
        ],
    ),
    (
        "registry_token",
        "update",
        &[FIND_REGISTRY, FIND_TOKEN, FIND_TOKEN_BY_ID, CHANGE_TOKEN, REPLACE_TOKEN, DELETE_OLD_TOKEN],
    ),
    (
        "registry_token",
        "absent",
        &[
            FIND_REGISTRY,
            FIND_TOKEN,
            FIND_TOKEN_BY_ID,
            "DELETE /registries/{id}/tokens/{id}: delete it, if it is there",
        ],
    ),
    (
        "registry",
        "present",
        &[
            FIND_REGISTRY,
            CHECK_LOCATION,
            DELETE_OLD_REGISTRY,
            CREATE_REGISTRY,
            CHANGE_REGISTRY,
            "GET /registries/{id}: wait for it",
        ],
    ),
    (
        "registry",
        "update",
        &[
            FIND_REGISTRY,
            AWAIT_REGISTRY,
            CHANGE_REGISTRY,
            CHECK_LOCATION,
            "HEAD /names/{name}: whether the new name is free, if it is replaced",
            "POST /registries: create the new one, if it is replaced",
            DELETE_OLD_REGISTRY,
        ],
    ),
    ("registry", "absent", &[FIND_REGISTRY, AWAIT_REGISTRY, "DELETE /registries/{id}: delete it, if it is there"]),
    (
        "registry_repository",
        "absent",
        &[
            FIND_REGISTRY,
            "GET /registries/{id}/repositories/{name}: find the repository",
            "GET /registries/{id}: whether the registry is there, if the repository is not",
            "DELETE /registries/{id}/repositories/{name}: delete it, if it is there",
        ],
    ),
    ("registry_info", "", &["GET /registries: all pages"]),
    ("registry_location_info", "", &["GET /locations: all locations"]),
    ("registry_name_info", "", &["HEAD /names/{name}: whether the name is free"]),
    ("registry_token_info", "", &[FIND_REGISTRY, "GET /registries/{id}/tokens: all pages"]),
    ("registry_repository_info", "", &[FIND_REGISTRY, "GET /registries/{id}/repositories: all pages"]),
    (
        "registry_artifact_info",
        "",
        &[
            FIND_REGISTRY,
            "GET /registries/{id}/artifacts: all pages, without `repository`",
            "GET /registries/{id}/repositories/{name}/artifacts: all pages, with `repository`",
        ],
    ),
    (
        "registry_vulnerability_info",
        "",
        &[FIND_REGISTRY, "GET /registries/{id}/repositories/{name}/artifacts/{digest}/vulnerabilities: all pages"],
    ),
];

/// Returns the requests of a module in a state, in their order; none for modules that send none.
pub fn list_requests(module: &str, state: &str) -> &'static [&'static str] {
    let found = ROWS.iter().find(|(name, of_state, _)| *name == module && (of_state.is_empty() || *of_state == state));
    found.map_or(&[], |(_, _, requests)| requests)
}
