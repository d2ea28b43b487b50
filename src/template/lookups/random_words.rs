//! Text by chance: characters, and names made of words.

use base64::Engine as _;

use super::call::{lookup_error, read_option, read_switch, warn_unknown_options};
use crate::template::error::TemplateError;
use crate::template::plugin::{Lookup, PluginCall};
use crate::template::python::random::Random;
use crate::value::{Value, python};

/// The family.
pub const TABLE: &[Lookup] = &[
    Lookup::new("community.general.random_pet", random_pet, "Returns a random name made of words."),
    Lookup::new("community.general.random_string", random_string, "Returns random characters."),
];

const OPTIONS: [&str; 15] = [
    "base64",
    "ignore_similar_chars",
    "length",
    "lower",
    "min_lower",
    "min_numeric",
    "min_special",
    "min_upper",
    "numbers",
    "override_all",
    "override_special",
    "seed",
    "similar_chars",
    "special",
    "upper",
];

fn number(call: &PluginCall<'_>, name: &str, default: usize) -> Result<usize, TemplateError> {
    let Some(value) = call.args.get_named(name).filter(|value| !value.is_null()) else { return Ok(default) };
    let text = python::str(value);
    match text.trim().parse::<i64>() {
        Ok(number) => Ok(usize::try_from(number).unwrap_or(0).min(1 << 20)),
        Err(_) => Err(lookup_error(format!("the option `{name}` must be a whole number, not `{text}`"))),
    }
}

fn random_string(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    warn_unknown_options(call, &OPTIONS);
    let seed = call.args.get_named("seed").filter(|seed| !seed.is_null()).map(python::str);
    let mut random = seed.as_deref().map_or_else(Random::from_system, Random::from_text);
    let similar = match read_switch(call, "ignore_similar_chars", false)? {
        true => read_option(call, "similar_chars")?.unwrap_or_else(|| "il1LoO0".to_owned()),
        false => String::new(),
    };
    let set = |chars: &str| chars.chars().filter(|c| !similar.contains(*c)).collect::<Vec<char>>();
    let lower = set("abcdefghijklmnopqrstuvwxyz");
    let upper = set("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    let digits = set("0123456789");
    let special = match read_option(call, "override_special")?.filter(|chars| !chars.is_empty()) {
        Some(chars) => chars.chars().collect(),
        None => set("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
    };
    let mut chosen: Vec<char> = Vec::new();
    let mut draw = |chars: &[char], count: usize, chosen: &mut Vec<char>| {
        if chars.is_empty() {
            return Err(lookup_error("Available characters cannot be None, please change constraints"));
        }
        chosen.extend((0..count).filter_map(|_| random.choice(chars)));
        Ok(())
    };
    let available: Vec<char> = match read_option(call, "override_all")?.filter(|chars| !chars.is_empty()) {
        Some(chars) => chars.chars().collect(),
        None => {
            for (name, chars) in
                [("min_numeric", &digits), ("min_lower", &lower), ("min_upper", &upper), ("min_special", &special)]
            {
                match number(call, name, 0)? {
                    0 => {}
                    count => draw(chars, count, &mut chosen)?,
                }
            }
            let mut available = Vec::new();
            for (name, chars) in [("upper", &upper), ("lower", &lower), ("numbers", &digits), ("special", &special)] {
                if read_switch(call, name, true)? {
                    available.extend(chars);
                }
            }
            available
        }
    };
    let rest = number(call, "length", 8)?.saturating_sub(chosen.len());
    draw(&available, rest, &mut chosen)?;
    if seed.is_none() {
        random.shuffle(&mut chosen);
    }
    let text: String = chosen.into_iter().collect();
    Ok(vec![Value::text(match read_switch(call, "base64", false)? {
        true => base64::engine::general_purpose::STANDARD.encode(text),
        false => text,
    })])
}

const ADVERBS: &str = "ably amply aptly badly barely boldly calmly coolly daily darkly deeply dimly duly early easily \
    evenly fairly firmly fondly freely fully gladly hardly highly justly kindly lately lightly mainly mildly mostly \
    nearly neatly newly nicely oddly openly partly poorly purely quickly rarely really safely simply slowly softly \
    solely surely truly vastly wholly widely yearly";
const ADJECTIVES: &str = "able active alert amused apt awake basic big bold brave bright calm careful clean clear close \
    cool crisp daring dear deep eager easy fair fast fine firm fit fond fresh full fun game gentle glad good grand great \
    happy handy holy keen kind large legal light loved lucky meet merry mint model moral neat new nice noble open oriented \
    pet pro proud pure quick rapid rare ready real rich safe sharp smart smooth solid sound still strong sure sweet tidy \
    true up vital warm well whole wise";
const PETS: &str = "ant ape asp ass badger bass bat bear bee beetle bird bison bug calf camel cat chow clam cobra cod cow \
    crab crow cub deer doe dog dove duck eagle eel elf elk ewe falcon fawn fish flea fly fowl fox frog gnat gnu goat goose \
    grouse gull hare hawk hen heron hog horse hound ibex jay kit kite koala lamb lark lion lynx mako mole moose moth mouse \
    mule newt orca oryx owl ox panda pig pika pony puma pup quail ram rat raven ray robin seal shad shark sheep shrew skunk \
    snail snake squid stag swan swift tapir tick tiger toad trout turtle viper wasp weasel whale wolf wombat worm wren yak \
    zebra";

fn random_pet(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    warn_unknown_options(call, &["words", "prefix", "separator", "length"]);
    let separator = read_option(call, "separator")?.unwrap_or_else(|| "-".to_owned());
    let longest = number(call, "length", 6)?.max(3);
    let count = number(call, "words", 2)?.min(1000);
    let mut random = Random::from_system();
    let mut pick = |words: &'static str| {
        let short: Vec<&str> = words.split_whitespace().filter(|word| word.len() <= longest).collect();
        random.choice(&short).copied().unwrap_or("pet")
    };
    let mut parts: Vec<String> = read_option(call, "prefix")?.filter(|prefix| !prefix.is_empty()).into_iter().collect();
    for left in (1..=count.max(1)).rev() {
        parts.push(
            pick(match left {
                1 => PETS,
                2 => ADJECTIVES,
                _ => ADVERBS,
            })
            .to_owned(),
        );
    }
    Ok(vec![Value::text(parts.join(&separator))])
}
