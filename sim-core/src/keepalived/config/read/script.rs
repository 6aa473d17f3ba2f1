//! Commands in the file: `notify_master "SCRIPT ARG" [USER [GROUP]]`, `script "…"`, `misc_path "…"`.

use super::parser::{Parser, Stop};
use super::text::{BadQuote, quoted_words};
use super::words::Words;
use crate::keepalived::config::Command;

/// A script with an optional user, as notify scripts have it. `what` is keepalived's word for its kind.
pub(super) fn notify(p: &mut Parser<'_>, words: &Words, what: &str) -> Result<Option<Command>, Stop> {
    p.word(words, 1)?;
    let Some(parts) = parts(p, words) else {
        p.log(words, "Unable to parse notify script");
        return Ok(None);
    };
    let argv = parts.get(1).and_then(|script| quoted_words(script).ok()).filter(|argv| !argv.is_empty());
    let Some(argv) = argv else {
        let script = parts.get(1).map_or("", String::as_str);
        p.log(words, &format!("Unable to parse script '{script}' - ignoring"));
        return Ok(None);
    };
    let (user, group) = (parts.get(2), parts.get(3));
    if let Some(user) = user
        && !can_run_as(p, words, user, group.map_or("", String::as_str))
    {
        let text = format!("Invalid user/group for {what} script {} - ignoring", argv[0]);
        p.log_hint(
            words,
            &text,
            "the words behind a script are a user and a group: put the script and its arguments in quotes",
        );
        return Ok(None);
    }
    if user.is_none() && !has_default_user(p, words) {
        p.log(words, &format!("Failed to set default user for {what} script {} - ignoring", argv[0]));
        return Ok(None);
    }
    let (user, group) = (user.cloned().unwrap_or_default(), group.cloned().unwrap_or_default());
    Ok(Some(Command { argv, user, group }))
}

/// A script whose user stands in a line of its own: `script`, `misc_path`. Only the first word (or what is in quotes)
/// is run.
pub(super) fn plain(p: &mut Parser<'_>, words: &Words) -> Vec<String> {
    let Some(parts) = parts(p, words) else { return Vec::new() };
    if parts.len() > 2 {
        let text = format!("`{}`: keepalived runs only {}, without what follows", words.keyword(), parts[1]);
        p.note_hint(words, 2, &text, "put the whole command in quotes");
    }
    parts.get(1).and_then(|script| quoted_words(script).ok()).unwrap_or_default()
}

/// Whether the host has that user, and that group if one is named; keepalived logs it if not.
pub(super) fn can_run_as(p: &mut Parser<'_>, words: &Words, user: &str, group: &str) -> bool {
    if !p.around.has_user(user) {
        p.log(words, &format!("Script user '{user}' does not exist"));
        return false;
    }
    if !group.is_empty() && !p.around.has_group(group) {
        p.log(words, &format!("Script group '{group}' does not exist"));
        return false;
    }
    true
}

/// Whether there is a user for scripts that name none: that of `script_user`, or `keepalived_script`; without
/// `enable_script_security` root will do. Once it could not be had, no such script is run.
pub(super) fn has_default_user(p: &mut Parser<'_>, words: &Words) -> bool {
    if !std::mem::replace(&mut p.drafts.global.script_user_sought, true)
        && p.drafts.global.global.script_security
        && !p.around.has_user(DEFAULT_USER)
    {
        let text = format!("Unable to set default user {DEFAULT_USER} for script");
        p.say_hint(words, 0, &text, "`script_user root` in global_defs, before the scripts");
        p.drafts.global.script_user_bad = true;
    }
    !p.drafts.global.script_user_bad
}

/// Whom keepalived runs scripts as, if there is such a user.
const DEFAULT_USER: &str = "keepalived_script";

/// A command as keepalived shows it: each word in quotes, but for a redirection that stands first.
pub(super) fn shown(argv: &[String]) -> String {
    let quoted = argv.iter().enumerate().map(|(index, word)| match word.starts_with(['<', '>']) {
        true if index == 0 => word.clone(),
        _ => format!("'{word}'"),
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// The words of the line in a shell's manner.
fn parts(p: &mut Parser<'_>, words: &Words) -> Option<Vec<String>> {
    match quoted_words(&words.line.text) {
        Ok(parts) => Some(parts),
        Err(BadQuote::Open(quote)) => {
            let text = format!("String '{}': missing terminating {quote}", words.line.text);
            p.say(words, 0, &text);
            None
        }
        Err(BadQuote::Escape) => {
            let text = format!("Missing escape char at end: '{}'", words.line.text);
            p.log(words, &text);
            None
        }
    }
}
