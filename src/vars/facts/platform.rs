//! The system itself: kernel, names, distribution.

use std::net::ToSocketAddrs;

use super::{Facts, read_trimmed};
use crate::value::{Dict, Value};

pub(super) fn collect_platform(facts: &mut Facts<'_>) {
    let names = rustix::system::uname();
    let word = |name: &std::ffi::CStr| name.to_string_lossy().into_owned();
    let (node, machine) = (word(names.nodename()), word(names.machine()));
    facts.set("system", word(names.sysname()));
    facts.set("kernel", word(names.release()));
    facts.set("kernel_version", word(names.version()));
    facts.set("machine", machine.as_str());
    let fqdn = find_fqdn(&node);
    facts.set("fqdn", fqdn.as_str());
    facts.set("hostname", node.split('.').next().unwrap_or_default());
    facts.set("nodename", node.as_str());
    facts.set("domain", fqdn.split_once('.').map_or("", |(_, domain)| domain));
    let bits = if cfg!(target_pointer_width = "64") { "64" } else { "32" };
    facts.set("userspace_bits", bits);
    let narrow = matches!(machine.as_str(), "x86_64" | "i386" | "i686");
    let architecture = if narrow && bits == "64" {
        "x86_64"
    } else if narrow {
        "i386"
    } else {
        &machine
    };
    facts.set("architecture", architecture);
    facts.set("userspace_architecture", architecture);
    if let Some(id) = read_trimmed("/etc/machine-id").or_else(|| read_trimmed("/var/lib/dbus/machine-id")) {
        facts.set("machine_id", id);
    }
}

/// The name with its domain, from `/etc/hosts` where the machine's own name is listed there.
fn find_fqdn(node: &str) -> String {
    if node.contains('.') {
        return node.to_owned();
    }
    let hosts = read_trimmed("/etc/hosts").unwrap_or_default();
    let mut listed = hosts.lines().filter_map(|line| {
        let mut names = line.split('#').next()?.split_whitespace().skip(1);
        let first = names.next()?;
        (first == node || names.any(|name| name == node)).then(|| first.to_owned())
    });
    let known = listed.find(|name| name.contains('.'));
    // Without a dotted name the plain one stands, as long as it means anything at all.
    known.unwrap_or_else(|| {
        let resolves = (node, 0).to_socket_addrs().is_ok_and(|mut found| found.next().is_some());
        if resolves || node.is_empty() { node.to_owned() } else { "localhost".to_owned() }
    })
}

/// The lines `KEY=value` of a file, without their quotes.
fn read_pairs(path: &str) -> Vec<(String, String)> {
    let content = read_trimmed(path).unwrap_or_default();
    let unquoted = |value: &str| value.trim().trim_matches(['"', '\'']).to_owned();
    content
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.trim().to_owned(), unquoted(value)))
        .collect()
}

pub(super) fn collect_distribution(facts: &mut Facts<'_>) {
    let path = if std::path::Path::new("/etc/os-release").exists() { "/etc/os-release" } else { "/usr/lib/os-release" };
    let release = read_pairs(path);
    let get = |key: &str| release.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
    let name = name_of(get("ID").unwrap_or_default(), get("NAME").unwrap_or("Linux"));
    // Debian's own file has the point release, os-release only the major one.
    let version = match (&*name, get("VERSION_ID")) {
        ("Debian", Some(major)) => read_trimmed("/etc/debian_version")
            .filter(|full| full.starts_with(major))
            .unwrap_or_else(|| major.to_owned()),
        (_, version) => version.unwrap_or("NA").to_owned(),
    };
    let mut numbers = version.split('.');
    facts.set("distribution", name.as_str());
    facts.set("distribution_version", version.as_str());
    facts.set("distribution_major_version", numbers.next().unwrap_or("NA"));
    if let Some(minor) = numbers.next().filter(|_| name == "Debian") {
        facts.set("distribution_minor_version", minor);
    }
    let codename = get("VERSION_CODENAME").or_else(|| {
        let version = get("VERSION")?;
        version.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(name, _)| name)
    });
    facts.set("distribution_release", codename.unwrap_or("NA"));
    facts.set("distribution_file_parsed", !release.is_empty());
    facts.set("distribution_file_path", path);
    facts.set("distribution_file_variety", name.as_str());
    let like = get("ID_LIKE").unwrap_or_default();
    facts.set("os_family", family_of(&name, like));
}

/// The name that playbooks test for, from the `ID` of os-release.
fn name_of(id: &str, name: &str) -> String {
    let known = match id {
        "debian" => "Debian",
        "ubuntu" => "Ubuntu",
        "rhel" => "RedHat",
        "centos" => "CentOS",
        "fedora" => "Fedora",
        "rocky" => "Rocky",
        "almalinux" => "AlmaLinux",
        "ol" => "OracleLinux",
        "amzn" => "Amazon",
        "alpine" => "Alpine",
        "arch" => "Archlinux",
        "gentoo" => "Gentoo",
        "sles" => "SLES",
        "opensuse-leap" => "openSUSE Leap",
        "opensuse-tumbleweed" => "openSUSE Tumbleweed",
        "linuxmint" => "Linux Mint",
        "kali" => "Kali",
        "void" => "Void",
        "nixos" => "NixOS",
        _ => return name.strip_suffix(" Linux").or_else(|| name.strip_suffix(" GNU/Linux")).unwrap_or(name).to_owned(),
    };
    known.to_owned()
}

/// The family a distribution belongs to; an unknown one is its own unless it names a similar one.
fn family_of(name: &str, like: &str) -> String {
    let family = match name {
        "Debian" | "Ubuntu" | "Linux Mint" | "Kali" | "Raspbian" | "Pop!_OS" => "Debian",
        "RedHat" | "CentOS" | "Fedora" | "Rocky" | "AlmaLinux" | "OracleLinux" | "Amazon" => "RedHat",
        "SLES" | "openSUSE Leap" | "openSUSE Tumbleweed" => "Suse",
        "Archlinux" | "Manjaro" => "Archlinux",
        "Alpine" | "Gentoo" => name,
        _ => match like.split_whitespace().find_map(|like| match like {
            "debian" | "ubuntu" => Some("Debian"),
            "rhel" | "fedora" | "centos" => Some("RedHat"),
            "suse" | "opensuse" => Some("Suse"),
            "arch" => Some("Archlinux"),
            _ => None,
        }) {
            Some(family) => family,
            None => name,
        },
    };
    family.to_owned()
}

pub(super) fn collect_lsb(facts: &mut Facts<'_>) {
    let mut lsb = Dict::new();
    for (key, name) in [
        ("DISTRIB_ID", "id"),
        ("DISTRIB_RELEASE", "release"),
        ("DISTRIB_DESCRIPTION", "description"),
        ("DISTRIB_CODENAME", "codename"),
    ] {
        if let Some((_, value)) = read_pairs("/etc/lsb-release").into_iter().find(|(known, _)| known == key) {
            if name == "release" {
                lsb.set("major_release", Value::text(value.split('.').next().unwrap_or_default()));
            }
            lsb.set(name, Value::text(value));
        }
    }
    facts.set("lsb", lsb);
}

pub(super) fn collect_cmdline(facts: &mut Facts<'_>) {
    let line = read_trimmed("/proc/cmdline").unwrap_or_default();
    let mut once = Dict::new();
    let mut all = Dict::new();
    for word in line.split_whitespace() {
        let (key, value) = match word.split_once('=') {
            Some((key, value)) => (key, Value::text(value)),
            None => (word, Value::Bool(true)),
        };
        once.set(key, value.clone());
        // The second dictionary keeps every value of a word that is there more than once.
        let joined = match (all.get(key), value) {
            (Some(Value::List(items)), value) => Value::list(items.iter().cloned().chain([value])),
            (Some(first @ Value::Str(_)), value @ Value::Str(_)) => Value::list([first.clone(), value]),
            (_, value) => value,
        };
        all.set(key, joined);
    }
    facts.set("cmdline", once);
    facts.set("proc_cmdline", all);
}

pub(super) fn collect_fips(facts: &mut Facts<'_>) {
    facts.set("fips", read_trimmed("/proc/sys/crypto/fips_enabled").is_some_and(|flag| flag == "1"));
}

pub(super) fn collect_selinux(facts: &mut Facts<'_>) {
    let mut selinux = Dict::new();
    match read_trimmed("/sys/fs/selinux/enforce") {
        None => selinux.set("status", Value::text("disabled")),
        Some(mode) => {
            selinux.set("status", Value::text("enabled"));
            selinux.set("mode", Value::text(if mode == "1" { "enforcing" } else { "permissive" }));
            if let Some(version) =
                read_trimmed("/sys/fs/selinux/policyvers").and_then(|version| version.parse::<i64>().ok())
            {
                selinux.set("policyvers", Value::Int(version));
            }
        }
    }
    facts.set("selinux", selinux);
}

pub(super) fn collect_apparmor(facts: &mut Facts<'_>) {
    let on = std::path::Path::new("/sys/kernel/security/apparmor").exists();
    facts.set("apparmor", Value::dict([("status", Value::text(if on { "enabled" } else { "disabled" }))]));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distributions_and_families() {
        for (id, like, name, family) in [
            ("debian", "", "Debian", "Debian"),
            ("rocky", "rhel centos fedora", "Rocky", "RedHat"),
            ("other", "debian", "Thing", "Debian"),
            ("other", "", "Thing", "Thing"),
        ] {
            assert_eq!(name_of(id, "Thing Linux"), name);
            assert_eq!(family_of(name, like), family);
        }
    }
}
