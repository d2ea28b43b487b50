//! The connections of a port, as the system lists them in `/proc/net/tcp` and `/proc/net/tcp6`.

use std::net::IpAddr;

use super::WaitError;
use crate::modules::Failure;

const STATES: [(&str, u8); 6] =
    [("ESTABLISHED", 1), ("SYN_SENT", 2), ("SYN_RECV", 3), ("FIN_WAIT1", 4), ("FIN_WAIT2", 5), ("TIME_WAIT", 6)];

/// The numbers of TCP states.
///
/// # Errors
/// For a name that is not known.
pub fn state_numbers(names: &[String]) -> Result<Vec<u8>, WaitError> {
    let number = |name: &String| {
        let known = STATES.iter().find(|(known, _)| known == name).map(|(_, number)| *number);
        known.ok_or_else(|| WaitError::UnknownState(name.clone()))
    };
    names.iter().map(number).collect()
}

/// Counts connections of one port.
pub struct ConnectionCounter {
    local: Vec<IpAddr>,
    port: i64,
    excluded: Vec<IpAddr>,
    states: Vec<u8>,
}

impl ConnectionCounter {
    /// Looks up the names of the hosts.
    ///
    /// # Errors
    /// For a host that has no address.
    pub async fn new(host: &str, port: i64, excluded: &[String], states: Vec<u8>) -> Result<Self, Failure> {
        let mut excluded_addresses = Vec::new();
        for host in excluded {
            excluded_addresses.extend(resolve_addresses(host).await?);
        }
        Ok(Self { local: resolve_addresses(host).await?, port, excluded: excluded_addresses, states })
    }

    /// How many there are now.
    pub fn count_connections(&self) -> usize {
        ["/proc/net/tcp", "/proc/net/tcp6"]
            .iter()
            .filter_map(|file| std::fs::read_to_string(file).ok())
            .map(|table| self.count_in(&table))
            .sum()
    }

    fn count_in(&self, table: &str) -> usize {
        let counts = |line: &&str| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let [_, local, remote, state, ..] = fields[..] else { return false };
            let (Some(local), Some(remote)) = (end_point(local), end_point(remote)) else { return false };
            let here = self.local.iter().any(|wanted| wanted.is_unspecified() || *wanted == local.0);
            i64::from(local.1) == self.port
                && here
                && u8::from_str_radix(state, 16).is_ok_and(|state| self.states.contains(&state))
                && !self.excluded.contains(&remote.0)
        };
        table.lines().skip(1).filter(counts).count()
    }
}

async fn resolve_addresses(host: &str) -> Result<Vec<IpAddr>, Failure> {
    let found = tokio::net::lookup_host((host, 80)).await;
    let found = found.map_err(|error| Failure::new(format!("cannot find the address of `{host}`: {error}")))?;
    Ok(found.map(|address| address.ip().to_canonical()).collect())
}

/// An address and a port in hex; the words of the address are in the byte order of the machine.
fn end_point(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.split_once(':')?;
    let words: Option<Vec<[u8; 4]>> = (0..address.len() / 8)
        .map(|at| u32::from_str_radix(address.get(at * 8..at * 8 + 8)?, 16).ok().map(u32::to_ne_bytes))
        .collect();
    let bytes = words?.concat();
    let address = match <[u8; 4]>::try_from(&bytes[..]) {
        Ok(four) => IpAddr::from(four),
        Err(_) => IpAddr::from(<[u8; 16]>::try_from(&bytes[..]).ok()?),
    };
    Some((address.to_canonical(), u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn connections_are_counted() {
        let table = "  sl  local_address rem_address   st\n\
                     0: 0100007F:1F90 0200007F:C000 01 x\n\
                     1: 0100007F:1F90 0300007F:C001 0A x\n\
                     2: 0100007F:1F91 0200007F:C002 01 x\n";
        let mut watch = ConnectionCounter {
            local: vec!["127.0.0.1".parse().unwrap()],
            port: 8080,
            excluded: Vec::new(),
            states: state_numbers(&["ESTABLISHED".to_owned()]).unwrap(),
        };
        assert_eq!(watch.count_in(table), 1);
        watch.excluded = vec!["127.0.0.2".parse().unwrap()];
        assert_eq!(watch.count_in(table), 0);
        let unknown = state_numbers(&["GONE".to_owned()]).unwrap_err();
        assert_eq!(unknown.to_string(), "unknown active_connection_state (GONE) defined");
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn mapped_addresses_are_plain_ones() {
        let (address, port) = end_point("0000000000000000FFFF00000100007F:0050").unwrap();
        assert_eq!((address.to_string().as_str(), port), ("127.0.0.1", 80));
    }
}
