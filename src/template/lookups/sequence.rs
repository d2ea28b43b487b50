//! Rows of numbers as text: `start=1 end=9 stride=2 format=host%02d`, or in short `1-9/2:host%02d`.

use super::call::{lookup_error, require_text, warn_unknown_options};
use super::terms;
use crate::template::budget;
use crate::template::error::TemplateError;
use crate::template::plugin::{Lookup, PluginArgs, PluginCall};
use crate::value::{Value, python};

/// `sequence`
pub const TABLE: &[Lookup] = &[Lookup::new("sequence", sequence, "Returns formatted numbers from a start to an end.")];

const OPTIONS: [&str; 5] = ["start", "end", "count", "stride", "format"];
const LIMIT: i64 = 10_000_000;

struct Plan {
    start: i64,
    end: Option<i64>,
    count: Option<i64>,
    stride: i64,
    format: String,
}

fn sequence(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    warn_unknown_options(call, &OPTIONS);
    let mut results = Vec::new();
    let terms: Vec<String> =
        call.args.positional.iter().map(|term| require_text(call, term)).collect::<Result<_, _>>()?;
    let terms = if terms.is_empty() && !call.args.named.is_empty() { vec![String::new()] } else { terms };
    for term in &terms {
        let mut plan = Plan { start: 1, end: None, count: None, stride: 1, format: "%d".to_owned() };
        for (name, value) in &call.args.named {
            if OPTIONS.contains(&&**name) {
                plan.set_option(name, &python::str(value))?;
            }
        }
        if !plan.parse_short(term) {
            let (plain, options) = terms::parse_term(term);
            if !plain.is_empty() {
                return Err(lookup_error(format!("the sequence `{plain}` has an invalid value"))
                    .hint("write `[START-]END[/STRIDE][:FORMAT]`"));
            }
            let odd: Vec<String> = options
                .iter()
                .map(|(name, _)| name)
                .filter(|name| !OPTIONS.contains(&name.as_str()))
                .cloned()
                .collect();
            if let Some(first) = odd.first() {
                let problem = lookup_error(format!("unrecognized arguments to with_sequence: {}", odd.join(", ")));
                return Err(problem.suggest_name(first, OPTIONS.iter()));
            }
            for (name, value) in options {
                plan.set_option(&name, &value)?;
            }
        }
        for number in plan.list_numbers()? {
            let args = PluginArgs::from_positional([Value::Int(number)]);
            budget::reserve_output(plan.format.len())?;
            results.push(call.context.call_filter("format", Value::text(plan.format.as_str()), args)?);
        }
    }
    Ok(results)
}

impl Plan {
    fn set_option(&mut self, name: &str, value: &str) -> Result<(), TemplateError> {
        if name == "format" {
            value.clone_into(&mut self.format);
            return Ok(());
        }
        let number = value.trim().parse().map_err(|_| {
            lookup_error(format!("the option `{name}` has an invalid value: `{value}` is not a number"))
        })?;
        match name {
            "start" => self.start = number,
            "end" => self.end = Some(number),
            "count" => self.count = Some(number),
            _ => self.stride = number,
        }
        Ok(())
    }

    /// `[START-]END[/STRIDE][:FORMAT]`; whether the term was one.
    fn parse_short(&mut self, term: &str) -> bool {
        let (range, format) = term.split_once(':').map_or((term, None), |(range, format)| (range, Some(format)));
        let (range, stride) = range.split_once('/').map_or((range, None), |(range, stride)| (range, Some(stride)));
        let (start, end) = range.split_once('-').map_or((None, range), |(start, end)| (Some(start), end));
        let numbers = [Some(end), start, stride];
        if !numbers.into_iter().flatten().all(|text| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())) {
            return false;
        }
        self.end = end.parse().ok();
        self.start = start.and_then(|text| text.parse().ok()).unwrap_or(self.start);
        self.stride = stride.and_then(|text| text.parse().ok()).unwrap_or(self.stride);
        if let Some(format) = format {
            format.clone_into(&mut self.format);
        }
        true
    }

    fn list_numbers(&self) -> Result<Vec<i64>, TemplateError> {
        let (start, stride) = (self.start, self.stride);
        let end = match (self.count, self.end) {
            (None, None) => return Err(lookup_error("must specify count or end in with_sequence")),
            (Some(_), Some(_)) => return Err(lookup_error("can't specify both count and end in with_sequence")),
            (Some(0), _) => return Ok(Vec::new()),
            (Some(count), _) => start.saturating_add(count.saturating_mul(stride)).saturating_sub(1),
            (_, Some(end)) => end,
        };
        if stride > 0 && end < start {
            return Err(lookup_error("to count backwards make stride negative"));
        }
        if stride < 0 && end > start {
            return Err(lookup_error("to count forward don't make stride negative"));
        }
        if self.format.matches('%').count() != 1 {
            return Err(lookup_error(format!("bad formatting string: {}", self.format)).hint("such as `%02d`"));
        }
        if stride == 0 {
            return Ok(Vec::new());
        }
        let count = end.saturating_sub(start).saturating_div(stride);
        if count >= LIMIT {
            return Err(lookup_error(format!("a sequence can have at most {LIMIT} members")));
        }
        Ok((0..=count).map(|index| start + index * stride).collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::template::lookups::stage::Stage;

    #[track_caller]
    fn case(term: &str, results: &str) {
        let found = Stage::default().run_lookup("sequence", &format!("[{term:?}]"), "{}").unwrap();
        assert_eq!(found.iter().filter_map(|v| v.as_str()).collect::<Vec<_>>().join(" "), results);
    }

    #[test]
    fn rows() {
        case("start=1 end=4", "1 2 3 4");
        case("end=6 stride=2", "1 3 5");
        case("count=3", "1 2 3");
        case("start=4 end=8 stride=2 format=host%02d", "host04 host06 host08");
        case("5", "1 2 3 4 5");
        case("2-6/2:p%02d", "p02 p04 p06");
        case("start=3 end=1 stride=-1", "3 2 1");
        case("count=0", "");
        for bad in [
            "start=1",
            "count=1 end=2",
            "start=3 end=1",
            "end=3 stride=-1",
            "0x0a",
            "end=x",
            "end=3 format=x",
            "nope=1",
        ] {
            assert!(Stage::default().run_lookup("sequence", &format!("[{bad:?}]"), "{}").is_err(), "{bad}");
        }
    }
}
