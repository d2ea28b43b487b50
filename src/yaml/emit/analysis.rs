//! In which styles a text can be written so that it reads back as itself.

pub(super) fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

pub(super) fn is_blank_or_end(c: Option<char>) -> bool {
    c.is_none_or(|c| matches!(c, ' ' | '\t' | '\0') || is_break(c))
}

pub(super) fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

/// In which styles a text can be written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowed {
    pub(super) multiline: bool,
    pub(super) flow_plain: bool,
    pub(super) block_plain: bool,
    pub(super) single: bool,
    pub(super) block: bool,
}

/// Looks at a text once for all styles.
pub(super) fn analyse_text(text: &str, unicode: bool) -> Allowed {
    if text.is_empty() {
        return Allowed { multiline: false, flow_plain: false, block_plain: true, single: true, block: false };
    }
    let marker = text.starts_with("---") || text.starts_with("...");
    let (mut flow_mark, mut block_mark) = (marker, marker);
    let (mut breaks, mut special, mut break_space, mut space_break) = (false, false, false, false);
    let mut before: Option<char> = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let followed = is_blank_or_end(chars.peek().copied());
        match (before, c) {
            (None, '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`') => {
                (flow_mark, block_mark) = (true, true);
            }
            (None, '?') | (_, ':') => {
                flow_mark = true;
                block_mark |= followed;
            }
            (None, '-') if followed => (flow_mark, block_mark) = (true, true),
            (Some(_), ',' | '?' | '[' | ']' | '{' | '}') => flow_mark = true,
            (Some(_), '#') if is_blank_or_end(before) => (flow_mark, block_mark) = (true, true),
            _ => {}
        }
        special |= !is_printable(c) || !c.is_ascii() && !unicode;
        breaks |= is_break(c);
        break_space |= c == ' ' && before.is_some_and(is_break);
        space_break |= is_break(c) && before == Some(' ');
        before = Some(c);
    }
    let edge = |c: Option<char>| c.is_some_and(|c| c == ' ' || is_break(c));
    let edges = edge(text.chars().next()) || edge(before);
    let plain = !edges && !break_space && !space_break && !special && !breaks;
    Allowed {
        multiline: breaks,
        flow_plain: plain && !flow_mark,
        block_plain: plain && !block_mark,
        single: !break_space && !space_break && !special,
        block: before != Some(' ') && !space_break && !special,
    }
}
