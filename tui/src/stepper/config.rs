//! The configuration: keys and colours, in TOML, in the folder where such files live.
//!
//! ```toml
//! theme = "dark"          # dark, light, high-contrast, mono
//! ascii = false
//! [keys]
//! next-frame = ["Right", "l"]
//! ```

use super::keymap::{ACTIONS, Key, Keymap};
use super::theme::{PALETTES, Palette, Theme};
use crate::failure::Failure;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

/// What can be configured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Config {
    /// Colours and signs.
    pub(crate) theme: Theme,
    /// Keys.
    pub(crate) keys: Keymap,
}

/// The file as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    theme: Option<String>,
    ascii: Option<bool>,
    #[serde(default)]
    keys: BTreeMap<String, Vec<String>>,
}

/// Where the file is looked for: `$XDG_CONFIG_HOME/lvslab/config.toml`, or `~/.config/lvslab/config.toml`.
pub(crate) fn path() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")))?;
    Some(folder.join("lvslab/config.toml"))
}

/// The configuration in force: the file's, if there is one. `NO_COLOR` takes the colours away.
///
/// # Errors
/// What in the file makes no sense.
pub(crate) fn load() -> Result<Config, Failure> {
    let mut config = match path().map(|path| (std::fs::read_to_string(&path), path)) {
        Some((Ok(text), path)) => {
            read(&text).map_err(|message| Failure::Usage(format!("{}: {message}", path.display())))?
        }
        Some((Err(_), _)) | None => Config::default(),
    };
    if std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) {
        config.theme.palette = Palette::Mono;
    }
    Ok(config)
}

/// Reads a configuration.
///
/// # Errors
/// The first thing that makes no sense.
pub(crate) fn read(text: &str) -> Result<Config, String> {
    let written: Written = toml::from_str(text).map_err(|error| error.to_string())?;
    let mut config = Config::default();
    if let Some(name) = written.theme {
        let found = PALETTES.iter().find(|(known, _)| *known == name);
        let known: Vec<&str> = PALETTES.iter().map(|(known, _)| *known).collect();
        config.theme.palette = found.ok_or(format!("there is no theme {name}; there are {}", known.join(", ")))?.1;
    }
    config.theme.ascii = written.ascii.unwrap_or(false);
    for (name, keys) in written.keys {
        let Some(row) = ACTIONS.iter().find(|row| row.name == name) else {
            let meant = crate::suggest::did_you_mean(&name, ACTIONS.iter().map(|row| row.name));
            return Err(format!("there is no action {name}{meant}"));
        };
        let keys: Result<Vec<Key>, String> =
            keys.iter().map(|key| Key::named(key).ok_or(format!("{key} is no key (of {name})"))).collect();
        config.keys.bind(row.action, keys?);
    }
    Ok(config)
}

/// The whole configuration as it would be written.
pub(crate) fn print(config: &Config) -> String {
    let mut out = String::new();
    let where_ = path().map_or("no home folder is known".to_string(), |path| path.display().to_string());
    let _ = writeln!(out, "# Put this into {where_} and change what you like.");
    let theme = PALETTES.iter().find(|(_, palette)| *palette == config.theme.palette).map_or("dark", |row| row.0);
    let names: Vec<&str> = PALETTES.iter().map(|(name, _)| *name).collect();
    let _ = writeln!(out, "theme = \"{theme}\"    # {}", names.join(", "));
    let _ = writeln!(out, "ascii = {}    # only ASCII signs", config.theme.ascii);
    let _ = writeln!(out, "\n[keys]");
    for row in ACTIONS {
        let keys: Vec<String> = config.keys.keys(row.action).iter().map(|key| format!("\"{}\"", key.name())).collect();
        let _ = writeln!(out, "{} = [{}]    # {}", row.name, keys.join(", "), row.help);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stepper::keymap::Action;

    #[test]
    fn what_is_printed_is_read_again() {
        let config = read("theme = \"light\"\nascii = true\n[keys]\nplay = [\"s\"]\n").expect("a configuration");
        assert_eq!(config.keys.action(Key::letter('s')), Some(Action::Play));
        assert_eq!(read(&print(&config)), Ok(config));
    }

    #[test]
    fn a_slip_is_named() {
        assert_eq!(
            read("theme = \"blue\"").unwrap_err(),
            "there is no theme blue; there are dark, light, high-contrast, mono"
        );
        assert_eq!(
            read("[keys]\nnext-fame = [\"x\"]").unwrap_err(),
            "there is no action next-fame; did you mean next-frame or next-pane?"
        );
        assert!(read("colour = 1").is_err());
    }
}
