//! The files below `docs/deploy` are accepted by the programs that read them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::tools::{find_tool, run, run_well};

fn deploy(path: &str) -> PathBuf {
    crate::root().join("docs/deploy").join(path)
}

#[test]
fn systemd_units_verify_without_a_word() {
    let Some(analyze) = find_tool("systemd-analyze") else { return };
    for unit in ["ionplay-gitops.service", "ionplay-gitops-once.service", "ionplay-gitops-once.timer"] {
        let output = run(Command::new(&analyze).arg("verify").arg(deploy("systemd").join(unit)));
        // The status says nothing about unknown keys; only the text does.
        assert!(output.status.success() && output.stderr.is_empty(), "{unit}: {output:?}");
    }
}

#[test]
fn systemd_drop_in_verifies_without_a_word() {
    let Some(analyze) = find_tool("systemd-analyze") else { return };
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("ionplay-gitops.service");
    fs::copy(deploy("systemd/ionplay-gitops.service"), &unit).unwrap();
    let drop_ins = folder.path().join("ionplay-gitops.service.d");
    fs::create_dir(&drop_ins).unwrap();
    fs::copy(deploy("systemd/host.conf"), drop_ins.join("host.conf")).unwrap();
    let output = run(Command::new(analyze).arg("verify").arg(unit));
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

#[test]
fn systemd_services_are_exposed_less_than_two() {
    let Some(analyze) = find_tool("systemd-analyze") else { return };
    for unit in ["ionplay-gitops.service", "ionplay-gitops-once.service"] {
        let text =
            run_well(Command::new(&analyze).args(["security", "--offline=true"]).arg(deploy("systemd").join(unit)));
        let line = text.lines().find(|line| line.contains("Overall exposure level")).unwrap();
        let level = line.split(": ").nth(1).unwrap().split(' ').next().unwrap();
        assert!(level.parse::<f64>().unwrap() < 2.0, "{line}");
    }
}

#[test]
fn kubernetes_manifests_are_valid() {
    let manifests = ["common.yaml", "deployment.yaml", "cronjob.yaml"].map(|name| deploy("kubernetes").join(name));
    if let Some(validate) = find_tool("kubernetes-validate") {
        run_well(Command::new(validate).arg("--strict").args(&manifests));
    }
    if let Some(kubectl) = find_tool("kubectl") {
        let text = run_well(Command::new(kubectl).arg("kustomize").arg(deploy("kubernetes")));
        assert!(text.contains("kind: Deployment") && text.contains("kind: PersistentVolumeClaim"), "{text}");
    }
}

#[test]
fn kubernetes_configuration_is_a_gitops_file() {
    let text = fs::read_to_string(deploy("kubernetes/common.yaml")).unwrap();
    let start = text.find("gitops.yml: |\n").unwrap() + "gitops.yml: |\n".len();
    let lines = text[start..].lines().take_while(|line| *line != "---");
    let file: String = lines.map(|line| format!("{}\n", line.strip_prefix("    ").unwrap())).collect();
    let folder = tempfile::tempdir().unwrap();
    // The secret is mounted in the cluster only.
    let secret = folder.path().join("ionos-token");
    fs::write(&secret, "x").unwrap();
    let file = file.replace("/run/secrets/ionplay/ionos-token", secret.to_str().unwrap());
    let path = folder.path().join("gitops.yml");
    fs::write(&path, file).unwrap();
    run_well(Command::new(env!("CARGO_BIN_EXE_ionplay")).args(["gitops", "check"]).arg(path));
}

#[test]
fn github_action_is_valid() {
    let Some(check) = find_tool("check-jsonschema") else { return };
    run_well(Command::new(check).args(["--builtin-schema", "vendor.github-actions"]).arg(deploy("github/action.yml")));
}

#[test]
fn gitlab_component_is_valid() {
    let Some(check) = find_tool("check-jsonschema") else { return };
    let text = fs::read_to_string(deploy("gitlab/template.yml")).unwrap();
    // The schema knows the second document only.
    let (head, jobs) = text.split_once("\n---\n").unwrap();
    assert!(head.contains("spec:\n  inputs:\n"), "{head}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".gitlab-ci.yml");
    fs::write(&path, jobs).unwrap();
    let schema = ["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"];
    run_well(Command::new(check).args(schema).arg(path));
}

#[test]
fn scripts_of_the_github_action_are_valid_shell() {
    let text = fs::read_to_string(deploy("github/action.yml")).unwrap();
    let blocks: Vec<&str> = text.split("run: |\n").skip(1).collect();
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        let lines = block.lines().take_while(|line| line.starts_with("        "));
        let script: String = lines.map(|line| format!("{}\n", line.trim_start_matches("        "))).collect();
        run_well(Command::new("bash").args(["-n", "-c", &script]));
    }
}

/// The image that needs nothing from the network is built, and its program runs as an ordinary user.
#[test]
fn scratch_image_is_built_and_runs() {
    let Some(buildah) = find_tool("buildah") else { return };
    let folder = tempfile::tempdir().unwrap();
    let context = folder.path().join("context");
    fs::create_dir(&context).unwrap();
    // A static binary, where the build has one; else the tests' own, which borrows the libraries of this machine.
    let own = Path::new(env!("CARGO_BIN_EXE_ionplay")).to_owned();
    let given = std::env::var_os("IONPLAY_STATIC_BINARY").map(PathBuf::from);
    fs::copy(given.as_ref().unwrap_or(&own), context.join("ionplay")).unwrap();
    fs::write(context.join("ca-certificates.crt"), "").unwrap();
    let build = |arguments: &[&str]| {
        let mut command = Command::new(&buildah);
        command.args(["--storage-driver", "vfs", "--root"]).arg(folder.path().join("root"));
        command.arg("--runroot").arg(folder.path().join("runroot")).args(arguments);
        command.env("XDG_RUNTIME_DIR", folder.path());
        command
    };
    let file = deploy("Dockerfile");
    let mut command = build(&["bud", "--isolation", "chroot", "--target", "scratch", "-t", "ionplay-test", "-f"]);
    let output = run(command.arg(&file).arg(&context));
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() && errors.contains("operation not permitted") {
        eprintln!("SKIPPED: this machine lets buildah make no images: {errors}");
        return;
    }
    assert!(output.status.success(), "{errors}");
    let container = run_well(&mut build(&["from", "ionplay-test"])).trim().to_owned();
    let mut command = build(&["run", "--isolation", "chroot"]);
    if given.is_none() {
        for library in ["/lib", "/lib64", "/usr/lib"].iter().filter(|path| Path::new(path).exists()) {
            command.args(["-v", &format!("{library}:{library}:ro")]);
        }
    }
    let version = run_well(command.args([container.as_str(), "--", "/usr/bin/ionplay", "--version"]));
    assert!(version.starts_with("ionplay "), "{version}");
    let user =
        run_well(&mut build(&["inspect", "--format", "{{.OCIv1.Config.User}}", "--type", "image", "ionplay-test"]));
    assert_eq!(user.trim(), "65532:65532");
}
