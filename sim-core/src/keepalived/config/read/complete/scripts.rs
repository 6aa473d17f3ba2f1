//! Whether the scripts of a configuration can be run: one that is not there or not executable is taken out, and
//! running any without `enable_script_security` is a "security violation".

use super::super::parser::Parser;
use super::super::surroundings::Program;
use crate::keepalived::config::global::{Fifo, Global};
use crate::keepalived::config::{CheckerKind, Command, ErrorClass, Place, RealServer, RemarkKind, VirtualServer};

/// What was found out about scripts.
#[derive(Default)]
pub(super) struct Seen {
    /// One of them is there.
    any: bool,
}

/// Why a script is taken out.
enum Bad {
    Missing,
    NotExecutable,
}

impl Seen {
    /// Looks at a script. keepalived logs what is wrong with it.
    fn look(&mut self, p: &mut Parser<'_>, command: &Command, place: &Place) -> Result<(), Bad> {
        let Some(program) = command.argv.first() else { return Err(Bad::Missing) };
        // `</path` only asks whether the file can be opened.
        if program.strip_prefix('<').is_some_and(|path| path.trim_start().starts_with('/')) {
            return Ok(());
        }
        match p.around.script(program) {
            Program::Unknown => Ok(()),
            Program::Runnable => {
                self.any = true;
                Ok(())
            }
            Program::NotExecutable => {
                self.any = true;
                let text = format!("WARNING - script '{program}' is not executable for uid:gid 0:0 - disabling.");
                log(p, place, &text, &format!("chmod +x {program}"));
                Err(Bad::NotExecutable)
            }
            Program::Missing if program.contains('/') => {
                log(
                    p,
                    place,
                    &format!("Script {program} cannot be accessed - No such file or directory"),
                    "give it in `files:`, or make it in `boot:` before keepalived starts",
                );
                Err(Bad::Missing)
            }
            Program::Missing => {
                log(p, place, &format!("Cannot find script {program} in path - disabling"), "");
                Err(Bad::Missing)
            }
        }
    }

    fn keep(&mut self, p: &mut Parser<'_>, command: &mut Option<Command>, place: &Place) {
        if let Some(given) = command.take()
            && self.look(p, &given, place).is_ok()
        {
            *command = Some(given);
        }
    }

    /// The script that reads a named pipe.
    fn keep_reader(&mut self, p: &mut Parser<'_>, pipe: fn(&mut Global) -> &mut Option<Fifo>, place: &Place) {
        let mut fifo = pipe(&mut p.drafts.global.global).take();
        if let Some(fifo) = &mut fifo {
            self.keep(p, &mut fifo.script, place);
        }
        *pipe(&mut p.drafts.global.global) = fifo;
    }

    fn violation(&self, p: &mut Parser<'_>, text: &str) {
        if self.any && !p.drafts.global.global.script_security {
            let kind = RemarkKind::Warning(ErrorClass::Security);
            let mut remark = p.remark(kind, Place::default(), text);
            "`enable_script_security` in global_defs".clone_into(&mut remark.hint);
            p.push(remark);
        }
    }
}

fn log(p: &mut Parser<'_>, place: &Place, text: &str, hint: &str) {
    let mut remark = p.remark(RemarkKind::Logged, place.clone(), text);
    hint.clone_into(&mut remark.hint);
    p.push(remark);
}

/// The scripts that are run before keepalived starts its processes, and behind them.
pub(super) fn start_and_stop(p: &mut Parser<'_>) {
    let mut seen = Seen::default();
    let global = &p.drafts.global.global;
    let scripts = [&global.startup_script, &global.shutdown_script];
    for (command, _) in scripts.map(Clone::clone).into_iter().flatten() {
        // Neither is run here, so what is missing is not taken out.
        let _ = seen.look(p, &command, &Place::default());
    }
    seen.violation(
        p,
        "SECURITY VIOLATION - start/shutdown scripts are being executed but script_security not enabled.",
    );
}

/// The scripts of the VRRP process.
pub(super) fn vrrp(p: &mut Parser<'_>) {
    if p.drafts.instances.is_empty() {
        return;
    }
    let mut seen = Seen::default();
    let mut gone: Vec<String> = Vec::new();
    let mut scripts = std::mem::take(&mut p.drafts.scripts);
    scripts.retain(|draft| {
        let name = &draft.it.name;
        let Err(why) = seen.look(p, &draft.it.command, &draft.place) else { return true };
        if let Bad::Missing = why {
            let text = format!("Disabling track script {name} since not found/accessible");
            p.conclude(text, draft.place.clone());
        }
        gone.push(name.clone());
        false
    });
    p.drafts.scripts = scripts;
    let mut instances = std::mem::take(&mut p.drafts.instances);
    for draft in &mut instances {
        let notify = &mut draft.it.notify;
        let all = [
            &mut notify.backup,
            &mut notify.master,
            &mut notify.fault,
            &mut notify.stop,
            &mut notify.deleted,
            &mut notify.any,
            &mut notify.master_rx_lower_priority,
        ];
        for command in all {
            seen.keep(p, command, &draft.place);
        }
        draft.it.tracks.scripts.retain(|tracked| !gone.contains(&tracked.name));
    }
    p.drafts.instances = instances;
    let mut groups = std::mem::take(&mut p.drafts.groups);
    for draft in &mut groups {
        let notify = &mut draft.it.notify;
        for command in [&mut notify.backup, &mut notify.master, &mut notify.fault, &mut notify.stop, &mut notify.any] {
            seen.keep(p, command, &draft.place);
        }
        draft.it.tracks.scripts.retain(|tracked| !gone.contains(&tracked.name));
    }
    p.drafts.groups = groups;
    seen.keep_reader(p, |global| &mut global.vrrp_notify_fifo, &Place::default());
    seen.violation(p, "SECURITY VIOLATION - scripts are being executed but script_security not enabled.");
}

/// The scripts of the health checks; a server's place is looked up by its number.
pub(super) fn checks(p: &mut Parser<'_>, services: &mut [VirtualServer], place: &Place) {
    let mut seen = Seen::default();
    let has_services = !services.is_empty();
    for server in services.iter_mut().flat_map(|service| &mut service.servers) {
        server.checkers.retain(|checker| match &checker.kind {
            CheckerKind::Misc(misc) => {
                let looked = seen.look(p, &misc.command, place);
                if let Err(Bad::Missing) = looked {
                    let words: Vec<String> = misc.command.argv.iter().map(|word| format!("'{word}'")).collect();
                    let text = format!("Disabling misc script {} since not found/accessible", words.join(" "));
                    log(p, place, &text, "its server is held for up");
                }
                looked.is_ok()
            }
            _ => true,
        });
    }
    for service in services {
        seen.keep(p, &mut service.quorum_up, place);
        seen.keep(p, &mut service.quorum_down, place);
        for RealServer { notify_up, notify_down, .. } in &mut service.servers {
            seen.keep(p, notify_up, place);
            seen.keep(p, notify_down, place);
        }
    }
    if has_services {
        seen.keep_reader(p, |global| &mut global.notify_fifo, place);
        seen.keep_reader(p, |global| &mut global.lvs_notify_fifo, place);
    }
    seen.violation(p, "SECURITY VIOLATION - check scripts are being executed but script_security not enabled.");
}
