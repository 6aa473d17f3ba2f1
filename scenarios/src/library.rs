//! The scenarios that are part of the binary.

use crate::source::Source;
use include_dir::{Dir, include_dir};

static TUTORIALS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/tutorials");
static MODES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/modes");
static FAILOVER: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/failover");
static ARP: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/arp");
static SCHEDULERS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/schedulers");
static SERVICES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/services");

/// The folders with scenarios, with their headings.
const FOLDERS: &[(&str, &Dir<'_>)] = &[
    ("Tutorials", &TUTORIALS),
    ("Forwarding methods", &MODES),
    ("The ARP problem", &ARP),
    ("Schedulers", &SCHEDULERS),
    ("Failover", &FAILOVER),
    ("Services", &SERVICES),
];

/// Short names.
pub const ALIASES: &[(&str, &str)] = &[
    ("dr", "tutorial-000-dr"),
    ("nat", "tutorial-000-nat"),
    ("tun", "tutorial-000-tun"),
    ("fullnat", "tutorial-000-fullnat"),
];

/// A bundled scenario: its folder can be read.
#[derive(Clone, Copy, Debug)]
pub struct Bundled {
    /// Its name, as it is given on the command line.
    pub name: &'static str,
    /// The heading that it stands under.
    pub group: &'static str,
    folder: &'static Dir<'static>,
}

/// The names, in alphabetical order.
pub fn names() -> impl Iterator<Item = &'static str> {
    let mut names: Vec<&'static str> = all().map(|bundled| bundled.name).collect();
    names.sort_unstable();
    names.into_iter()
}

/// The scenario of this name or alias.
pub fn find(name: &str) -> Option<Bundled> {
    let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, meant)| meant);
    all().find(|bundled| bundled.name == name)
}

/// All of them, heading by heading.
pub fn all() -> impl Iterator<Item = Bundled> {
    FOLDERS.iter().copied().flat_map(|(group, folder)| {
        folder.files().filter_map(move |file| {
            let name = file.path().file_name()?.to_str()?.strip_suffix(".ron")?;
            Some(Bundled { name, group, folder })
        })
    })
}

impl Bundled {
    /// The name of its file in its folder.
    pub fn file(&self) -> String {
        format!("{}.ron", self.name)
    }
}

impl Source for Bundled {
    fn read(&self, path: &str) -> Result<String, String> {
        let file = self.folder.get_file(path).ok_or("No such file or directory")?;
        file.contents_utf8().map(str::to_string).ok_or_else(|| "it is not UTF-8".to_string())
    }
}
