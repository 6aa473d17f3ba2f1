//! The built program, for tests that use it as its users do.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Runs `lvslab` with these arguments in a folder of the test's own.
pub(crate) fn run(arguments: &[&str]) -> Output {
    Command::new(program())
        .args(arguments)
        .current_dir(folder())
        .env_remove("LANG")
        .env("NO_COLOR", "1")
        .output()
        .expect("lvslab can be started")
}

/// What it prints, if it ends well.
pub(crate) fn prints(arguments: &[&str]) -> String {
    let output = run(arguments);
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "lvslab {arguments:?} ended with {}\n{stdout}\n{stderr}", output.status);
    stdout
}

/// The names of the bundled scenarios.
pub(crate) fn scenarios() -> Vec<String> {
    let names: Vec<String> = prints(&["list", "--names"]).lines().map(str::to_owned).collect();
    assert!(!names.is_empty(), "some scenario is bundled");
    names
}

/// A folder for files that tests write.
pub(crate) fn folder() -> PathBuf {
    let folder = root().join("target/lab");
    std::fs::create_dir_all(&folder).expect("a folder below target can be made");
    folder
}

/// Octets as text.
pub(crate) fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// The program, built once: a test of another package is not given its path.
pub(crate) fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "tui", "--bin", "lvslab", "--profile", profile])
            .current_dir(root())
            .status()
            .expect("cargo can be started");
        assert!(built.success(), "lvslab can be built");
        root().join("target").join(if cfg!(debug_assertions) { "debug" } else { "release" }).join("lvslab")
    })
}
