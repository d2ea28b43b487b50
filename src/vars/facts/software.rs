//! What the machine is looked after with.

use std::path::Path;

use super::{Facts, read_trimmed};

pub(super) fn pkg_mgr(facts: &mut Facts<'_>) {
    let known = [
        ("/usr/bin/apt-get", "apt"),
        ("/usr/bin/dnf5", "dnf5"),
        ("/usr/bin/dnf-3", "dnf"),
        ("/usr/bin/dnf", "dnf"),
        ("/usr/bin/yum", "yum"),
        ("/usr/bin/zypper", "zypper"),
        ("/sbin/apk", "apk"),
        ("/usr/bin/pacman", "pacman"),
        ("/usr/bin/emerge", "portage"),
        ("/usr/bin/xbps-install", "xbps"),
        ("/run/current-system/sw/bin/nix", "nix"),
        ("/opt/homebrew/bin/brew", "homebrew"),
    ];
    let found = known.iter().find(|(path, _)| Path::new(path).exists());
    facts.set("pkg_mgr", found.map_or("unknown", |(_, name)| *name));
}

pub(super) fn service_mgr(facts: &mut Facts<'_>) {
    let first = read_trimmed("/proc/1/comm").unwrap_or_default();
    let manager = if Path::new("/run/systemd/system").exists() {
        "systemd".to_owned()
    } else if Path::new("/run/openrc").exists() {
        "openrc".to_owned()
    } else if first.is_empty() || ["init", "sh", "bash"].contains(&first.as_str()) {
        if Path::new("/etc/init.d").exists() { "sysvinit" } else { "service" }.to_owned()
    } else {
        first
    };
    facts.set("service_mgr", manager);
}
