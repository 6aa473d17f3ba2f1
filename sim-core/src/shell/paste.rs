//! What web pages, word processors and copied terminals do to a command line, and how it is undone: byte order marks,
//! CRLF, non-breaking spaces, full-width punctuation, curly quotes, look-alike dashes, pasted prompts.
//!
//! Text between quotes is not spared: a page that curls quotes curls them everywhere.

/// A correction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Where it was, in octets of the text as given.
    pub start: usize,
    /// Octets that were replaced.
    pub length: usize,
    /// Octets that stand there instead.
    pub written: usize,
    /// What was wrong: `"–" is not "-" (U+2013)`.
    pub message: String,
}

impl Note {
    /// Whether a prompt was taken away, not a character replaced.
    pub fn is_prompt(&self) -> bool {
        self.message.starts_with(PROMPT)
    }
}

/// How the note about a prompt begins.
const PROMPT: &str = "a pasted prompt";

/// The text as it was meant, and what was corrected, in order.
pub fn clean(text: &str) -> (String, Vec<Note>) {
    let mut clean = String::with_capacity(text.len());
    let mut notes = Vec::new();
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let prompt = prompt_length(line);
        if prompt > 0 {
            let message = format!("{PROMPT}, \"{}\"", line[..prompt].trim_end());
            notes.push(Note { start: offset, length: prompt, written: 0, message });
        }
        for (at, character) in line.char_indices().skip_while(|(at, _)| *at < prompt) {
            let start = offset + at;
            let length = character.len_utf8();
            if character == '\r' && line[at..].trim_end_matches('\n') == "\r" {
                notes.push(Note {
                    start,
                    length,
                    written: 0,
                    message: "a line that ends as on Windows (CR LF)".into(),
                });
            } else if let Some((meant, what)) = meant(character) {
                clean.push_str(meant);
                let code = u32::from(character);
                let message = match meant {
                    "" => format!("{what} (U+{code:04X}) does not belong here"),
                    " " => format!("{what} is not a space (U+{code:04X})"),
                    _ => format!("\"{character}\" is not \"{meant}\" (U+{code:04X})"),
                };
                notes.push(Note { start, length, written: meant.len(), message });
            } else {
                clean.push(character);
            }
        }
        offset += line.len();
    }
    (clean, notes)
}

/// Where an octet of the cleaned text was in the text as given.
pub fn original(notes: &[Note], octet: usize) -> usize {
    let mut shift_back = 0_usize;
    let mut cleaned_end = 0_usize;
    let mut given_end = 0_usize;
    for note in notes {
        let start = note.start - given_end + cleaned_end;
        if octet < start || (octet == start && note.written > 0) {
            break;
        }
        if octet < start + note.written {
            return note.start;
        }
        cleaned_end = start + note.written;
        given_end = note.start + note.length;
        shift_back = given_end;
    }
    if shift_back == 0 && cleaned_end == 0 { octet } else { octet - cleaned_end + given_end }
}

/// What a character was meant to be, and what it is called; none if it is what it is.
fn meant(character: char) -> Option<(&'static str, &'static str)> {
    Some(match character {
        '\u{feff}' => ("", "a byte order mark"),
        '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{00ad}' => ("", "an invisible character"),
        '\u{00a0}' => (" ", "a non-breaking space"),
        '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' => (" ", "a space of another width"),
        '\u{3000}' => (" ", "an ideographic space"),
        '\u{2010}'..='\u{2013}' | '\u{2212}' | '\u{fe63}' | '\u{ff0d}' => ("-", "a dash"),
        // Word processors join "--" to one long dash.
        '\u{2014}' | '\u{2015}' => ("--", "a long dash"),
        '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2032}' => ("'", "a curly quote"),
        '\u{201c}'..='\u{201f}' | '\u{2033}' => ("\"", "a curly quote"),
        '\u{2026}' => ("...", "an ellipsis"),
        '\u{ff01}' => ("!", "full-width"),
        '\u{ff02}' => ("\"", "full-width"),
        '\u{ff03}' => ("#", "full-width"),
        '\u{ff04}' => ("$", "full-width"),
        '\u{ff06}' => ("&", "full-width"),
        '\u{ff07}' => ("'", "full-width"),
        '\u{ff08}' => ("(", "full-width"),
        '\u{ff09}' => (")", "full-width"),
        '\u{ff0a}' => ("*", "full-width"),
        '\u{ff0c}' => (",", "full-width"),
        '\u{ff0e}' => (".", "full-width"),
        '\u{ff0f}' => ("/", "full-width"),
        '\u{ff1a}' => (":", "full-width"),
        '\u{ff1b}' => (";", "full-width"),
        '\u{ff1c}' => ("<", "full-width"),
        '\u{ff1d}' => ("=", "full-width"),
        '\u{ff1e}' => (">", "full-width"),
        '\u{ff20}' => ("@", "full-width"),
        '\u{ff3b}' => ("[", "full-width"),
        '\u{ff3d}' => ("]", "full-width"),
        '\u{ff5b}' => ("{", "full-width"),
        '\u{ff5c}' => ("|", "full-width"),
        '\u{ff5d}' => ("}", "full-width"),
        _ => return None,
    })
}

/// Octets of a prompt at the start of a line: `[root@x ~]# `, `root@x:~# `, `[user@x dir]$ `, `$ `. A line that is only
/// `# ` and words is a comment, as in every script.
fn prompt_length(line: &str) -> usize {
    let indent = line.len() - line.trim_start_matches([' ', '\t', '\u{feff}', '\u{a0}']).len();
    let text = &line[indent..];
    let end = if text.starts_with('[') {
        text.find(']').filter(|end| text[..*end].contains('@')).map(|end| end + 1)
    } else {
        let name = text.find(|c: char| !(c.is_alphanumeric() || "@:~/._-".contains(c))).unwrap_or(text.len());
        text[..name].contains('@').then_some(name).filter(|name| text[..*name].contains([':', '~']))
    };
    let Some(end) = end.or_else(|| text.starts_with("$ ").then_some(0)) else { return 0 };
    let rest = &text[end..];
    if !rest.starts_with(['#', '$']) {
        return 0;
    }
    let after = &rest[1..];
    if !after.is_empty() && !after.starts_with([' ', '\t', '\n', '\r', '\u{a0}']) && end == 0 {
        return 0;
    }
    let blank = after.len() - after.trim_start_matches([' ', '\t', '\u{a0}']).len();
    indent + end + 1 + blank
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(given: &str, meant: &str, notes: usize) {
        let (clean, found) = clean(given);
        assert_eq!(clean, meant, "{given:?}");
        assert_eq!(found.len(), notes, "{given:?}: {found:?}");
    }

    #[test]
    fn what_web_pages_do_to_commands_is_undone() {
        check("ipvsadm –A -t", "ipvsadm -A -t", 1);
        check("echo\u{a0}1\u{a0}> f", "echo 1 > f", 2);
        check("\u{feff}ip a\r\n", "ip a\n", 2);
        check("echo “hi”", "echo \"hi\"", 2);
        check("ipvsadm —stats", "ipvsadm --stats", 1);
        check("ip a\u{ff1b}ip r", "ip a;ip r", 1);
        check("\u{ff08}VIP\u{ff0c}\u{ff09}", "(VIP,)", 3);
    }

    #[test]
    fn pasted_prompts_are_taken_off() {
        check("[root@server4 ~]# ipvsadm -Ln", "ipvsadm -Ln", 1);
        check("[root@foundation92 Desktop]# curl x\n", "curl x\n", 1);
        check("root@debian:~# ip a", "ip a", 1);
        check("  [root@x ~]$ ls", "ls", 1);
        check("$ ls", "ls", 1);
        check("# a comment", "# a comment", 0);
        check("[ -f x ] && echo y", "[ -f x ] && echo y", 0);
        check("$IPVSADM -C", "$IPVSADM -C", 0);
        check("a@b.example.com", "a@b.example.com", 0);
    }

    #[test]
    fn places_lead_back_to_the_text_as_given() {
        let given = "[root@x ~]# ipvsadm –A “x”";
        let (clean, notes) = clean(given);
        for (octet, _) in clean.char_indices() {
            let there = original(&notes, octet);
            let meant = clean[octet..].chars().next();
            let was = given[there..].chars().next();
            let same = meant == was || matches!((meant, was), (Some('-'), Some('–')) | (Some('"'), Some('“' | '”')));
            assert!(same, "{octet} -> {there}: {meant:?} {was:?}");
        }
    }
}
