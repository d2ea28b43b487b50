//! Repositories, artifacts and vulnerabilities: P1 to P3, A1 to A4, V1.

use std::cmp::Ordering;

use serde_json::{Value as Json, json};

use super::call::ApiCall;
use super::clock::MockTime;
use super::reply::{MockReply, ReplyResult};
use super::service::Service;
use super::store::{Artifact, MockStore, StoredRegistry, StoredRepository, Vulnerability};
use super::validate;

const SEVERITIES: [&str; 5] = ["none", "low", "medium", "high", "critical"];

/// A value to sort by; numbers and moments are both numbers.
type Key = fn(&Row) -> f64;

/// A list that is given in pages.
struct Page<'a> {
    /// Words of `orderBy`, with what they sort by.
    orders: &'a [(&'a str, Key)],
    /// The order where the request names none.
    default: &'a str,
    /// The name of the collection.
    id: &'a str,
    /// The address that the links of a page lead to.
    path: &'a str,
}

/// One item of a list before it is cut into pages: its JSON, its name, and what it may be sorted by.
struct Row {
    json: Json,
    name: String,
    last_push: Option<MockTime>,
    last_pull: Option<MockTime>,
    last_scan: Option<MockTime>,
    pulls: u64,
    pushes: u64,
    artifacts: usize,
    vulnerabilities: Found,
}

/// A scan result: all vulnerabilities of an artifact, or one.
#[derive(Default, Clone, Copy)]
struct Found {
    severity: usize,
    score: f64,
    total: usize,
    fixable: usize,
    published: Option<MockTime>,
    updated: Option<MockTime>,
}

impl Service {
    /// P1
    pub(super) fn list_repositories(&self, store: &MockStore, call: &ApiCall, registry: &str) -> ReplyResult {
        const ORDERS: &[(&str, Key)] = &[
            ("lastPush", |r| sort_time(r.last_push)),
            ("lastPull", |r| sort_time(r.last_pull)),
            ("artifactCount", |r| r.artifacts as f64),
            ("pullCount", |r| r.pulls as f64),
            ("pushCount", |r| r.pushes as f64),
        ];
        let id = registry;
        let registry = find_registry(store, registry)?;
        let named = call.query("filter.name");
        let severity = call.query("filter.vulnerabilitySeverity").map(severity_rank).transpose()?;
        let rows = registry.repositories.iter().filter(|r| named.is_none_or(|part| r.name.contains(part)));
        let rows = rows.map(|r| repository_row(store, r)).filter(|row| {
            severity.is_none_or(|rank| row.vulnerabilities.total > 0 && row.vulnerabilities.severity == rank)
        });
        let path = format!("/registries/{id}/repositories");
        let page = Page { orders: ORDERS, default: "-lastPush", id: "repositories", path: &path };
        self.render_page(call, rows.collect(), &page)
    }

    /// P2
    pub(super) fn get_repository(store: &MockStore, registry: &str, name: &str) -> ReplyResult {
        let repository = find_repository(find_registry(store, registry)?, name)?;
        Ok(MockReply::from_json(200, &repository_row(store, repository).json))
    }

    /// P3
    pub(super) fn delete_repository(store: &mut MockStore, registry: &str, name: &str) -> ReplyResult {
        let uuid = validate::parse_uuid(registry, "registryId")?;
        if !validate::repository_name(name) {
            return Err(MockReply::new_invalid(format!("invalid repository name {name}")));
        }
        let registry = store.registry_mut(uuid).ok_or_else(|| MockReply::new_missing("registry", registry))?;
        let before = registry.repositories.len();
        registry.repositories.retain(|r| r.name != name);
        if registry.repositories.len() == before {
            return Err(MockReply::new_missing("repository", name));
        }
        Ok(MockReply::new_empty(204))
    }

    /// A1
    pub(super) fn list_registry_artifacts(&self, store: &MockStore, call: &ApiCall, registry: &str) -> ReplyResult {
        const ORDERS: &[(&str, Key)] = &[
            ("pullCount", |r| r.pulls as f64),
            ("pushCount", |r| r.pushes as f64),
            ("lastPush", |r| sort_time(r.last_push)),
            ("lastPull", |r| sort_time(r.last_pull)),
            ("lastScan", |r| sort_time(r.last_scan)),
            ("vulnTotalCount", |r| r.vulnerabilities.total as f64),
            ("vulnFixableCount", |r| r.vulnerabilities.fixable as f64),
        ];
        let id = registry;
        let wanted = call.query("filter.vulnerabilityId");
        let all =
            find_registry(store, registry)?.repositories.iter().flat_map(|r| r.artifacts.iter().map(move |a| (r, a)));
        let rows = all.filter(|(_, a)| wanted.is_none_or(|id| a.vulnerabilities.iter().any(|v| v == id)));
        let rows = rows.map(|(r, a)| artifact_row(store, r, a)).collect();
        let path = format!("/registries/{id}/artifacts");
        self.render_page(call, rows, &Page { orders: ORDERS, default: "-pullCount", id: "artifacts", path: &path })
    }

    /// A2
    pub(super) fn list_artifacts(&self, store: &MockStore, call: &ApiCall, registry: &str, name: &str) -> ReplyResult {
        const ORDERS: &[(&str, Key)] = &[
            ("lastPush", |r| sort_time(r.last_push)),
            ("lastPull", |r| sort_time(r.last_pull)),
            ("lastScan", |r| sort_time(r.last_scan)),
            ("pullCount", |r| r.pulls as f64),
            ("pushCount", |r| r.pushes as f64),
            ("vulnMaxSeverity", |r| r.vulnerabilities.severity as f64),
            ("vulnTotalScore", |r| r.vulnerabilities.score),
            ("vulnTotalCount", |r| r.vulnerabilities.total as f64),
            ("vulnFixableCount", |r| r.vulnerabilities.fixable as f64),
        ];
        let repository = find_repository(find_registry(store, registry)?, name)?;
        let rows = repository.artifacts.iter().map(|a| artifact_row(store, repository, a)).collect();
        let path = format!("/registries/{registry}/repositories/{}/artifacts", name.replace('/', "%2F"));
        self.render_page(call, rows, &Page { orders: ORDERS, default: "-lastPush", id: "artifacts", path: &path })
    }

    /// A3
    pub(super) fn get_artifact(store: &MockStore, registry: &str, name: &str, digest: &str) -> ReplyResult {
        let repository = find_repository(find_registry(store, registry)?, name)?;
        let artifact = find_artifact(repository, digest)?;
        Ok(MockReply::from_json(200, &artifact_row(store, repository, artifact).json))
    }

    /// A4
    pub(super) fn list_vulnerabilities(
        &self,
        store: &MockStore,
        call: &ApiCall,
        (registry, name, digest): (&str, &str, &str),
    ) -> ReplyResult {
        const ORDERS: &[(&str, Key)] = &[
            ("score", |r| r.vulnerabilities.score),
            ("severity", |r| r.vulnerabilities.severity as f64),
            ("publishedAt", |r| sort_time(r.vulnerabilities.published)),
            ("updatedAt", |r| sort_time(r.vulnerabilities.updated)),
            ("fixable", |r| r.vulnerabilities.fixable as f64),
        ];
        let artifact = find_artifact(find_repository(find_registry(store, registry)?, name)?, digest)?;
        let severity = call.query("filter.severity").map(severity_rank).transpose()?;
        let fixable = match call.query("filter.fixable") {
            None => None,
            Some("true") => Some(true),
            Some("false") => Some(false),
            Some(other) => {
                return Err(MockReply::new_invalid(format!("filter.fixable must be true or false, not {other}")));
            }
        };
        let all = artifact.vulnerabilities.iter().filter_map(|id| store.find_vulnerability(id));
        let kept = all.filter(|v| severity.is_none_or(|rank| rank_of(&v.severity) == rank));
        let rows = kept.filter(|v| fixable.is_none_or(|f| v.fixable == f)).map(vulnerability_row).collect();
        let name = name.replace('/', "%2F");
        let path = format!("/registries/{registry}/repositories/{name}/artifacts/{digest}/vulnerabilities");
        self.render_page(call, rows, &Page { orders: ORDERS, default: "-score", id: "vulnerabilities", path: &path })
    }

    /// V1
    pub(super) fn get_vulnerability(store: &MockStore, id: &str) -> ReplyResult {
        check_length(id, 64, "vulnerabilityId")?;
        let found = store.find_vulnerability(id).ok_or_else(|| MockReply::new_missing("vulnerability", id))?;
        Ok(MockReply::from_json(200, &vulnerability_row(found).json))
    }

    /// Sorts, cuts out the page, wraps it. `prev` only after the first page, `next` only when more follows.
    fn render_page(&self, call: &ApiCall, mut rows: Vec<Row>, page: &Page<'_>) -> ReplyResult {
        let Page { orders, default, id, path } = *page;
        let limit = call.read_number("limit", 100, 1..=1000)?;
        let offset = call.read_number("offset", 0, 0..=i32::MAX as usize)?;
        let order = call.query("orderBy").unwrap_or(default);
        let (word, descending) = order.strip_prefix('-').map_or((order, false), |word| (word, true));
        if order == "name" && id == "repositories" {
            rows.sort_by(|a, b| a.name.cmp(&b.name));
        } else {
            let Some((_, key)) = orders.iter().find(|(name, _)| *name == word) else {
                return Err(MockReply::new_invalid(format!("invalid value for orderBy: {order}")));
            };
            let compare = |a: &Row, b: &Row| key(a).partial_cmp(&key(b)).unwrap_or(Ordering::Equal);
            rows.sort_by(|a, b| if descending { compare(b, a) } else { compare(a, b) });
        }
        let link = |offset: usize| self.url_of(&format!("{path}?offset={offset}&limit={limit}"));
        let mut links = json!({"self": link(offset)});
        if offset > 0 {
            links["prev"] = json!(link(offset.saturating_sub(limit)));
        }
        if rows.len() > offset.saturating_add(limit) {
            links["next"] = json!(link(offset + limit));
        }
        let items: Vec<Json> = rows.into_iter().skip(offset).take(limit).map(|row| row.json).collect();
        let body = json!({"id": id, "type": "collection", "href": "", "items": items,
            "offset": offset, "limit": limit, "_links": links});
        Ok(MockReply::from_json(200, &body))
    }
}

fn sort_time(at: Option<MockTime>) -> f64 {
    at.map_or(f64::NEG_INFINITY, |at| at.0 as f64)
}

fn rank_of(word: &str) -> usize {
    SEVERITIES.iter().position(|s| s.eq_ignore_ascii_case(word)).unwrap_or(0)
}

fn severity_rank(word: &str) -> Result<usize, MockReply> {
    let rank = SEVERITIES.iter().position(|s| s.eq_ignore_ascii_case(word));
    rank.ok_or_else(|| MockReply::new_invalid(format!("invalid severity {word}")))
}

fn sum_vulnerabilities<'a>(store: &MockStore, artifacts: impl Iterator<Item = &'a Artifact>) -> Found {
    let mut sum = Found::default();
    for vulnerability in artifacts.flat_map(|a| &a.vulnerabilities).filter_map(|id| store.find_vulnerability(id)) {
        sum.severity = sum.severity.max(rank_of(&vulnerability.severity));
        sum.score += vulnerability.score;
        sum.total += 1;
        sum.fixable += usize::from(vulnerability.fixable);
    }
    sum
}

/// The generic metadata keys, null as they are in practice.
fn generic_metadata(created: Option<MockTime>) -> Json {
    json!({"createdDate": created.map(MockTime::to_api), "createdBy": null, "createdByUserId": null,
        "lastModifiedDate": null, "lastModifiedBy": null, "lastModifiedByUserId": null, "resourceURN": null})
}

fn repository_row(store: &MockStore, repository: &StoredRepository) -> Row {
    let found = sum_vulnerabilities(store, repository.artifacts.iter());
    let mut metadata = generic_metadata(repository.created_date);
    metadata["artifactCount"] = json!(repository.artifacts.len());
    metadata["pullCount"] = json!(repository.pull_count);
    metadata["pushCount"] = json!(repository.push_count);
    metadata["lastPulledAt"] = json!(repository.last_pulled_at.map(MockTime::to_api));
    metadata["lastPushedAt"] = json!(repository.last_pushed_at.map(MockTime::to_api));
    metadata["lastSeverity"] = if found.total > 0 { json!(SEVERITIES[found.severity]) } else { Json::Null };
    Row {
        json: json!({"id": repository.name, "type": "repository", "href": "", "metadata": metadata,
            "properties": {"name": repository.name}}),
        name: repository.name.clone(),
        last_push: repository.last_pushed_at,
        last_pull: repository.last_pulled_at,
        last_scan: None,
        pulls: repository.pull_count,
        pushes: repository.push_count,
        artifacts: repository.artifacts.len(),
        vulnerabilities: found,
    }
}

fn artifact_row(store: &MockStore, repository: &StoredRepository, artifact: &Artifact) -> Row {
    let found = sum_vulnerabilities(store, std::iter::once(artifact));
    let mut metadata = generic_metadata(None);
    metadata["lastPushedAt"] = json!(artifact.last_pushed_at.to_api());
    metadata["lastPulledAt"] = json!(artifact.last_pulled_at.map(MockTime::to_api));
    metadata["lastScannedAt"] = json!(artifact.last_scanned_at.map(MockTime::to_api));
    metadata["pushCount"] = json!(artifact.push_count);
    metadata["pullCount"] = json!(artifact.pull_count);
    metadata["vulnMaxSeverity"] = json!(SEVERITIES[found.severity]);
    metadata["vulnTotalScore"] = json!(found.score);
    metadata["vulnTotalCount"] = json!(found.total);
    metadata["vulnFixableCount"] = json!(found.fixable);
    Row {
        json: json!({"id": artifact.digest, "type": "artifact", "href": "", "metadata": metadata,
            "properties": {"repositoryName": repository.name, "digest": artifact.digest,
                "mediaType": artifact.media_type, "tags": artifact.tags}}),
        name: artifact.digest.clone(),
        last_push: Some(artifact.last_pushed_at),
        last_pull: artifact.last_pulled_at,
        last_scan: artifact.last_scanned_at,
        pulls: artifact.pull_count,
        pushes: artifact.push_count,
        artifacts: 0,
        vulnerabilities: found,
    }
}

fn vulnerability_row(v: &Vulnerability) -> Row {
    let source = v.data_source.clone().unwrap_or_else(|| json!({"id": null, "url": null}));
    Row {
        json: json!({"id": v.id, "type": "vulnerability", "href": "",
            "metadata": {"publishedAt": v.published_at.to_api(), "updatedAt": v.updated_at.map(MockTime::to_api)},
            "properties": {"description": v.description, "recommendations": v.recommendations, "dataSource": source,
                "fixable": v.fixable, "affects": v.affects, "references": v.references, "severity": v.severity,
                "score": v.score}}),
        name: v.id.clone(),
        last_push: None,
        last_pull: None,
        last_scan: None,
        pulls: 0,
        pushes: 0,
        artifacts: 0,
        vulnerabilities: Found {
            severity: rank_of(&v.severity),
            score: v.score,
            total: 1,
            fixable: usize::from(v.fixable),
            published: Some(v.published_at),
            updated: v.updated_at,
        },
    }
}

fn check_length(text: &str, longest: usize, what: &str) -> Result<(), MockReply> {
    if text.chars().count() > longest {
        return Err(MockReply::new_invalid(format!("{what} is longer than {longest} characters")));
    }
    Ok(())
}

fn find_registry<'a>(store: &'a MockStore, id: &str) -> Result<&'a StoredRegistry, MockReply> {
    let uuid = validate::parse_uuid(id, "registryId")?;
    store.find_registry(uuid).ok_or_else(|| MockReply::new_missing("registry", id))
}

fn find_repository<'a>(registry: &'a StoredRegistry, name: &str) -> Result<&'a StoredRepository, MockReply> {
    check_length(name, 256, "repositoryName")?;
    registry.repositories.iter().find(|r| r.name == name).ok_or_else(|| MockReply::new_missing("repository", name))
}

fn find_artifact<'a>(repository: &'a StoredRepository, digest: &str) -> Result<&'a Artifact, MockReply> {
    check_length(digest, 128, "digest")?;
    repository.artifacts.iter().find(|a| a.digest == digest).ok_or_else(|| MockReply::new_missing("artifact", digest))
}
