//! Packs a folder of recordings: `cargo run --release -p lab-tests --bin pack -- FOLDER tests/golden.tar.xz`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, archive] = &arguments[..] else {
        eprintln!("usage: pack FOLDER ARCHIVE");
        return ExitCode::from(2);
    };
    let packed = lab_tests::recording::archive::pack(folder.as_ref());
    match packed.and_then(|bytes| std::fs::write(archive, &bytes).map(|()| bytes.len())) {
        Ok(octets) => {
            println!("{archive}: {octets} octets");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("pack: {error}");
            ExitCode::from(4)
        }
    }
}
