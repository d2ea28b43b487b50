//! Which facts are wanted: `gather_subset` and `filter`.

use fancy_regex::Regex;

/// The names that `gather_subset` takes, beside `all` and `min`.
pub const SUBSETS: &[&str] = &[
    "all_ipv4_addresses",
    "all_ipv6_addresses",
    "apparmor",
    "architecture",
    "caps",
    "chroot",
    "cmdline",
    "date_time",
    "default_ipv4",
    "default_ipv6",
    "devices",
    "distribution",
    "distribution_major_version",
    "distribution_release",
    "distribution_version",
    "dns",
    "effective_group_ids",
    "effective_user_id",
    "env",
    "facter",
    "fibre_channel_wwn",
    "fips",
    "hardware",
    "interfaces",
    "is_chroot",
    "iscsi",
    "kernel",
    "kernel_version",
    "local",
    "loadavg",
    "lsb",
    "machine",
    "machine_id",
    "mounts",
    "network",
    "nvme",
    "ohai",
    "os_family",
    "pkg_mgr",
    "platform",
    "processor",
    "processor_cores",
    "processor_count",
    "python",
    "python_version",
    "real_user_id",
    "selinux",
    "service_mgr",
    "ssh_host_key_dsa_public",
    "ssh_host_key_ecdsa_public",
    "ssh_host_key_ed25519_public",
    "ssh_host_key_rsa_public",
    "ssh_host_pub_keys",
    "ssh_pub_keys",
    "system",
    "system_capabilities",
    "system_capabilities_enforced",
    "systemd",
    "user",
    "user_dir",
    "user_gecos",
    "user_gid",
    "user_id",
    "user_shell",
    "user_uid",
    "virtual",
    "virtualization_role",
    "virtualization_tech_guest",
    "virtualization_tech_host",
    "virtualization_type",
];

/// The collectors of the subset `min`.
const MIN: &[&str] = &[
    "apparmor",
    "cmdline",
    "date_time",
    "distribution",
    "dns",
    "env",
    "fips",
    "local",
    "lsb",
    "pkg_mgr",
    "platform",
    "python",
    "selinux",
    "service_mgr",
    "user",
];

/// The others.
const REST: &[&str] = &["hardware", "mounts", "network", "virtual"];

/// An unknown subset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the fact subset `{name}` is not known")]
pub struct FactsError {
    /// The name.
    pub name: String,
    /// A known name that is near.
    pub suggestion: Option<&'static str>,
}

/// The collectors that a `gather_subset` asks for.
pub fn resolve_subset(subset: &[String]) -> Result<Vec<&'static str>, FactsError> {
    let (mut add, mut drop): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    let (mut min, mut everything) = (true, subset.is_empty());
    for name in subset.iter().flat_map(|name| name.split(',')).map(str::trim).filter(|name| !name.is_empty()) {
        let (negated, plain) = name.strip_prefix('!').map_or((false, name), |plain| (true, plain));
        match (plain, negated) {
            ("all", true) => everything = false,
            ("all", false) => everything = true,
            ("min", negated) => min = !negated,
            // Excluding an unknown subset is not an error in Ansible.
            (plain, true) => drop.extend(collector_name(plain)),
            (plain, false) => add.push(collector_name(plain).ok_or_else(|| FactsError {
                name: plain.to_owned(),
                suggestion: SUBSETS.iter().find(|known| **known == nearest_subset(plain)).copied(),
            })?),
        }
    }
    // Only exclusions mean: everything but these.
    let only_exclusions =
        !subset.is_empty() && subset.iter().all(|name| name.starts_with('!') && name != "!all" && name != "!min");
    let everything = everything || only_exclusions;
    let wanted = |name: &&'static str| {
        let group = (min && MIN.contains(name)) || (everything && REST.contains(name));
        add.contains(name) || (group && !drop.contains(name))
    };
    Ok(MIN.iter().chain(REST).copied().filter(|name| wanted(name)).collect())
}

fn nearest_subset(name: &str) -> &str {
    crate::suggest::find_nearest(name, SUBSETS.iter()).unwrap_or_default()
}

/// Who gathers a subset; those that say nothing about this kind of machine are known but empty.
fn collector_name(name: &str) -> Option<&'static str> {
    Some(match name {
        _ if !SUBSETS.contains(&name) => return None,
        "hardware" | "devices" | "processor" | "processor_cores" | "processor_count" | "loadavg" => "hardware",
        "mounts" => "mounts",
        "network" | "interfaces" | "default_ipv4" | "default_ipv6" | "all_ipv4_addresses" | "all_ipv6_addresses" => {
            "network"
        }
        "dns" => "dns",
        "lsb" => "lsb",
        "cmdline" => "cmdline",
        "fips" => "fips",
        "selinux" => "selinux",
        "apparmor" => "apparmor",
        "date_time" => "date_time",
        "env" => "env",
        "local" => "local",
        "pkg_mgr" => "pkg_mgr",
        "service_mgr" => "service_mgr",
        "python" | "python_version" => "python",
        _ if name.starts_with("virtual") => "virtual",
        _ if name.starts_with("distribution") || name == "os_family" => "distribution",
        _ if name.starts_with("user") || name.contains("user_id") || name.contains("group_id") => "user",
        "architecture" | "kernel" | "kernel_version" | "machine" | "machine_id" | "platform" | "system" => "platform",
        _ => "none",
    })
}

/// Whether a fact passes the filter; the patterns may leave `ansible_` out.
pub fn is_selected(name: &str, filter: &[String]) -> bool {
    filter.iter().any(|pattern| {
        let regex = Regex::new(&glob_to_regex(pattern));
        regex.is_ok_and(|regex| {
            let short = name.strip_prefix("ansible_").unwrap_or(name);
            [name, short].iter().any(|name| regex.is_match(name).unwrap_or(false))
        })
    })
}

/// A shell pattern as a regular expression; sets keep their brackets.
fn glob_to_regex(pattern: &str) -> String {
    let mut out = String::from("^");
    for c in pattern.chars() {
        match c {
            '*' => out.push_str(".*"),
            '?' => out.push('.'),
            '[' | ']' | '-' => out.push(c),
            '!' => out.push('^'),
            c => out.push_str(&fancy_regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    out.push('$');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(subset: &[&str], has: &[&str], lacks: &[&str]) {
        let chosen = resolve_subset(&subset.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
        assert!(has.iter().all(|name| chosen.contains(name)), "{chosen:?}");
        assert!(!lacks.iter().any(|name| chosen.contains(name)), "{chosen:?}");
    }

    #[test]
    fn subsets() {
        case(&[], &["env", "hardware", "network"], &[]);
        case(&["all"], &["env", "hardware"], &[]);
        case(&["min"], &["env"], &["hardware", "network"]);
        case(&["!all"], &["env"], &["hardware"]);
        case(&["!all", "!min"], &[], &["env", "hardware"]);
        case(&["network"], &["env", "network"], &["hardware"]);
        case(&["!hardware"], &["env", "network"], &["hardware"]);
        case(&["!all", "!min", "env"], &["env"], &["user"]);
        case(&["!all", "!nosuch"], &["env"], &["hardware"]);
        let problem = resolve_subset(&["netwrk".to_owned()]).unwrap_err();
        assert_eq!(
            (problem.to_string().as_str(), problem.suggestion),
            ("the fact subset `netwrk` is not known", Some("network"))
        );
    }

    #[test]
    fn filters() {
        for (name, pattern, passes) in [
            ("ansible_memtotal_mb", "ansible_*_mb", true),
            ("ansible_os_family", "os_family", true),
            ("ansible_eth0", "ansible_eth[0-2]", true),
            ("ansible_eth0", "lo", false),
        ] {
            assert_eq!(is_selected(name, &[pattern.to_owned()]), passes, "{name} {pattern}");
        }
    }
}
