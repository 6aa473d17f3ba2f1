//! What a proxy writes: its messages, a line for every connection or request, and the trace's record of who answered.

use super::super::session::Session;
use super::super::{LogFormat, Mode, Program};
use super::Proxy;
use crate::base::calendar::Date;
use crate::base::time::Instant;
use crate::kernel::syscall::Sys;
use crate::trace::record::ServedRecord;
use crate::trace::recorder::Change;

impl Proxy {
    pub(super) fn say(&self, text: &str, sys: &mut Sys) {
        if self.setup.logs {
            sys.log(&format!("{}[{}]", self.setup.program.name(), sys.pid.0), text);
        }
    }

    /// nginx' error log.
    pub(super) fn say_error(&self, text: &str, number: u32, sys: &mut Sys) {
        let Some(session) = self.sessions.get(&number).filter(|_| self.setup.program == Program::Nginx) else { return };
        let line = format!("[error] {text}, client: {}, request: \"{}\"", session.peer.address, session.request);
        self.write("/var/log/nginx/error.log", &line, sys);
    }

    pub(super) fn write(&self, file: &str, line: &str, sys: &mut Sys) {
        let now = sys.now();
        // A full disk loses log lines on a real machine too.
        let _ = sys.kernel.files.append(file, format!("{line}\n").as_bytes(), now);
    }

    pub(super) fn log(&self, session: &Session, sys: &mut Sys) {
        let frontend = &self.setup.frontends[session.frontend];
        let Session { peer, began, .. } = session;
        let date = Date::of(*began);
        if self.setup.program == Program::Nginx {
            if session.status != 0 {
                let line = format!(
                    "{} - - [{}] \"{}\" {} {} \"-\" \"-\"",
                    peer.address,
                    date.access_log(),
                    session.request,
                    session.status,
                    session.to_client.carried
                );
                self.write("/var/log/nginx/access.log", &line, sys);
            }
            return;
        }
        let backend = session.backend.map_or(frontend.name.as_str(), |at| &self.setup.backends[at].name);
        let server = session
            .backend
            .zip(session.server)
            .map_or("<NOSRV>", |(at, server)| &self.setup.backends[at].servers[server].name);
        let since = |at: Option<Instant>| at.map_or("-1".to_owned(), |at| at.since(*began).millis().to_string());
        let stamp = format!(
            "{:02}/{}/{}:{:02}:{:02}:{:02}.{:03}",
            date.day,
            date.month_name(),
            date.year,
            date.hour,
            date.minute,
            date.second,
            began.millis() % 1000
        );
        let total = sys.now().since(*began).millis();
        let retries = session.tries.saturating_sub(1);
        let text = match frontend.log {
            LogFormat::Plain => format!(
                "Connect from {peer} to {} ({}/{})",
                session.local,
                frontend.name,
                if frontend.mode == Mode::Http { "HTTP" } else { "TCP" }
            ),
            LogFormat::Tcp => format!(
                "{peer} [{stamp}] {} {backend}/{server} 0/{}/{total} {} -- 1/1/0/0/{retries} 0/0",
                frontend.name,
                since(session.connected_at),
                session.to_client.carried
            ),
            LogFormat::Http => format!(
                "{peer} [{stamp}] {} {backend}/{server} 0/0/{}/{}/{total} {} {} - - ---- 1/1/0/0/{retries} 0/0 \"{}\"",
                frontend.name,
                since(session.connected_at),
                since(session.answered_at),
                session.status,
                session.to_client.carried,
                session.request
            ),
        };
        self.say(&text, sys);
    }

    /// Who answered: the server behind, or the proxy itself.
    pub(super) fn record(&self, session: &Session, sys: &mut Sys) {
        let relayed = session.relayed.filter(|_| session.server.is_some());
        if session.status == 0 && relayed.is_none() {
            return;
        }
        let node = sys.kernel.node;
        let remote = sys.ends(session.client).map_or(session.peer, |(_, remote)| remote);
        sys.cx.change(Change::Served(ServedRecord {
            node,
            program: self.setup.program.name().into(),
            peer: session.peer,
            remote,
            local: session.local,
            path: session.path.as_str().into(),
            status: session.status,
            relayed,
        }));
    }
}
