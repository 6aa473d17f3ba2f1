//! What goes wrong around `lvslab`: files that cannot be read, devices that are full, readers that go away, signals. Each
//! is said in a line, with the exit status that scripts rely on, and nothing that was found before is lost.

use crate::lvslab::{folder, run, text};
use std::fs;

/// Runs `lvslab` and gives its exit status and what stands on standard error.
fn failed(arguments: &[&str]) -> (i32, String) {
    let output = run(arguments);
    (output.status.code().unwrap_or(-1), text(&output.stderr))
}

#[test]
fn a_file_that_cannot_be_read_says_why() {
    let home = folder().join("mishaps");
    fs::create_dir_all(home.join("folder.ron")).expect("a folder can be made");
    fs::write(home.join("empty.ron"), "").expect("a file can be written");
    fs::write(home.join("octets.ron"), [0xff, 0xfe, 0x00]).expect("a file can be written");
    let cases: &[(&str, i32, &str)] = &[
        ("mishaps/folder.ron", 4, "cannot read mishaps/folder.ron: it is a folder"),
        ("mishaps/none.ron", 4, "cannot read mishaps/none.ron: there is no such file"),
        ("none.conf", 4, "cannot read none.conf: there is no such file"),
        ("/dev/zero", 4, "cannot read /dev/zero: it is a device or a pipe, and no file"),
        ("mishaps/empty.ron", 3, "the file is empty"),
        ("mishaps/octets.ron", 3, "octet 0 is not UTF-8"),
        ("no-such-scenario", 2, "there is no scenario `no-such-scenario`"),
        ("", 2, "there is no scenario ``"),
    ];
    for (name, status, said) in cases {
        for command in ["run", "check", "timeline", "show"] {
            // A scenario is shown as it is, good or bad.
            if command == "show" && *status == 3 {
                continue;
            }
            let (found, stderr) = failed(&[command, name]);
            assert_eq!(found, *status, "lvslab {command} {name}: {stderr}");
            assert!(stderr.contains(said), "lvslab {command} {name}: {stderr}");
        }
    }
}

#[test]
fn one_file_that_cannot_be_read_does_not_hide_what_is_wrong_with_the_others() {
    let home = folder().join("mishaps-many");
    fs::create_dir_all(&home).expect("a folder can be made");
    fs::write(home.join("bad.conf"), "vrrp_instance V {\n priorty 9\n}\n").expect("a file can be written");
    fs::write(home.join("octets.conf"), [0xff, 0xfe]).expect("a file can be written");
    let files = ["mishaps-many/none.ron", "mishaps-many/octets.conf", "mishaps-many/bad.conf", "dr"];
    let output = run(&[&["check"], &files[..]].concat());
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(4), "{stderr}");
    for said in ["Unknown keyword 'priorty'", "octet 0 is not UTF-8", "none.ron: there is no such file"] {
        assert!(stderr.contains(said), "{said}: {stderr}");
    }
    assert!(stdout.contains("✔ dr"), "{stdout}");
}

#[test]
fn a_place_behind_the_end_and_two_outputs_in_one_pipe_are_wrong_usage() {
    let (status, stderr) = failed(&["exec", "dr", "client", "--at", "99h", "--", "ip", "addr"]);
    assert!(status == 2 && stderr.contains("the run ends at"), "{status}: {stderr}");
    let (status, stderr) = failed(&["run", "dr", "--pcap", "-", "--events", "-"]);
    assert!(status == 2 && stderr.contains("only one of them"), "{status}: {stderr}");
}

#[test]
fn a_scenario_that_is_taken_out_of_the_program_runs_beside_its_files() {
    let home = folder().join("taken-out");
    // An earlier run of this test may have left it.
    let _gone = fs::remove_dir_all(&home);
    assert_eq!(failed(&["show", "dr", "--into", "taken-out"]).0, 0);
    assert_eq!(failed(&["check", "taken-out/tutorial-000-dr.ron"]), (0, String::new()));
    let (status, stderr) = failed(&["show", "dr", "--into", "taken-out"]);
    assert!(status == 4 && stderr.contains("there is such a file already"), "{status}: {stderr}");
}

#[cfg(unix)]
mod unix {
    use super::*;
    use crate::lvslab::program;
    use std::io::Read;
    use std::process::{Command, Stdio};

    #[test]
    fn a_full_device_is_an_error_of_writing() {
        for option in ["--pcap", "--events", "--report", "--save"] {
            let (status, stderr) = failed(&["run", "dr", option, "/dev/full"]);
            assert!(status == 4 && stderr.contains("there is no room left"), "{option}: {status} {stderr}");
        }
        let full = fs::File::options().write(true).open("/dev/full").expect("there is such a device");
        let output = Command::new(program()).args(["run", "dr"]).stdout(full).output().expect("lvslab can be started");
        let stderr = text(&output.stderr);
        assert!(output.status.code() == Some(4) && stderr.contains("there is no room left"), "{stderr}");
    }

    #[test]
    fn a_reader_that_goes_away_is_no_error() {
        for arguments in [&["list"][..], &["commands"], &["run", "dr", "--events", "-"], &["show", "dr"]] {
            let mut child = Command::new(program())
                .args(arguments)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("lvslab can be started");
            let mut first = [0];
            let mut pipe = child.stdout.take().expect("it has a pipe");
            pipe.read_exact(&mut first).expect("it prints something");
            drop(pipe);
            let output = child.wait_with_output().expect("it ends");
            assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()), "{arguments:?}");
        }
    }

    #[test]
    fn a_file_that_grows_beyond_its_limit_is_an_error_of_writing() {
        let file = folder().join("limited.pcapng");
        let script = format!("ulimit -f 4; exec {} run dr --pcap {}", program().display(), file.display());
        let output = Command::new("bash").args(["-c", &script]).output().expect("there is a shell");
        let stderr = text(&output.stderr);
        assert!(output.status.code() == Some(4) && stderr.contains("cannot write"), "{:?} {stderr}", output.status);
        assert!(!file.exists(), "half a capture is none");
    }

    #[test]
    fn a_run_that_is_interrupted_keeps_what_it_has() {
        for signal in ["INT", "TERM"] {
            let file = folder().join(format!("{signal}.pcapng"));
            let mut child = Command::new(program())
                .args(["run", "tutorial-004-vmac", "--until", "100h", "--pcap"])
                .arg(&file)
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .expect("lvslab can be started");
            // Its notes are said when it listens already.
            let mut first = [0];
            child.stderr.as_mut().expect("it has a pipe").read_exact(&mut first).expect("it has notes");
            let killed = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status();
            assert!(killed.expect("there is a kill").success());
            let output = child.wait_with_output().expect("it ends");
            let stderr = text(&output.stderr);
            assert!(
                stderr.contains("interrupted at") && stderr.contains("everything up to there was kept"),
                "{stderr}"
            );
            assert!(fs::metadata(&file).is_ok_and(|file| file.len() > 100), "{signal}: the capture is there");
        }
    }
}
