//! Messages of the IPVS sync daemon, taken apart.

use super::{F, Protocol, Reader};
use crate::wire::sync::read;

impl Reader<'_> {
    pub(super) fn sync(&mut self, at: usize, end: usize) {
        let end = end.min(self.bytes.len());
        let bytes = self.bytes;
        let Some((header, mut entries)) = bytes.get(at..end).and_then(read) else {
            return self.data(at, end);
        };
        let is_0 = header.version == 0;
        self.start(Protocol::Ipvs, at, end);
        self.number(F::SyncId, at + 1, 1);
        self.number(F::SyncSize, at + 2, 2);
        self.number(F::SyncCount, if is_0 { at } else { at + 4 }, 1);
        if !is_0 {
            self.number(F::SyncVersion, at + 5, 1);
        }
        loop {
            let entry = at + entries.position();
            match entries.next() {
                None => break,
                Some(Ok(None)) => {}
                Some(Ok(Some(_))) => self.sync_entry(entry, is_0),
                Some(Err(what)) => self.problem(entry.min(end), what),
            }
        }
        self.close();
    }

    fn sync_entry(&mut self, at: usize, is_0: bool) {
        self.number(F::SyncProtocol, at + 1, 1);
        let (ports, addresses) = if is_0 { (at + 2, at + 8) } else { (at + 10, at + 24) };
        if !is_0 {
            self.number(F::SyncFlags, at + 4, 4);
            self.number(F::SyncState, at + 8, 2);
            self.number(F::SyncMark, at + 16, 4);
            self.number(F::SyncTimeout, at + 20, 4);
        }
        let names = [
            (F::SyncClientPort, F::SyncClient),
            (F::SyncVirtualPort, F::SyncVirtual),
            (F::SyncServerPort, F::SyncServer),
        ];
        for (index, (port, address)) in names.into_iter().enumerate() {
            self.number(port, ports + 2 * index, 2);
            self.address(address, addresses + 4 * index);
        }
        if is_0 {
            self.number(F::SyncFlags0, at + 20, 2);
            self.number(F::SyncState, at + 22, 2);
        }
    }
}
