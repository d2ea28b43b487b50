//! Processors, memory, mounted file systems, and what is virtual about them.

use std::path::Path;

use super::{Facts, read_trimmed};
use crate::value::{Dict, Value};

pub(super) fn collect_hardware(facts: &mut Facts<'_>) {
    collect_memory(facts);
    collect_processor(facts);
    let uptime = read_trimmed("/proc/uptime").and_then(|line| line.split('.').next()?.parse::<i64>().ok());
    if let Some(seconds) = uptime {
        facts.set("uptime_seconds", seconds);
    }
    let load: Vec<f64> = read_trimmed("/proc/loadavg")
        .unwrap_or_default()
        .split(' ')
        .take(3)
        .filter_map(|number| number.parse().ok())
        .collect();
    if let [one, five, fifteen] = load[..] {
        facts.set("loadavg", Value::dict([("1m", one.into()), ("5m", five.into()), ("15m", Value::Float(fifteen))]));
    }
    for (name, file) in [
        ("product_name", "product_name"),
        ("product_serial", "product_serial"),
        ("product_uuid", "product_uuid"),
        ("product_version", "product_version"),
        ("system_vendor", "sys_vendor"),
        ("bios_date", "bios_date"),
        ("bios_vendor", "bios_vendor"),
        ("bios_version", "bios_version"),
        ("board_name", "board_name"),
        ("board_vendor", "board_vendor"),
        ("chassis_vendor", "chassis_vendor"),
    ] {
        facts.set(name, read_trimmed(format!("/sys/class/dmi/id/{file}")).unwrap_or_else(|| "NA".to_owned()));
    }
}

fn collect_memory(facts: &mut Facts<'_>) {
    let table = read_trimmed("/proc/meminfo").unwrap_or_default();
    let megabytes = |name: &str| -> i64 {
        let line = table.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|rest| rest.split_whitespace().next()?.parse::<i64>().ok()).unwrap_or(0) / 1024
    };
    let (total, free) = (megabytes("MemTotal"), megabytes("MemFree"));
    let (swap, swap_free) = (megabytes("SwapTotal"), megabytes("SwapFree"));
    facts.set("memtotal_mb", total);
    facts.set("memfree_mb", free);
    facts.set("swaptotal_mb", swap);
    facts.set("swapfree_mb", swap_free);
    let cached = free + megabytes("Buffers") + megabytes("Cached");
    let group = |entries: &[(&'static str, i64)]| Value::dict(entries.iter().map(|(name, n)| (*name, Value::Int(*n))));
    facts.set(
        "memory_mb",
        Value::dict([
            ("real", group(&[("total", total), ("used", total - free), ("free", free)])),
            ("nocache", group(&[("free", cached), ("used", total - cached)])),
            (
                "swap",
                group(&[
                    ("total", swap),
                    ("free", swap_free),
                    ("used", swap - swap_free),
                    ("cached", megabytes("SwapCached")),
                ]),
            ),
        ]),
    );
}

fn collect_processor(facts: &mut Facts<'_>) {
    let table = read_trimmed("/proc/cpuinfo").unwrap_or_default();
    let mut words = Vec::new();
    let (mut sockets, mut cores, mut siblings, mut threads) = (Vec::new(), 1, 1, 0);
    for (key, value) in table.lines().filter_map(|line| line.split_once(':')) {
        let (key, value) = (key.trim(), value.trim());
        let number = || value.parse::<i64>().unwrap_or(1).max(1);
        match key {
            "processor" => {
                threads += 1;
                words.push(Value::text(value));
            }
            "vendor_id" | "model name" | "cpu" | "Processor" => words.push(Value::text(value)),
            "physical id" if !sockets.contains(&value) => sockets.push(value),
            "cpu cores" => cores = number(),
            "siblings" => siblings = number(),
            "flags" | "Features" => facts.set("flags", Value::list(value.split_whitespace().map(Value::text))),
            _ => {}
        }
    }
    let threads: i64 = threads;
    let known = !sockets.is_empty();
    let count = if known { i64::try_from(sockets.len()).unwrap_or(1) } else { threads };
    facts.set("processor", Value::list(words));
    facts.set("processor_count", count);
    facts.set("processor_cores", cores);
    facts.set("processor_threads_per_core", (siblings / cores).max(1));
    facts.set("processor_vcpus", if known { count * siblings.max(cores) } else { threads });
    facts.set("processor_nproc", std::thread::available_parallelism().map_or(1, usize::from));
}

pub(super) fn collect_mounts(facts: &mut Facts<'_>) {
    let table = read_trimmed("/proc/self/mounts").unwrap_or_default();
    let mounts = table.lines().filter_map(|line| {
        let mut fields = line.split(' ').map(unescape_field);
        let (device, mount, kind, options) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        // Of all that is mounted only what lies on a device or a server is of interest.
        if !(device.starts_with(['/', '\\']) || device.contains(":/")) || kind == "none" {
            return None;
        }
        let mut entry = Dict::new();
        for (name, value) in [("mount", &mount), ("device", &device), ("fstype", &kind), ("options", &options)] {
            entry.set(name, Value::text(value.as_str()));
        }
        entry.set("dump", Value::Int(0));
        entry.set("passno", Value::Int(0));
        entry.set("uuid", Value::text("N/A"));
        if let Ok(size) = rustix::fs::statvfs(mount.as_str()) {
            for (name, number) in [
                ("size_total", size.f_frsize.saturating_mul(size.f_blocks)),
                ("size_available", size.f_frsize.saturating_mul(size.f_bavail)),
                ("block_size", size.f_bsize),
                ("block_total", size.f_blocks),
                ("block_available", size.f_bavail),
                ("block_used", size.f_blocks.saturating_sub(size.f_bavail)),
                ("inode_total", size.f_files),
                ("inode_available", size.f_favail),
                ("inode_used", size.f_files.saturating_sub(size.f_favail)),
            ] {
                entry.set(name, Value::from(number));
            }
        }
        Some(Value::from(entry))
    });
    facts.set("mounts", Value::list(mounts));
}

/// `\040` in the table of mounts is a blank.
fn unescape_field(field: &str) -> String {
    field.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
}

pub(super) fn collect_virtualization(facts: &mut Facts<'_>) {
    let container = if Path::new("/.dockerenv").exists() {
        Some("docker")
    } else if Path::new("/run/.containerenv").exists() {
        Some("podman")
    } else {
        None
    };
    let vendor = read_trimmed("/sys/class/dmi/id/sys_vendor").unwrap_or_default();
    let product = read_trimmed("/sys/class/dmi/id/product_name").unwrap_or_default();
    let virtual_cpu = read_trimmed("/proc/cpuinfo").is_some_and(|table| table.contains(" hypervisor"));
    let machine = match (vendor.as_str(), product.as_str()) {
        ("QEMU", _) | (_, "KVM" | "OpenStack Nova") => Some("kvm"),
        ("VMware, Inc.", _) => Some("VMware"),
        ("innotek GmbH", _) => Some("virtualbox"),
        ("Xen", _) => Some("xen"),
        ("Microsoft Corporation", "Virtual Machine") => Some("VirtualPC"),
        _ if virtual_cpu => Some("kvm"),
        _ => None,
    };
    let mut guest: Vec<&str> = Vec::new();
    guest.extend(container.map(|_| "container"));
    guest.extend(container);
    guest.extend(machine);
    facts.set("virtualization_type", container.or(machine).unwrap_or("NA"));
    facts.set("virtualization_role", if guest.is_empty() { "NA" } else { "guest" });
    facts.set("virtualization_tech_guest", guest);
    let host: Vec<&str> = if Path::new("/dev/kvm").exists() { vec!["kvm"] } else { Vec::new() };
    facts.set("virtualization_tech_host", host);
}
