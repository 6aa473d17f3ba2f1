//! Local addresses of FULLNAT, as DPVS's ipvsadm has them: `--add-laddr -z LIP -t VIP:PORT -F IF`, `--del-laddr`,
//! `--get-laddr`.

use super::list::in_order;
use crate::ipvs::local::Local;
use crate::ipvs::{ControlError, Ipvs};
use crate::tables::Tables;
use crate::trace::record::ServiceKey;
use crate::world::node::Cx;
use std::fmt::Write as _;
use std::net::Ipv4Addr;

/// A local address as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Typed {
    pub(super) address: Ipv4Addr,
    pub(super) interface: String,
}

pub(super) fn add(
    key: ServiceKey,
    typed: &Typed,
    ipvs: &mut Ipvs,
    tables: &mut Tables,
    cx: &mut Cx,
) -> Result<(), ControlError> {
    let local = local(typed, tables)?;
    ipvs.add_local(key, local, tables, cx)
}

pub(super) fn delete(key: ServiceKey, typed: &Typed, ipvs: &mut Ipvs, tables: &Tables) -> Result<(), ControlError> {
    let local = local(typed, tables)?;
    ipvs.delete_local(key, local)
}

/// `--get-laddr`: all services, or one. The column of conflicts is DPVS's, which never counts there either.
pub(super) fn list(ipvs: &Ipvs, only: Option<ServiceKey>) -> Option<String> {
    let services = match only {
        None => in_order(ipvs, true),
        Some(key) => vec![ipvs.service(key)?],
    };
    let mut text = String::new();
    for (place, service) in services.iter().enumerate() {
        if place == 0 {
            let _ = writeln!(
                text,
                "{:<20} {:<8} {:<20} {:<10} {:<10}",
                "VIP:VPORT", "TOTAL", "SNAT_IP", "CONFLICTS", "CONNS"
            );
        }
        let name = match service.key {
            ServiceKey::Address(_, address) => address.to_string(),
            ServiceKey::Mark(mark) => format!("FWM  {mark}"),
        };
        let _ = writeln!(text, "{name:<20} {:<8} ", service.locals.len());
        for local in service.locals.iter() {
            let connections = ipvs.local_connections(service.key, local.address);
            let _ =
                writeln!(text, "{:<20} {:<8} {:<20} {:<10} {connections:<10}", "", "", local.address.to_string(), 0);
        }
    }
    Some(text)
}

fn local(typed: &Typed, tables: &Tables) -> Result<Local, ControlError> {
    let interface = tables.interfaces.named(&typed.interface).ok_or(ControlError::NoInterface)?;
    Ok(Local { address: typed.address, iface: interface.id })
}
