//! `kubernetes.core`, the collection that playbooks use most, against a small API server.

use std::path::PathBuf;

use super::tools::ApiServer;
use super::{Desk, python_with};

/// The folder with the collection: that of the pipeline, or `IONPLAY_TEST_COLLECTIONS`.
fn collections() -> Option<PathBuf> {
    let own = crate::root().join("target/tools/collections");
    let given = std::env::var_os("IONPLAY_TEST_COLLECTIONS").map(PathBuf::from);
    let found = given.into_iter().chain([own]).find(|f| f.join("ansible_collections/kubernetes/core").is_dir());
    if found.is_none() {
        eprintln!("skipped: the collection `kubernetes.core` is not installed (PyPI: ansible)");
    }
    found
}

const TASKS: &str = "    - name: create it
      kubernetes.core.k8s:
        host: '{{ url }}'
        api_key: key-of-the-test
        definition: {apiVersion: v1, kind: ConfigMap, metadata: {name: settings, namespace: default}, data: {colour: blue}}
      register: made
    - name: the same once more
      kubernetes.core.k8s:
        host: '{{ url }}'
        api_key: key-of-the-test
        src: settings.yml
      register: again
    - kubernetes.core.k8s_info: {host: '{{ url }}', api_key: key-of-the-test, api_version: v1, kind: ConfigMap, name: settings, namespace: default}
      register: found
    - debug:
        msg: 'made {{ made.changed }}, again {{ again.changed }}, found {{ found.resources | length }}'
";

fn desk() -> Desk {
    let desk = Desk::with_tasks(TASKS);
    let settings =
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings, namespace: default}, data: {colour: blue}}\n";
    desk.write("files/settings.yml", settings);
    desk
}

#[test]
fn object_is_created_once_and_found() {
    let Some(folder) = collections() else { return };
    let Some(python) = python_with(&["ansible", "kubernetes", "yaml"]) else { return };
    let server = ApiServer::start(&python, include_str!("kubernetes_api.py"));
    let desk = desk();
    desk.write("ansible.cfg", &format!("[defaults]\ncollections_path = {}\n", folder.display()));
    let python = format!("ansible_python_interpreter={python}");
    let url = format!("url={}", server.url);
    let args = ["site.yml", "--allow-python", "-e", python.as_str(), "-e", url.as_str()];
    // A dry run is one of the server: nothing is there afterwards.
    desk.ends(&[&args[..], &["--check"]].concat(), 0, &["made True, again True, found 0"]);
    desk.ends(&args, 0, &["made True, again False, found 1"]);
    desk.ends(&args, 0, &["made False, again False, found 1"]);
}

#[test]
fn parameters_are_known_without_running_python() {
    let Some(folder) = collections() else { return };
    let desk = Desk::with_tasks("    - kubernetes.core.k8s: {stat: present, validate_cert: no}\n");
    desk.write("ansible.cfg", &format!("[defaults]\ncollections_path = {}\n", folder.display()));
    desk.ends(&["lint", "site.yml"], 4, &["did you mean `state`?", "did you mean `validate_certs`?", "--allow-python"]);
    desk.ends(&["doc", "kubernetes.core.k8s_info"], 0, &["label_selectors (list of str)", "kubeconfig"]);
    let desk = Desk::with_tasks("    - kubernetes.core.k8s_raw: {}\n");
    desk.write("ansible.cfg", &format!("[defaults]\ncollections_path = {}\n", folder.display()));
    desk.ends(&["site.yml"], 4, &["kubernetes.core.k8s_raw"]);
}
