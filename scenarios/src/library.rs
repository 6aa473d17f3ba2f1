//! The scenarios that are part of the binary.

use crate::source::Source;
use include_dir::{Dir, include_dir};

static TUTORIALS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/tutorials");

/// Short names.
pub const ALIASES: &[(&str, &str)] =
    &[("dr", "tutorial-000-dr"), ("nat", "tutorial-000-nat"), ("tun", "tutorial-000-tun")];

/// A bundled scenario: its folder can be read.
#[derive(Clone, Copy, Debug)]
pub struct Bundled {
    name: &'static str,
}

/// The names, in alphabetical order.
pub fn names() -> impl Iterator<Item = &'static str> {
    let mut names: Vec<&'static str> =
        TUTORIALS.files().filter_map(|file| file.path().file_name()?.to_str()?.strip_suffix(".ron")).collect();
    names.sort_unstable();
    names.into_iter()
}

/// The scenario of this name or alias.
pub fn find(name: &str) -> Option<Bundled> {
    let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, meant)| meant);
    names().find(|known| *known == name).map(|name| Bundled { name })
}

impl Bundled {
    /// The name of its file in its folder.
    pub fn file(&self) -> String {
        format!("{}.ron", self.name)
    }
}

impl Source for Bundled {
    fn read(&self, path: &str) -> Result<String, String> {
        let file = TUTORIALS.get_file(path).ok_or("No such file or directory")?;
        file.contents_utf8().map(str::to_string).ok_or_else(|| "it is not UTF-8".to_string())
    }
}
