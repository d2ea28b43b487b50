//! The fewest networks that cover some networks.

use super::address::{Address, Version};
use super::range::Network;

/// Merges networks that overlap or touch. One that could not be merged stays as written.
pub fn merge_networks(networks: &[Network]) -> Vec<Network> {
    let mut sorted: Vec<Network> = networks.to_vec();
    sorted.sort_by_key(|network| (network.version(), network.last().bits, network.first().bits));
    // First and last address, and the network if it is the only one in the range.
    let mut ranges: Vec<(u128, u128, Version, Option<Network>)> = Vec::new();
    for network in sorted {
        let (first, last, version) = (network.first().bits, network.last().bits, network.version());
        let mut merged = (first, last, version, Some(network));
        while let Some(before) =
            ranges.last().filter(|before| before.2 == version && (merged.0 == 0 || before.1 >= merged.0 - 1))
        {
            merged = (before.0.min(merged.0), merged.1, version, None);
            ranges.pop();
        }
        ranges.push(merged);
    }
    ranges
        .into_iter()
        .flat_map(|(first, last, version, single)| match single {
            Some(network) => vec![network],
            None => split_range(version, first, last),
        })
        .collect()
}

/// Splits a range of addresses into networks.
fn split_range(version: Version, first: u128, last: u128) -> Vec<Network> {
    let mut networks = Vec::new();
    let mut next = Some(first);
    while let Some(start) = next.filter(|start| *start <= last) {
        let mut prefix = version.width();
        while prefix > 0 {
            let mask = version.host_mask(prefix - 1);
            if start & mask != 0 || last - start < mask {
                break;
            }
            prefix -= 1;
        }
        networks.push(Network { address: Address { version, bits: start }, prefix });
        next = start.checked_add(version.host_mask(prefix)).and_then(|end| end.checked_add(1));
    }
    networks
}

/// Returns the smallest network that holds all of them; `None` if their versions differ, or there are none.
pub fn span_networks(networks: &[Network]) -> Option<Network> {
    let key = |network: &&Network| (network.version(), network.first().bits, network.prefix, network.address.bits);
    let lowest = networks.iter().min_by_key(key)?;
    let highest = networks.iter().max_by_key(key)?;
    if lowest.version() != highest.version() {
        return None;
    }
    let (version, mut prefix, mut bits) = (highest.version(), highest.prefix, highest.last().bits);
    while prefix > 0 && bits > lowest.first().bits {
        prefix -= 1;
        bits &= !version.host_mask(prefix);
    }
    Some(Network { address: Address { version, bits }, prefix })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn merged(networks: &str, result: &str) {
        let networks: Vec<Network> = networks.split(' ').map(|text| Network::parse(text).unwrap()).collect();
        let merged: Vec<String> = merge_networks(&networks).iter().map(Network::to_string).collect();
        assert_eq!(merged.join(" "), result);
    }

    #[test]
    fn neighbours_become_one_network() {
        merged("192.168.0.0/17 192.168.128.0/17 192.168.128.1", "192.168.0.0/16");
        merged("10.0.0.0/24 10.0.2.0/24", "10.0.0.0/24 10.0.2.0/24");
        merged("10.0.0.1/24", "10.0.0.1/24");
        merged("10.0.0.1 10.0.0.2 10.0.0.3", "10.0.0.1/32 10.0.0.2/31");
        merged("::/1 8000::/1", "::/0");
        merged("::/32 10.0.0.0/8 0.0.0.0/0", "0.0.0.0/0 ::/32");
    }

    #[test]
    fn span_covers_all() {
        let networks = ["10.0.0.1", "10.0.0.200"].map(|text| Network::parse(text).unwrap());
        assert_eq!(span_networks(&networks).unwrap().to_string(), "10.0.0.0/24");
    }
}
