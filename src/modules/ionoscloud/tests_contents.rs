//! Repositories, artifacts and vulnerabilities against the embedded API.

use super::tests::at;
use super::tests_world::World;
use super::*;
use crate::modules::TaskModule;
use crate::value::{Dict, Value};

const SEED: &str = r#"{"registries": [{"name": "reg-a", "repositories": [
    {"name": "ubuntu", "pullCount": 3, "lastPushedAt": "2031-01-02T03:04:05Z", "artifacts": [
        {"digest": "sha256:1", "lastPushedAt": "2031-01-02T03:04:05Z", "tags": ["latest"], "vulnerabilities": ["CVE-1", "CVE-2"]},
        {"digest": "sha256:2", "lastPushedAt": "2031-01-03T03:04:05Z"}]},
    {"name": "team/app", "artifacts": [{"digest": "sha256:3", "lastPushedAt": "2031-01-01T00:00:00Z", "pullCount": 9}]}]}],
  "vulnerabilities": [
    {"id": "CVE-1", "severity": "high", "score": 7.5, "fixable": true, "publishedAt": "2030-01-01T00:00:00Z",
     "affects": [{"type": "deb", "name": "x", "version": "1"}]},
    {"id": "CVE-2", "severity": "low", "score": 1.5, "publishedAt": "2030-01-01T00:00:00Z"}]}"#;

fn args(pairs: &[(&'static str, &str)]) -> Value {
    let mut dict = Dict::new();
    dict.set("registry", "reg-a".into());
    for (name, value) in pairs {
        dict.set(*name, (*value).into());
    }
    dict.into()
}

async fn ids(world: &World, module: &dyn TaskModule, given: Value) -> Vec<String> {
    let outcome = world.run(module, given).await.unwrap_or_else(|failure| panic!("{}", failure.message));
    let list = at(&outcome, module.module_spec().returns.unwrap()).as_slice().unwrap();
    list.iter().map(|object| object.get("id").unwrap().as_str().unwrap().to_owned()).collect()
}

async fn refused(world: &World, module: &dyn TaskModule, given: Value) -> String {
    world.run(module, given).await.unwrap_err().message
}

#[tokio::test(flavor = "current_thread")]
async fn repositories_are_listed_filtered_and_ordered() {
    let world = World::new(SEED, &[]);
    let module = &registry_repository_info::RegistryRepositoryInfo;
    assert_eq!(ids(&world, module, args(&[])).await, ["ubuntu", "team/app"]);
    assert_eq!(ids(&world, module, args(&[("order_by", "name")])).await, ["team/app", "ubuntu"]);
    assert_eq!(ids(&world, module, args(&[("order_by", "pull_count")])).await, ["team/app", "ubuntu"]);
    assert_eq!(ids(&world, module, args(&[("name", "team")])).await, ["team/app"]);
    assert_eq!(ids(&world, module, args(&[("vulnerability_severity", "high")])).await, ["ubuntu"]);
    let outcome = world.run(module, args(&[("name", "ubuntu")])).await.unwrap();
    let one = &at(&outcome, "repositories").as_slice().unwrap()[0];
    assert_eq!(one.member_at("metadata.last_pushed_at"), Some(&Value::text("2031-01-02T03:04:05+00:00")));
    assert_eq!(one.member_at("metadata.artifact_count"), Some(&Value::Int(2)));
    assert_eq!(one.member_at("metadata.resource_urn"), Some(&Value::Null));
    assert_eq!(
        refused(&world, module, args(&[("order_by", "-lastPsuh")])).await,
        "failed to list the Repositories: the list cannot be ordered by `-lastPsuh`; did you mean `-lastPush`?"
    );
    let mut wrong = args(&[]).as_dict().unwrap().clone();
    wrong.set("filters", Value::dict([("metadata.pull_coutn", Value::Int(3))]));
    assert!(refused(&world, module, wrong.clone().into()).await.ends_with("did you mean `pull_count`?"));
    wrong.set("filters", Value::dict([("metadata.pull_count", Value::Int(3))]));
    assert_eq!(ids(&world, module, wrong.into()).await, ["ubuntu"]);
}

#[tokio::test(flavor = "current_thread")]
async fn all_pages_of_repositories_are_read() {
    let names: Vec<String> = (0..1203).map(|n| format!(r#"{{"name": "r{n}"}}"#)).collect();
    let world =
        World::new(&format!(r#"{{"registries": [{{"name": "reg-a", "repositories": [{}]}}]}}"#, names.join(",")), &[]);
    assert_eq!(ids(&world, &registry_repository_info::RegistryRepositoryInfo, args(&[])).await.len(), 1203);
    assert_eq!(world.methods(), "GET GET GET", "the registry, and two pages");
}

#[tokio::test(flavor = "current_thread")]
async fn artifacts_are_those_of_the_registry_or_of_a_repository() {
    let world = World::new(SEED, &[]);
    let module = &registry_artifact_info::RegistryArtifactInfo;
    assert_eq!(ids(&world, module, args(&[])).await, ["sha256:3", "sha256:1", "sha256:2"]);
    assert_eq!(ids(&world, module, args(&[("repository", "team/app")])).await, ["sha256:3"]);
    assert_eq!(ids(&world, module, args(&[("vulnerability_id", "CVE-1")])).await, ["sha256:1"]);
    assert_eq!(
        ids(&world, module, args(&[("repository", "ubuntu"), ("order_by", "-vulnTotalScore")])).await,
        ["sha256:1", "sha256:2"]
    );
    let both = refused(&world, module, args(&[("repository", "ubuntu"), ("vulnerability_id", "CVE-1")])).await;
    assert!(both.contains("cannot be combined"), "{both}");
    assert_eq!(
        refused(&world, module, args(&[("repository", "ubunut")])).await,
        "failed to list the Artifacts: repository `ubunut` was not found; did you mean `ubuntu`?"
    );
}

#[tokio::test(flavor = "current_thread")]
async fn vulnerabilities_have_the_keys_of_the_code() {
    let world = World::new(SEED, &[]);
    let module = &registry_vulnerability_info::RegistryVulnerabilityInfo;
    let given =
        |extra: &[(&'static str, &str)]| args(&[&[("repository", "ubuntu"), ("artifact", "sha256:1")], extra].concat());
    let outcome = world.run(module, given(&[])).await.unwrap();
    let first = &at(&outcome, "vulnerabilities").as_slice().unwrap()[0];
    assert_eq!(first.get("id"), Some(&Value::text("CVE-1")));
    assert_eq!(
        first.member_at("properties.affects").unwrap().as_slice().unwrap()[0].get("name"),
        Some(&Value::text("x"))
    );
    assert_eq!(first.member_at("metadata.published_at"), Some(&Value::text("2030-01-01T00:00:00+00:00")));
    assert_eq!(ids(&world, module, given(&[("severity", "low")])).await, ["CVE-2"]);
    let nothing = refused(&world, module, args(&[("repository", "ubuntu"), ("artifact", "sha256:9")])).await;
    assert_eq!(nothing, "failed to list the Vulnerabilities: artifact `sha256:9` was not found in repository `ubuntu`");
}

#[tokio::test(flavor = "current_thread")]
async fn a_repository_is_removed_once() {
    let world = World::new(SEED, &[]);
    let module = &registry_repository::RegistryRepository;
    let gone = world.run(module, args(&[("repository", "ubuntu")])).await.unwrap();
    assert!(gone.changed);
    assert_eq!(at(&gone, "id"), &Value::text("ubuntu"));
    assert_eq!(world.methods(), "GET GET DELETE");
    assert!(!world.run(module, args(&[("repository", "ubuntu")])).await.unwrap().changed);
    assert_eq!(world.methods(), "GET GET", "the repository, and whether its registry is there");
    // The description of the API forbids the slash here and nowhere else.
    let slash = refused(&world, module, args(&[("repository", "team/app")])).await;
    assert!(slash.contains("(400)") && slash.contains("slash"), "{slash}");
}

#[tokio::test(flavor = "current_thread")]
async fn removing_a_repository_is_foretold() {
    let mut world = World::new(SEED, &[]);
    world.check = true;
    let module = &registry_repository::RegistryRepository;
    let gone = world.run(module, args(&[("repository", "ubuntu")])).await.unwrap();
    assert_eq!(at(&gone, "msg"), &Value::text("Repository ubuntu would be deleted"));
    assert_eq!(ids(&world, &registry_repository_info::RegistryRepositoryInfo, args(&[])).await, ["team/app"]);
    assert_eq!(ids(&world, &registry_artifact_info::RegistryArtifactInfo, args(&[])).await, ["sha256:3"]);
    assert!(!world.run(module, args(&[("repository", "ubuntu")])).await.unwrap().changed);
    let slash = world.run(module, args(&[("repository", "team/app")])).await.unwrap();
    assert!(slash.undetermined.unwrap().contains("slash"));
    assert!(world.methods().split(' ').all(|method| method == "GET"));
}

#[tokio::test(flavor = "current_thread")]
async fn places_and_names_can_be_asked_for() {
    let world = World::new(SEED, &[]);
    let none = || Value::dict::<&str>([]);
    let places = ids(&world, &registry_location_info::RegistryLocationInfo, none()).await;
    assert!(places.iter().any(|place| place == "de/fra"), "{places:?}");
    for (name, state) in [("reg-a", "taken"), ("reg-b", "available"), ("Reg", "invalid")] {
        let given = Value::dict([("name", Value::text(name))]);
        let outcome = world.run(&registry_name_info::RegistryNameInfo, given).await.unwrap();
        assert_eq!(at(&outcome, "registry_name.state"), &Value::text(state), "{name}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn passwords_that_the_api_does_not_take_here_are_explained() {
    let world = World::new(SEED, &["GET /repositories status=401"]);
    let given = args(&[("username", "u"), ("password", "p")]);
    let why = refused(&world, &registry_repository_info::RegistryRepositoryInfo, given).await;
    assert!(why.starts_with("failed to list the Repositories: (401)") && why.contains("API tokens only"), "{why}");
}
