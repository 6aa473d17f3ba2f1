//! What a packet does to a connection's state: the TCP tables, the timeouts, what counts as active.
//!
//! A director sees one direction (DR, TUN) or both (NAT); that is why there are three tables. Follows Linux
//! `ip_vs_proto_tcp.c` and `ip_vs_proto_udp.c`.

use crate::base::time::Duration;
use crate::trace::record::ConnState::{
    Close as CL, CloseWait as CW, Established as ES, FinWait as FW, LastAck as LA, Listen as LI, SynRecv as SR,
    SynSent as SS, TimeWait as TW,
};
use crate::trace::record::{ConnState, Method};
use crate::wire::flow::Transport;
use crate::wire::packet::Packet;

/// Whose packet it is, and whether the other direction is seen too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The client's, and the server's answers pass here.
    Input,
    /// The server's.
    Output,
    /// The client's, and the server's answers go another way.
    InputOnly,
}

/// The flags of a TCP segment as the state tables look at them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// SYN is set, whatever else is.
    pub syn: bool,
    /// FIN.
    pub fin: bool,
    /// ACK.
    pub ack: bool,
    /// RST.
    pub rst: bool,
}

/// Whose rules a connection follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Linux IPVS.
    Linux,
    /// Linux IPVS with `secure_tcp`: a SYN counts for less, and only an answer of the server establishes.
    Guarded,
    /// DPVS, for FULLNAT: a stray ACK closes, only ESTABLISHED counts as active, and times are short.
    Dpvs,
}

/// How long a connection lives after a packet, by its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeouts {
    tcp: [Duration; TCP_STATES],
    dpvs: [Duration; TCP_STATES],
    udp: Duration,
}

const TCP_STATES: usize = 11;

/// What a table holds for one kind of segment: the new state by the old one, in the order of [`ConnState`].
type Row = [ConnState; TCP_STATES];

/// Rows: SYN, FIN, ACK, RST. Columns: NONE, ESTABLISHED, SYN_SENT, SYN_RECV, FIN_WAIT, TIME_WAIT, CLOSE, CLOSE_WAIT,
/// LAST_ACK, LISTEN, SYNACK.
const INPUT: [Row; 4] = [
    [SR, ES, ES, SR, SR, SR, SR, SR, SR, SR, SR],
    [CL, CW, SS, TW, TW, TW, CL, CW, LA, LI, TW],
    [ES, ES, SS, ES, FW, TW, CL, CW, CL, LI, ES],
    [CL, CL, CL, SR, CL, CL, CL, CL, LA, LI, SR],
];

const OUTPUT: [Row; 4] = [
    [SS, ES, SS, SR, SS, SS, SS, SS, SS, LI, SR],
    [TW, FW, SS, TW, FW, TW, CL, TW, LA, LI, TW],
    [ES, ES, SS, ES, FW, TW, CL, CW, LA, ES, ES],
    [CL, CL, SS, CL, CL, TW, CL, CL, CL, CL, CL],
];

const INPUT_ONLY: [Row; 4] = [
    [SR, ES, ES, SR, SR, SR, SR, SR, SR, SR, SR],
    [CL, FW, SS, TW, FW, TW, CL, CW, LA, LI, TW],
    [ES, ES, SS, ES, FW, TW, CL, CW, CL, LI, ES],
    [CL, CL, CL, SR, CL, CL, CL, CL, LA, LI, CL],
];

/// The state after a segment.
pub fn next_tcp(state: ConnState, direction: Direction, flags: Flags) -> ConnState {
    let table = match direction {
        Direction::Input => &INPUT,
        Direction::Output => &OUTPUT,
        Direction::InputOnly => &INPUT_ONLY,
    };
    let row = match flags {
        Flags { rst: true, .. } => &table[3],
        Flags { syn: true, .. } => &table[0],
        Flags { fin: true, .. } => &table[1],
        Flags { ack: true, .. } => &table[2],
        Flags { .. } => return ConnState::Close,
    };
    row.get(state as usize).copied().unwrap_or(ConnState::Close)
}

/// Where the tables of `secure_tcp` differ (Linux `tcp_states_dos`).
fn guarded_tcp(state: ConnState, direction: Direction, flags: Flags) -> ConnState {
    use ConnState::SynAck as SA;
    match (direction, flags, state) {
        (Direction::Input, Flags { rst: true, .. }, SA) => CL,
        (_, Flags { rst: true, .. }, _) => next_tcp(state, direction, flags),
        (Direction::InputOnly, Flags { syn: true, .. }, ES | SS | SR) => next_tcp(state, direction, flags),
        (Direction::InputOnly, Flags { syn: true, .. }, _) => SA,
        (Direction::Output, Flags { syn: true, .. }, SR | SA) => SA,
        (Direction::Input, Flags { syn: true, .. } | Flags { fin: true, .. } | Flags { ack: true, .. }, SA) => SA,
        (Direction::Input, Flags { syn: false, fin: false, ack: true, .. }, SR) => SR,
        _ => next_tcp(state, direction, flags),
    }
}

/// Whether a connection in this state is one of `ActiveConn`.
pub const fn is_active(state: ConnState) -> bool {
    match state {
        ConnState::Established | ConnState::SynSent | ConnState::SynRecv | ConnState::SynAck => true,
        ConnState::None
        | ConnState::FinWait
        | ConnState::TimeWait
        | ConnState::Close
        | ConnState::CloseWait
        | ConnState::LastAck
        | ConnState::Listen
        | ConnState::Udp
        | ConnState::Assured => false,
    }
}

/// Whether the answers of a server reached in this way never pass the director.
pub const fn is_one_way(method: Method) -> bool {
    match method {
        Method::Nat | Method::FullNat => false,
        Method::Dr | Method::Tun | Method::Local | Method::Bypass => true,
    }
}

impl Manner {
    /// The rules for connections of this method.
    pub const fn of(method: Method) -> Manner {
        match method {
            Method::FullNat => Manner::Dpvs,
            Method::Nat | Method::Dr | Method::Tun | Method::Local | Method::Bypass => Manner::Linux,
        }
    }

    /// The same with `secure_tcp`, if that is on.
    pub const fn guarded(self, is_on: bool) -> Manner {
        match self {
            Manner::Linux if is_on => Manner::Guarded,
            Manner::Linux | Manner::Guarded | Manner::Dpvs => self,
        }
    }

    /// The state after a segment.
    pub fn next_tcp(self, state: ConnState, direction: Direction, flags: Flags) -> ConnState {
        let is_bare_ack = flags == Flags { ack: true, ..Flags::default() };
        match (self, state, direction) {
            (Manner::Dpvs, ConnState::None, Direction::Input) if is_bare_ack => ConnState::Close,
            (Manner::Guarded, ..) => guarded_tcp(state, direction, flags),
            _ => next_tcp(state, direction, flags),
        }
    }

    /// Whether a connection in this state is one of `ActiveConn`.
    pub fn counts_as_active(self, state: ConnState) -> bool {
        match self {
            Manner::Linux | Manner::Guarded => is_active(state),
            Manner::Dpvs => state == ConnState::Established,
        }
    }
}

impl Flags {
    /// Whether nothing but SYN is set: DPVS begins a connection with no other segment.
    pub const fn is_pure_syn(self) -> bool {
        self.syn && !(self.ack || self.fin || self.rst)
    }

    /// The flags of a TCP segment; none if `packet` is not TCP or its header is cut off.
    pub fn of(packet: &Packet, transport: Transport) -> Option<Flags> {
        match transport {
            Transport::Udp => None,
            Transport::Tcp => {
                let payload = packet.payload();
                if payload.len() < 20 {
                    return None;
                }
                let bits = payload[13];
                Some(Flags { fin: bits & 1 != 0, syn: bits & 2 != 0, rst: bits & 4 != 0, ack: bits & 16 != 0 })
            }
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        // In the order of `ConnState`.
        let tcp = [2, 900, 120, 60, 120, 120, 10, 60, 30, 120, 120].map(Duration::from_secs);
        let dpvs = [2, 90, 3, 30, 7, 7, 3, 7, 7, 120, 30].map(Duration::from_secs);
        Timeouts { tcp, dpvs, udp: Duration::from_secs(300) }
    }
}

impl Timeouts {
    /// How long a connection in this state lives without a packet.
    pub fn of(&self, manner: Manner, state: ConnState) -> Duration {
        let tcp = match manner {
            Manner::Linux | Manner::Guarded => &self.tcp,
            Manner::Dpvs => &self.dpvs,
        };
        tcp.get(state as usize).copied().unwrap_or(self.udp)
    }

    /// `ipvsadm --set`: a zero leaves the value. Holds for packets from here on; not for FULLNAT's TCP, whose times a
    /// service sets (`--conn-timeout`).
    pub fn set(&mut self, tcp: Duration, tcp_fin: Duration, udp: Duration) {
        if tcp != Duration::ZERO {
            self.tcp[ConnState::Established as usize] = tcp;
        }
        if tcp_fin != Duration::ZERO {
            self.tcp[ConnState::FinWait as usize] = tcp_fin;
        }
        if udp != Duration::ZERO {
            self.udp = udp;
        }
    }

    /// `ipvsadm -L --timeout`: ESTABLISHED, FIN_WAIT and UDP.
    pub fn shown(&self) -> [Duration; 3] {
        [self.tcp[ConnState::Established as usize], self.tcp[ConnState::FinWait as usize], self.udp]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYN: Flags = Flags { syn: true, fin: false, ack: false, rst: false };
    const ACK: Flags = Flags { syn: false, fin: false, ack: true, rst: false };
    const FIN: Flags = Flags { syn: false, fin: true, ack: true, rst: false };
    const RST: Flags = Flags { syn: false, fin: false, ack: true, rst: true };

    /// The states that a life of segments passes through, from NONE.
    fn check(life: &[(Direction, Flags)], expected: &[ConnState]) {
        let mut state = ConnState::None;
        let seen: Vec<_> = life
            .iter()
            .map(|&(direction, flags)| {
                state = next_tcp(state, direction, flags);
                state
            })
            .collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn nat_sees_both_fins_and_ends_in_time_wait() {
        use Direction::{Input, Output};
        check(&[(Input, SYN), (Output, SYN), (Input, ACK), (Input, FIN), (Output, FIN)], &[SR, SR, ES, CW, TW]);
    }

    #[test]
    fn nat_server_that_closes_first_leaves_fin_wait() {
        use Direction::{Input, Output};
        check(&[(Input, SYN), (Input, ACK), (Output, FIN), (Input, FIN)], &[SR, ES, FW, TW]);
    }

    #[test]
    fn dr_director_calls_a_connection_over_after_the_clients_fin_alone() {
        use Direction::InputOnly;
        check(&[(InputOnly, SYN), (InputOnly, ACK), (InputOnly, FIN), (InputOnly, ACK)], &[SR, ES, FW, FW]);
    }

    #[test]
    fn a_reset_of_the_client_before_the_handshake_ended_changes_nothing() {
        use Direction::Input;
        check(&[(Input, SYN), (Input, RST)], &[SR, SR]);
    }

    #[test]
    fn a_stray_ack_counts_as_established_and_a_stray_fin_as_closed() {
        use Direction::InputOnly;
        check(&[(InputOnly, ACK)], &[ES]);
        check(&[(InputOnly, FIN)], &[CL]);
    }

    #[test]
    fn secure_tcp_establishes_nothing_before_the_server_has_answered() {
        let life = |direction: &[(Direction, Flags)]| -> Vec<ConnState> {
            let mut state = ConnState::None;
            direction
                .iter()
                .map(|&(direction, flags)| {
                    state = Manner::Guarded.next_tcp(state, direction, flags);
                    state
                })
                .collect()
        };
        use Direction::{Input, InputOnly, Output};
        let syn_ack = Flags { ack: true, ..SYN };
        assert_eq!(life(&[(Input, SYN), (Input, ACK)]), [SR, SR], "an ACK of the client alone is not believed");
        let answered = life(&[(Input, SYN), (Output, syn_ack), (Input, ACK), (Output, ACK)]);
        assert_eq!(answered, [SR, ConnState::SynAck, ConnState::SynAck, ES]);
        assert_eq!(life(&[(InputOnly, SYN), (InputOnly, ACK)]), [ConnState::SynAck, ES]);
    }

    #[test]
    fn set_leaves_time_wait_and_what_is_given_as_zero() {
        let mut timeouts = Timeouts::default();
        timeouts.set(Duration::from_secs(5), Duration::ZERO, Duration::from_secs(2));
        assert_eq!(timeouts.shown().map(|d| d.secs()), [5, 120, 2]);
        assert_eq!(timeouts.of(Manner::Linux, TW).secs(), 120);
        assert_eq!(timeouts.of(Manner::Linux, ConnState::Udp).secs(), 2);
    }
}
