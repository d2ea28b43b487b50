//! What is shipped: the package is built, installed, run and removed; the workflows and the published sources hold together.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::gitops_web::tools::{find_tool, run, run_well};

/// The files that the packaging script makes of the program that the tests run.
fn make_package() -> Option<PathBuf> {
    find_tool("cargo-deb")?;
    find_tool("dpkg")?;
    // The program is beside the tests; their folder has the name of the profile.
    let program = Path::new(env!("CARGO_BIN_EXE_ionplay"));
    let profile = program.parent()?.file_name()?.to_str()?;
    let profile = if profile == "debug" { "dev" } else { profile };
    run_well(Command::new(crate::root().join(".ci/package")).arg(profile).current_dir(crate::root()));
    Some(crate::root().join("target/shipped"))
}

/// `dpkg` with a folder as its machine.
fn dpkg(root: &Path) -> Command {
    let mut command = Command::new("dpkg");
    command.arg(format!("--root={}", root.display())).args(["--force-not-root", "--force-script-chrootless"]);
    command.arg(format!("--log={}", root.join("log").display()));
    command
}

#[test]
fn package_is_installed_run_and_removed() {
    let Some(shipped) = make_package() else { return };
    let names: Vec<String> =
        fs::read_dir(&shipped).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let ending =
        |end: &str| names.iter().find(|name| name.ends_with(end)).unwrap_or_else(|| panic!("{end}: {names:?}"));
    run_well(Command::new("sha256sum").args(["--check", "--strict", "SHA256SUMS"]).current_dir(&shipped));

    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for path in ["var/lib/dpkg/updates", "var/lib/dpkg/info"] {
        fs::create_dir_all(root.join(path)).unwrap();
    }
    fs::write(root.join("var/lib/dpkg/status"), "").unwrap();
    run_well(dpkg(root).arg("--install").arg(shipped.join(ending(".deb"))));
    let program = root.join("usr/bin/ionplay");
    let version = run_well(Command::new(&program).arg("--version"));
    assert!(version.starts_with(concat!("ionplay ", env!("CARGO_PKG_VERSION"))), "{version}");
    let playbook = "- debug: {msg: from the package}\n";
    fs::write(root.join("site.yml"), playbook).unwrap();
    let ran = run_well(Command::new(&program).arg("site.yml").current_dir(root).env("HOME", root));
    assert!(ran.contains("from the package"), "{ran}");
    for path in [
        "usr/share/man/man1/ionplay.1.gz",
        "usr/share/bash-completion/completions/ionplay",
        "usr/share/zsh/vendor-completions/_ionplay",
        "usr/share/fish/vendor_completions.d/ionplay.fish",
        "usr/share/doc/ionplay/copyright",
        "usr/share/doc/ionplay/systemd/ionplay-gitops.service",
    ] {
        assert!(root.join(path).metadata().is_ok_and(|found| found.len() > 0), "{path}");
    }
    run_well(Command::new("bash").arg("-n").arg(root.join("usr/share/bash-completion/completions/ionplay")));
    run_well(dpkg(root).args(["--remove", "ionplay"]));
    assert!(!program.exists() && !root.join("usr/share/doc/ionplay").exists());

    // The archive holds the same program.
    let archive = ending(".tar.gz");
    run_well(Command::new("tar").arg("-xzf").arg(shipped.join(archive)).arg("-C").arg(root));
    let unpacked = root.join(archive.strip_suffix(".tar.gz").unwrap());
    assert_eq!(run_well(Command::new(unpacked.join("ionplay")).arg("--version")), version);
}

#[test]
fn workflows_are_valid() {
    let Some(check) = find_tool("check-jsonschema") else { return };
    let folder = crate::root().join(".github/workflows");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    run_well(Command::new(check).args(["--builtin-schema", "vendor.github-workflows"]).args(files));
}

#[test]
fn published_sources_are_complete_and_small() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let listed = run(Command::new(cargo)
        .args(["package", "--list", "--locked", "--offline", "--allow-dirty"])
        .current_dir(crate::root()));
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let listed = String::from_utf8(listed.stdout).unwrap();
    let files: Vec<&str> = listed.lines().collect();
    for file in ["Cargo.lock", "LICENSE-APACHE", "LICENSE-MIT", "README.md", "src/main.rs", "src/build.rs"] {
        assert!(files.contains(&file), "{file} is not published");
    }
    let size: u64 =
        files.iter().filter_map(|file| crate::root().join(file).metadata().ok()).map(|file| file.len()).sum();
    // The registry takes ten megabytes, packed.
    assert!(size < 20_000_000, "{size} bytes");
    // What the sources include is published, too.
    let included = files.iter().filter(|file| file.starts_with("src/") && file.ends_with(".rs")).flat_map(|file| {
        let text = fs::read_to_string(crate::root().join(file)).unwrap();
        let folder = Path::new(file).parent().unwrap().to_path_buf();
        let names = text.split("include_str!(\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
        names.map(move |name| folder.join(name)).collect::<Vec<_>>()
    });
    for path in included {
        let published = files
            .iter()
            .any(|file| crate::root().join(file).canonicalize().ok() == crate::root().join(&path).canonicalize().ok());
        assert!(published, "{} is not published", path.display());
    }
}

/// Whether a licence expression is satisfied by licences that are allowed. `OR` binds less than `AND`.
fn is_allowed(expression: &str, allowed: &[&str]) -> bool {
    let expression = expression.trim();
    if let Some(inner) = expression.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'))
        && !inner.contains(['(', ')'])
    {
        return is_allowed(inner, allowed);
    }
    if let Some((before, rest)) = expression.split_once('(')
        && let Some((inner, after)) = rest.split_once(')')
    {
        let word = if is_allowed(inner, allowed) { "allowed" } else { "refused" };
        return is_allowed(&format!("{before}{word}{after}"), &[allowed, &["allowed"]].concat());
    }
    let expression = expression.replace('/', " OR ");
    expression.split(" OR ").any(|all| all.split(" AND ").all(|one| allowed.contains(&one.trim())))
}

#[test]
fn licence_expressions_are_understood() {
    let allowed = ["MIT", "Apache-2.0"];
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("MIT OR GPL-3.0", true),
        ("MIT/GPL-3.0", true),
        ("MIT AND GPL-3.0", false),
        ("(MIT OR GPL-3.0) AND Apache-2.0", true),
        ("(MIT OR Apache-2.0) AND GPL-3.0", false),
    ] {
        assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
    }
}

/// What `cargo deny check licenses sources` says, without the tool: it takes longer to build than the tests.
#[test]
fn dependencies_have_allowed_licences_and_come_from_the_registry() {
    let rules = fs::read_to_string(crate::root().join(".cargo/deny.toml")).unwrap();
    let rules: toml::Table = toml::from_str(&rules).unwrap();
    let allowed = rules["licenses"]["allow"].as_array().unwrap();
    let allowed: Vec<&str> = allowed.iter().filter_map(toml::Value::as_str).collect();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // Packages of other systems need not have been downloaded.
    let version = run_well(Command::new(env!("CARGO_BIN_EXE_ionplay")).args(["--version", "--json"]));
    let version: serde_json::Value = serde_json::from_str(&version).unwrap();
    let text = run_well(
        Command::new(cargo)
            .args(["metadata", "--locked", "--offline", "--format-version", "1", "--filter-platform"])
            .arg(version["target"].as_str().unwrap())
            .current_dir(crate::root()),
    );
    let metadata: serde_json::Value = serde_json::from_str(&text).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100, "{}", packages.len());
    for package in packages {
        let (name, license) = (package["name"].as_str().unwrap(), package["license"].as_str().unwrap_or_default());
        assert!(is_allowed(license, &allowed), "{name}: `{license}`");
        let source = package["source"].as_str().unwrap_or_default();
        assert!(
            name == "ionplay" || source == "registry+https://github.com/rust-lang/crates.io-index",
            "{name}: `{source}`"
        );
    }
}
