//! How a process of keepalived writes its log: to syslog under its own name, and with `-l` to its standard error.

use super::config::{Reader, Remark, RemarkKind};
use super::era::Era;
use super::launch::{Given, Launch};
use crate::base::calendar::Date;
use crate::kernel::process::Fd;
use crate::kernel::syscall::Sys;
use std::rc::Rc;

/// The log of one of the three processes.
#[derive(Clone, Debug)]
pub struct Voice {
    program: &'static str,
    launch: Rc<Launch>,
}

impl Voice {
    /// The log of the process that syslog knows by this name: `Keepalived_vrrp`.
    pub fn new(program: &'static str, launch: Rc<Launch>) -> Self {
        Voice { program, launch }
    }

    /// Writes a line.
    pub fn say(&self, text: &str, sys: &mut Sys) {
        if self.launch.syslog {
            match Era::of(sys.kernel.os) {
                Era::V1_1 => sys.log(self.program, text),
                Era::V1_3 | Era::V2_2 => sys.log(&format!("{}[{}]", self.program, sys.pid.0), text),
            }
        }
        if self.launch.console {
            let date = Date::of(sys.now());
            let (weekday, month) = (date.weekday_name(), date.month_name());
            let Date { day, hour, minute, second, year, .. } = date;
            let line = format!("{weekday} {month} {day:2} {hour:02}:{minute:02}:{second:02} {year}: {text}\n");
            // A closed terminal loses the line, as on a real machine.
            let _lost = sys.write(Fd::STDERR, line.as_bytes());
        }
    }

    /// How keepalived was started.
    pub fn launch(&self) -> &Rc<Launch> {
        &self.launch
    }

    /// The last line of a child that was told to end.
    pub fn say_stopped(&self, sys: &mut Sys) {
        if !Era::of(sys.kernel.os).is_old() {
            // The lab's programs take no time of the processor.
            self.say("Stopped - used 0.000000 user time, 0.000000 system time", sys);
        }
    }

    /// Logs what this process has to say about the configuration file. False if it cannot go on with it.
    pub fn announce(&self, given: &Given, reader: Reader, sys: &mut Sys) -> bool {
        let mut is_usable = true;
        for remark in &given.remarks {
            if remark.kind == RemarkKind::Refused && (remark.reader == reader || remark.reader == Reader::Every) {
                self.say(&format!("{} (not modelled)", remark.log_line(reader)), sys);
                is_usable = false;
            }
            if remark.is_said_by(reader) {
                self.remark(remark, reader, sys);
                is_usable &= !matches!(remark.kind, RemarkKind::Fatal(_));
            }
        }
        is_usable
    }

    /// What the file gives cause to. The first generations say nothing of a word they do not know, or not where it stands.
    fn remark(&self, remark: &Remark, reader: Reader, sys: &mut Sys) {
        let is_unknown = remark.text.starts_with("Unknown keyword ");
        match Era::of(sys.kernel.os) {
            Era::V1_1 if is_unknown => {}
            Era::V1_3 if is_unknown => self.say(&remark.text, sys),
            Era::V1_1 | Era::V1_3 | Era::V2_2 => self.say(&remark.log_line(reader), sys),
        }
    }

    /// Writes a line that only `-D` shows.
    pub fn detail(&self, text: &str, sys: &mut Sys) {
        if self.launch.detail {
            self.say(text, sys);
        }
    }
}
