//! Requests of registry modules, by module and state: what a run would send at most.

/// Requests of a module in a state. They depend on what the service has; those that write are sent only if something
/// differs.
type Row = (&'static str, &'static str, &'static [&'static str]);

const FIND_REGISTRY: &str = "GET /registries: find the registry";

const ROWS: &[Row] = &[
    (
        "registry_token",
        "present",
        &[
            FIND_REGISTRY,
            "GET /registries/{id}/tokens: find the token",
            "POST /registries/{id}/tokens: create it, if it is not there",
            "PATCH /registries/{id}/tokens/{id}: change it, if it differs",
            "DELETE /registries/{id}/tokens/{id}: remove the old one, if it is replaced",
        ],
    ),
    (
        "registry_token",
        "update",
        &[
            FIND_REGISTRY,
            "GET /registries/{id}/tokens: find the token",
            "PATCH /registries/{id}/tokens/{id}: change it, if it differs",
        ],
    ),
    (
        "registry_token",
        "absent",
        &[
            FIND_REGISTRY,
            "GET /registries/{id}/tokens: find the token",
            "DELETE /registries/{id}/tokens/{id}: delete it, if it is there",
        ],
    ),
    (
        "registry",
        "present",
        &[
            FIND_REGISTRY,
            "POST /registries: create it, if it is not there",
            "PATCH /registries/{id}: change it, if it differs",
        ],
    ),
    ("registry", "update", &[FIND_REGISTRY, "PATCH /registries/{id}: change it, if it differs"]),
    ("registry", "absent", &[FIND_REGISTRY, "DELETE /registries/{id}: delete it, if it is there"]),
    (
        "registry_repository",
        "absent",
        &[FIND_REGISTRY, "DELETE /registries/{id}/repositories/{name}: delete it, if it is there"],
    ),
    ("registry_info", "", &["GET /registries: all pages"]),
    ("registry_location_info", "", &["GET /locations: all pages"]),
    ("registry_name_info", "", &["HEAD /names/{name}: whether the name is free"]),
    ("registry_token_info", "", &[FIND_REGISTRY, "GET /registries/{id}/tokens: all pages"]),
    ("registry_repository_info", "", &[FIND_REGISTRY, "GET /registries/{id}/repositories: all pages"]),
    (
        "registry_artifact_info",
        "",
        &[FIND_REGISTRY, "GET /registries/{id}/artifacts, or those of a repository: all pages"],
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
