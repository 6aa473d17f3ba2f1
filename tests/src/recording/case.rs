//! `case.json`: what is cabled to what, what was typed, and what came out.

use super::{CaseFolder, ReadError};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A case.
#[derive(Clone, Debug, Deserialize)]
pub struct Case {
    /// What it is about.
    #[serde(default)]
    pub about: String,
    /// The NICs, in the order in which they were plugged in.
    #[serde(default)]
    pub topology: Vec<Nic>,
    /// Kernel settings as `(host, key, value)`, in order.
    #[serde(default)]
    pub sysctls: Vec<(String, String, String)>,
    /// What was typed to build the case.
    #[serde(default)]
    pub commands: Vec<Typed>,
    /// What came out; its shape depends on the kind of case.
    #[serde(default)]
    pub result: Value,
}

/// A NIC of a host.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Nic {
    /// The host.
    pub host: String,
    /// `eth0`.
    pub dev: String,
    /// The switch at the other end of its cable.
    pub switch: String,
    /// Address and prefix.
    pub addr: Option<String>,
    /// Its MAC.
    pub mac: String,
    /// Largest IP packet, in octets.
    pub mtu: u32,
}

/// A command line that was typed.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Typed {
    /// On which host.
    pub host: Option<String>,
    /// The line.
    pub cmd: String,
    /// Its exit status.
    pub rc: Option<i32>,
    /// What it wrote.
    #[serde(default)]
    pub out: String,
}

/// One run of a `sched-*` case: a fresh director, and connections to it.
#[derive(Clone, Debug, Deserialize)]
pub struct SchedulerRun {
    /// What the run shows; its name.
    pub label: String,
    /// `rr`.
    pub scheduler: String,
    /// Kernel settings of the director as `(key, value)`, in order.
    pub sysctls: Vec<(String, String)>,
    /// What was typed on the director, in order.
    pub setup: Vec<SetupLine>,
    /// What then happened.
    pub events: Vec<SchedulerEvent>,
    /// `ipvsadm -Ln` at the end, without its three lines of title.
    #[serde(rename = "final")]
    pub last: Vec<String>,
    /// `ipvsadm -Lnc` at the end, where it was looked at.
    #[serde(default)]
    pub conns: Vec<String>,
}

/// A line of the set-up: with its output, if it wrote something.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum SetupLine {
    /// It wrote nothing.
    Silent(String),
    /// The line and what it wrote.
    Spoke(String, String),
}

/// Something that happened in a run.
#[derive(Clone, Debug, Deserialize)]
pub struct SchedulerEvent {
    /// `conn`, `udp`, `close`, `cmd` or `sleep`.
    pub op: String,
    /// The number of the connection.
    pub n: Option<u32>,
    /// The client's end.
    pub src: Option<String>,
    /// The end that was asked.
    pub dst: Option<String>,
    /// The server that got it.
    pub rs: Option<String>,
    /// How it ended without a server: `refused` or `timeout`.
    pub res: Option<String>,
    /// How a connection is closed: `fin`, `rst` or `sfin`.
    pub how: Option<String>,
    /// The command line.
    pub cmd: Option<String>,
    /// What it wrote.
    pub out: Option<String>,
    /// Seconds of a sleep.
    pub s: Option<f64>,
    /// Seconds since the event before.
    pub dt: Option<f64>,
    /// Active and inactive connections of each server, after it.
    #[serde(default)]
    pub cnt: BTreeMap<String, (u32, u32)>,
}

impl CaseFolder {
    /// Reads `case.json`.
    ///
    /// # Errors
    /// If it is missing or is not what is expected.
    pub fn case(&self) -> Result<Case, ReadError> {
        const FILE: &str = "case.json";
        serde_json::from_slice(&self.read(FILE)?).map_err(|error| self.wrong(FILE, error))
    }
}

impl Case {
    /// The runs of a `sched-*` case.
    ///
    /// # Errors
    /// If the result has no runs or they are not what is expected.
    pub fn scheduler_runs(&self) -> Result<Vec<SchedulerRun>, serde_json::Error> {
        serde_json::from_value(self.result["runs"].clone())
    }
}

impl SetupLine {
    /// The line as typed.
    pub fn line(&self) -> &str {
        match self {
            SetupLine::Silent(line) | SetupLine::Spoke(line, _) => line,
        }
    }
}
