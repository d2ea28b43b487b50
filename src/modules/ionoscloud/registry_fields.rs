//! What a task says of the fields of a registry, checked before anything is sent.

use crate::ionos::Deferred;
use crate::modules::resource::ResourceError;
use crate::modules::resource::options::{argument_error, wrong_in};
use crate::modules::spec::{Param, ParamKind};
use crate::modules::{ModuleArgs, TaskContext};
use crate::reconcile::{DAYS, ScheduleDesired};
use crate::suggest;
use crate::value::{Dict, Value};

/// The members of `garbage_collection_schedule`, for the reference and for editors.
pub(super) const SCHEDULE: &[Param] = &[
    Param::list("days", &ParamKind::Str, "Days of the week, in English.").usual_values(&DAYS),
    Param::str("time", "Time of day with its offset from UTC, such as `01:23:00+00:00`."),
];

/// The members of `features`.
pub(super) const FEATURES: &[Param] = &[Param::new(
    "vulnerability_scanning",
    ParamKind::Dict(&[Param::bool("enabled", "Whether images are scanned.")]),
    "Scanning of images for vulnerabilities.",
)];

/// Most networks that the service takes.
const MOST_SUBNETS: usize = 25;

/// A name that the service accepts: 3 to 63 lower-case letters, digits and hyphens, a letter first, no hyphen last.
pub(super) fn check_name(name: &str, args: &ModuleArgs, context: &TaskContext<'_>) -> Result<(), ResourceError> {
    let bytes = name.as_bytes();
    let why = if !(3..=63).contains(&name.chars().count()) {
        "it must have 3 to 63 characters"
    } else if !bytes[0].is_ascii_lowercase() {
        "it must begin with a lower-case letter"
    } else if bytes.ends_with(b"-") {
        "it must not end with a hyphen"
    } else if bytes.iter().any(|b| !b.is_ascii_lowercase() && !b.is_ascii_digit() && *b != b'-') {
        "it may have lower-case letters, digits and hyphens only"
    } else {
        return Ok(());
    };
    Err(argument_error(format!("`name` `{name}` is not a valid registry name: {why}"), "name", args, context).into())
}

pub(super) fn desired_schedule(
    args: &ModuleArgs,
    context: &TaskContext<'_>,
) -> Result<Option<Deferred<ScheduleDesired>>, ResourceError> {
    const NAME: &str = "garbage_collection_schedule";
    let refuse = |said: String| ResourceError::from(argument_error(said, NAME, args, context));
    let dict = match args.get(NAME) {
        None => return Ok(None),
        Some(Value::Unknown(unknown)) => return Ok(Some(Deferred::Unknown(unknown.clone()))),
        Some(Value::Dict(dict)) => dict,
        Some(_) => return Err(refuse(format!("`{NAME}` must be a mapping with `days` and `time`"))),
    };
    known_keys(dict, &["days", "time"], NAME, args, context)?;
    for value in dict.values() {
        if let Value::Unknown(unknown) = value {
            return Ok(Some(Deferred::Unknown(unknown.clone())));
        }
    }
    let days = match dict.get("days").filter(|days| !days.is_null()) {
        None => None,
        Some(value) => {
            let items = value.as_slice().ok_or_else(|| refuse(format!("`{NAME}.days` must be a list of days")))?;
            let days: Result<Vec<String>, ResourceError> = items
                .iter()
                .enumerate()
                .map(|(index, item)| {
                    let text = item.as_str().unwrap_or_default();
                    let known = DAYS.iter().find(|day| day.eq_ignore_ascii_case(text)).map(|&day| day.to_owned());
                    known.ok_or_else(|| {
                        let said = format!("`{NAME}.days[{index}]` is not a day: write `Monday` to `Sunday`");
                        ResourceError::from(wrong_in(item, said, NAME, args, context).suggest(text, &DAYS))
                    })
                })
                .collect();
            Some(days?)
        }
    };
    let time = match dict.get("time").filter(|time| !time.is_null()) {
        None => None,
        Some(Value::Str(text)) if is_time(text) => Some(text.as_str().to_owned()),
        Some(odd @ Value::Str(text)) => {
            let said =
                format!("`{NAME}.time` `{}` is not a time of day: write it like `01:23:00+00:00`", text.as_str());
            return Err(wrong_in(odd, said, NAME, args, context).into());
        }
        Some(_) => {
            return Err(refuse(format!("`{NAME}.time` must be text; put it in quotes: `time: \"01:23:00+00:00\"`")));
        }
    };
    Ok(Some(Deferred::Known(ScheduleDesired { days, time })))
}

pub(super) fn desired_scanning(
    args: &ModuleArgs,
    context: &TaskContext<'_>,
) -> Result<Option<Deferred<bool>>, ResourceError> {
    let refuse = || {
        let said = "`features` must look like `{vulnerability_scanning: {enabled: true}}`".to_owned();
        ResourceError::from(argument_error(said, "features", args, context))
    };
    let mut value = match args.get("features") {
        None => return Ok(None),
        Some(value) => value,
    };
    for (key, place) in [("vulnerability_scanning", "features"), ("enabled", "features.vulnerability_scanning")] {
        match value {
            Value::Unknown(unknown) => return Ok(Some(Deferred::Unknown(unknown.clone()))),
            Value::Dict(dict) => {
                known_keys(dict, &[key], place, args, context)?;
                match dict.get(key).filter(|inner| !inner.is_null()) {
                    Some(inner) => value = inner,
                    None => return Ok(None),
                }
            }
            _ => return Err(refuse()),
        }
    }
    match value {
        Value::Unknown(unknown) => Ok(Some(Deferred::Unknown(unknown.clone()))),
        Value::Bool(on) => Ok(Some(Deferred::Known(*on))),
        Value::Str(text) => match text.to_lowercase().as_str() {
            "yes" | "true" | "on" | "1" => Ok(Some(Deferred::Known(true))),
            "no" | "false" | "off" | "0" => Ok(Some(Deferred::Known(false))),
            _ => Err(refuse()),
        },
        _ => Err(refuse()),
    }
}

pub(super) fn desired_subnets(
    args: &ModuleArgs,
    context: &TaskContext<'_>,
) -> Result<Option<Deferred<Vec<String>>>, ResourceError> {
    const NAME: &str = "api_subnet_allow_list";
    let items = match args.get(NAME) {
        None => return Ok(None),
        Some(Value::Unknown(unknown)) => return Ok(Some(Deferred::Unknown(unknown.clone()))),
        Some(value) => value.as_slice().unwrap_or_default(),
    };
    let refuse = |said: String| ResourceError::from(argument_error(said, NAME, args, context));
    if items.len() > MOST_SUBNETS {
        return Err(refuse(format!("`{NAME}` has {} entries; the service takes {MOST_SUBNETS}", items.len())));
    }
    let mut nets = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        match item {
            Value::Unknown(unknown) => return Ok(Some(Deferred::Unknown(unknown.clone()))),
            Value::Str(text) if is_network(text) => nets.push(text.as_str().to_owned()),
            other => {
                let shown = crate::value::python::str(other);
                let said = format!("`{NAME}[{index}]` `{shown}` is neither an address nor a network");
                return Err(wrong_in(other, said, NAME, args, context).into());
            }
        }
    }
    Ok(Some(Deferred::Known(nets)))
}

/// Hours, minutes and seconds, perhaps a fraction, perhaps an offset from UTC.
fn is_time(text: &str) -> bool {
    let digits = |part: &str, most: u8| part.len() == 2 && part.parse::<u8>().is_ok_and(|number| number <= most);
    let Some((time, rest)) = text.split_at_checked(8) else { return false };
    let whole = time.split(':').zip([23, 59, 60]).filter(|(part, most)| digits(part, *most)).count() == 3
        && time.matches(':').count() == 2;
    let offset = rest.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let known = matches!(offset, "" | "Z" | "z")
        || offset
            .strip_prefix(['+', '-'])
            .and_then(|offset| offset.split_once(':'))
            .is_some_and(|(hours, minutes)| digits(hours, 23) && digits(minutes, 59));
    whole && known
}

fn is_network(text: &str) -> bool {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let Ok(ip) = address.parse::<std::net::IpAddr>() else {
        return false;
    };
    let most = if ip.is_ipv4() { 32 } else { 128 };
    bits.is_none_or(|bits| bits.parse::<u8>().is_ok_and(|bits| bits <= most))
}

fn known_keys(
    dict: &Dict,
    known: &[&str],
    place: &str,
    args: &ModuleArgs,
    context: &TaskContext<'_>,
) -> Result<(), ResourceError> {
    let odd = dict.keys().find(|key| !key.as_str().is_some_and(|key| known.contains(&key)));
    let Some(odd) = odd else {
        return Ok(());
    };
    let shown = crate::value::python::str(odd);
    let list = known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    let top = place.split('.').next().unwrap_or(place);
    let mut diagnostic = argument_error(format!("`{place}` has no key `{shown}`; it has {list}"), top, args, context);
    if let Some(meant) = suggest::find_nearest(&shown, known) {
        diagnostic = diagnostic.hint(format!("did you mean `{meant}`?"));
    }
    Err(diagnostic.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day() {
        for good in ["01:23:00+00:00", "23:59:59", "01:23:00Z", "01:23:00.5-05:30"] {
            assert!(is_time(good), "{good}");
        }
        for bad in ["", "01:00", "24:00:00", "1:23:00", "01:23:00+0000", "01:23:00 UTC", "01-23-00", "ü1:23:00"] {
            assert!(!is_time(bad), "{bad}");
        }
    }
}
