//! Which hosts a play runs on, in which order, and in which batches.

use std::rc::Rc;

use crate::diagnostic::Diagnostic;
use crate::value::Value;

/// The order of the hosts of a play.
///
/// # Errors
/// If the keyword's value is none of the known ones.
pub fn order_hosts(mut hosts: Vec<Rc<str>>, order: Option<&str>) -> Result<Vec<Rc<str>>, Diagnostic> {
    const KNOWN: &[&str] = &["inventory", "reverse_inventory", "sorted", "reverse_sorted", "shuffle"];
    match order.unwrap_or("inventory") {
        "inventory" => {}
        "reverse_inventory" => hosts.reverse(),
        "sorted" => hosts.sort(),
        "reverse_sorted" => {
            hosts.sort();
            hosts.reverse();
        }
        "shuffle" => {
            use rand::seq::SliceRandom;
            hosts.shuffle(&mut rand::rng());
        }
        other => {
            return Err(Diagnostic::error(format!("`order` must be one of `{}`, not `{other}`", KNOWN.join("`, `")))
                .suggest(other, KNOWN));
        }
    }
    Ok(hosts)
}

/// Splits the hosts into batches: numbers, percentages, or a list of both of which the last is repeated.
///
/// # Errors
/// If an entry that is needed is neither a number nor a percentage.
pub fn split_batches(hosts: &[Rc<str>], serial: Option<&Value>) -> Result<Vec<Vec<Rc<str>>>, Diagnostic> {
    let sizes: Vec<Value> = match serial {
        None => return Ok(vec![hosts.to_vec()]),
        Some(Value::List(items)) => items.to_vec(),
        Some(one) => vec![one.clone()],
    };
    let mut rest = hosts;
    let mut batches = Vec::new();
    let mut index = 0;
    while !rest.is_empty() {
        let size = sizes.get(index).or(sizes.last()).map_or(Ok(0), |size| size_of(size, hosts.len()))?;
        let size = if size == 0 { rest.len() } else { size.min(rest.len()) };
        let (batch, left) = rest.split_at(size);
        batches.push(batch.to_vec());
        rest = left;
        index += 1;
    }
    if batches.is_empty() {
        batches.push(Vec::new());
    }
    Ok(batches)
}

/// Returns a percentage of hosts, at least one, as Ansible rounds it.
fn size_of(size: &Value, hosts: usize) -> Result<usize, Diagnostic> {
    let text = crate::value::python::str(size);
    let wrong = || Diagnostic::error(format!("`serial` must be a number or a percentage, not `{text}`"));
    match text.trim().strip_suffix('%') {
        Some(share) => {
            let share: f64 = share.trim().parse().map_err(|_| wrong())?;
            Ok(((share / 100.0 * hosts as f64) as usize).max(1))
        }
        None => text.trim().parse::<f64>().map(|n| n.max(0.0) as usize).map_err(|_| wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(hosts: usize, serial: Value, expected: &[usize]) {
        let hosts: Vec<Rc<str>> = (0..hosts).map(|i| Rc::from(format!("h{i}"))).collect();
        let sizes: Vec<usize> = split_batches(&hosts, Some(&serial)).unwrap().iter().map(Vec::len).collect();
        assert_eq!(sizes, expected);
    }

    #[test]
    fn batches_follow_the_sizes() {
        case(5, Value::Int(2), &[2, 2, 1]);
        case(5, Value::text("40%"), &[2, 2, 1]);
        case(3, Value::text("10%"), &[1, 1, 1]);
        case(6, Value::list([Value::Int(1), Value::Int(2)]), &[1, 2, 2, 1]);
        case(3, Value::Int(0), &[3]);
    }
}
