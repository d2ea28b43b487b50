//! Secrets in the status file of a background job.
//!
//! What is typed as secret in the process of the job has to be so again where its result is read. The file says where
//! such texts are, and repeats none of them.

use crate::value::{Dict, Value};

/// Returns the places of everything derived from a secret: the keys and indices on the way to it.
pub fn secret_paths(of: &Dict) -> Value {
    let mut found = Vec::new();
    for (key, value) in of.iter() {
        collect_secret_paths(value, &mut vec![key.clone()], &mut found);
    }
    Value::list(found)
}

fn collect_secret_paths(value: &Value, way: &mut Vec<Value>, found: &mut Vec<Value>) {
    let mut step = |at: Value, member: &Value| {
        way.push(at);
        collect_secret_paths(member, way, found);
        way.pop();
    };
    match value {
        secret if secret.is_tainted() => found.push(Value::list(way.iter().cloned())),
        Value::Dict(dict) => dict.iter().for_each(|(key, member)| step(key.clone(), member)),
        Value::List(items) | Value::Tuple(items) => {
            items.iter().enumerate().for_each(|(at, member)| step(Value::from(at), member));
        }
        _ => {}
    }
}

/// Marks what stands in these places as derived from a secret.
pub fn taint_paths(all: &mut Dict, places: &Value) {
    let Value::List(places) = places else { return };
    for place in places.iter() {
        let Value::List(way) = place else { continue };
        if let Some((first, rest)) = way.split_first()
            && let Some(value) = all.get_value(first)
        {
            let hidden = taint_at(value, rest);
            all.insert(first.clone(), hidden);
        }
    }
}

fn taint_at(value: &Value, way: &[Value]) -> Value {
    match (value, way.split_first()) {
        (secret, None) => secret.clone().into_tainted(),
        (Value::Dict(dict), Some((key, rest))) => {
            let members = dict.iter();
            let hide = |(name, member): (&Value, &Value)| {
                (name.clone(), if name == key { taint_at(member, rest) } else { member.clone() })
            };
            Value::from(members.map(hide).collect::<Dict>())
        }
        (Value::List(items), Some((Value::Int(at), rest))) => {
            let meant = usize::try_from(*at).ok();
            let hide = |(index, member)| if Some(index) == meant { taint_at(member, rest) } else { member.clone() };
            Value::list(items.iter().enumerate().map(hide))
        }
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::json::{self, JsonStyle};

    #[test]
    fn what_was_secret_is_so_again() {
        let secret = Value::Str(crate::value::Text::new_plain("only-once").into_secret());
        let deep = Value::dict([("in", Value::list([Value::text("open"), secret.clone()]))]);
        let mut all = Dict::new();
        all.set("plain", Value::text("open"));
        all.set("deep", deep);
        let places = secret_paths(&all);
        assert_eq!(json::to_string(&places, JsonStyle::EVENT), r#"[["deep", "in", 1]]"#);
        let Ok(Value::Dict(read)) = json::from_str(&json::to_string(&Value::from(all), JsonStyle::EVENT)) else {
            panic!()
        };
        let mut read = (*read).clone();
        taint_paths(&mut read, &places);
        let mut found = Vec::new();
        Value::from(read).each_secret(&mut |text| found.push(text.to_owned()));
        assert_eq!(found, ["only-once"]);
    }
}
