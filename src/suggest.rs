//! "Did you mean": the nearest known name, or none when nothing is near.

/// Names closer than this (Jaro-Winkler, 0 to 1) are worth a suggestion; below it they only confuse.
const NEAR: f64 = 0.84;

/// The candidate nearest to `wanted`, if one is near enough to be what the user meant.
///
/// Case, and `-` against `_`, are ignored, so `Status` finds `status` and `allow-replace` finds `allow_replace`.
pub fn find_nearest<'a, I, S>(wanted: &str, candidates: I) -> Option<&'a str>
where
    I: IntoIterator<Item = &'a S>,
    S: AsRef<str> + ?Sized + 'a,
{
    find_several(wanted, candidates, 1).into_iter().next()
}

/// The nearest candidates, best first, at most `limit` of them.
pub fn find_several<'a, I, S>(wanted: &str, candidates: I, limit: usize) -> Vec<&'a str>
where
    I: IntoIterator<Item = &'a S>,
    S: AsRef<str> + ?Sized + 'a,
{
    let wanted = fold_name(wanted);
    let mut scored: Vec<(f64, &str)> = candidates
        .into_iter()
        .map(AsRef::as_ref)
        .map(|name| (score_name(&wanted, &fold_name(name)), name))
        .filter(|(score, _)| *score >= NEAR)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    scored.dedup_by(|a, b| a.1 == b.1);
    scored.into_iter().take(limit).map(|(_, name)| name).collect()
}

fn fold_name(name: &str) -> String {
    name.to_lowercase().replace('-', "_")
}

/// Transposed and missing letters count as near even in short words, where Jaro-Winkler is too strict.
fn score_name(wanted: &str, name: &str) -> f64 {
    // `token_name` is not a misspelt `token`: a whole word more is meant.
    let has_more_words = |a: &str, b: &str| a.strip_prefix(b).is_some_and(|rest| rest.starts_with('_'));
    if has_more_words(wanted, name) || has_more_words(name, wanted) {
        return 0.0;
    }
    let distance = strsim::osa_distance(wanted, name);
    let edits = if distance <= 1 && wanted.chars().count() > 2 { 0.95 - 0.01 * distance as f64 } else { 0.0 };
    strsim::jaro_winkler(wanted, name).max(edits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let known = ["status", "scopes", "state", "allow_replace", "when"];
        assert_eq!(find_nearest("staus", &known), Some("status"));
        assert_eq!(find_nearest("allow-replace", &known), Some("allow_replace"));
        assert_eq!(find_nearest("wehn", &known), Some("when"));
        assert_eq!(find_nearest("colour", &known), None);
        assert_eq!(find_nearest("status_code", &known), None);
    }
}
