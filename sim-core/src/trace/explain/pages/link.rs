//! Pages about cables, switches and network cards.

use super::row::{Page, row};

pub(super) const PAGES: &[Page] = &[
    row(
        "LINK.DOWN",
        "no signal on the cable",
        "A frame was sent into a cable that carries no signal: it was unplugged, or the machine at the other end is off. \
         The sender is not told; it finds out because nothing comes back.",
        &["script: unplug, plug", "ip link show: NO-CARRIER is the kernel's own view of it"],
        "include/linux/netdevice.h: netif_carrier_ok",
    ),
    row(
        "LINK.QUEUE",
        "the link's queue is full",
        "Frames come faster than the link can carry them. They wait in a queue of fixed length, and what does not fit is \
         lost. TCP notices the loss and slows down.",
        &["link: (rate: \"1Gbit\", queue: …)", "script: set_link"],
        "tail drop, as in net/sched/sch_fifo.c",
    ),
    row(
        "LINK.LOSS",
        "lost by chance",
        "The scenario lets this link lose a part of its frames. Which ones is drawn from the link's own stream of chance, \
         so the same seed loses the same frames.",
        &["link: (loss: \"0.1%\")", "script: set_link", "run --seed N draws others"],
        "compare `tc qdisc add dev eth0 root netem loss 0.1%`",
    ),
    row(
        "LINK.MTU",
        "longer than the link carries",
        "The frame is longer than the link allows. A host that knows the MTU of its interface does not send such frames; \
         two ends with different MTUs do.",
        &["link: (mtu: …)", "ip link set dev eth0 mtu N"],
        "compare drivers that drop oversized frames",
    ),
    row(
        "SWITCH.KNOWN",
        "the switch knows the way",
        "The destination MAC was seen as a *source* at this port before, so the frame goes there and nowhere else.",
        &["mac_aging: \"300s\" of the switch: how long it remembers"],
        "net/bridge/br_input.c: br_handle_frame_finish",
    ),
    row(
        "SWITCH.BROADCAST",
        "to everybody",
        "Broadcast and multicast frames leave by every port but the one they came by, in the order of the scenario file.",
        &[],
        "net/bridge/br_forward.c: br_flood",
    ),
    row(
        "SWITCH.FLOOD",
        "to everybody, because the way is unknown",
        "No frame *from* this MAC was seen lately. The switch sends the frame to all other ports; the right machine takes \
         it and the others ignore it. With DR this can last: if nobody hears from a MAC, nobody learns it.",
        &["mac_aging of the switch", "a frame from the silent machine, such as a ping"],
        "net/bridge/br_forward.c: br_flood",
    ),
    row(
        "SWITCH.SAMEPORT",
        "it is already there",
        "The destination stands behind the port by which the frame came in, so there is nothing to do.",
        &[],
        "net/bridge/br_forward.c: should_deliver",
    ),
    row(
        "SWITCH.NOPORT",
        "nowhere to go",
        "The frame is for everybody or for somebody unknown, and no port but the one it came by has a signal.",
        &["plug the cables of the switch"],
        "net/bridge/br_forward.c: should_deliver",
    ),
    row(
        "SWITCH.CUT",
        "stopped by a cut of the scenario",
        "The script cut this kind of frame in this direction, as a wrong filter or a half-broken switch would.",
        &["script: cut, heal"],
        "compare `nft` or `ebtables` rules on a bridge",
    ),
    row(
        "SWITCH.LEARN",
        "the switch learns",
        "The source MAC of a frame tells behind which port that machine is. This is all a switch ever knows.",
        &["mac_aging of the switch"],
        "net/bridge/br_fdb.c: br_fdb_update",
    ),
    row(
        "SWITCH.MOVED",
        "a MAC moved",
        "A known source MAC came in by another port: a machine was replugged, a virtual MAC has a new owner, or two \
         machines claim one MAC. The switch believes the last frame.",
        &[],
        "net/bridge/br_fdb.c: br_fdb_update",
    ),
    row(
        "HUB.REPEAT",
        "a hub repeats",
        "A hub knows nothing and remembers nothing: whatever comes in by one port goes out by all others. Every machine \
         hears every frame, also those for somebody else, which its network card then drops.",
        &["switches: { \"lan\": (kind: Hub) }", "without kind it is a switch, and learns"],
        "IEEE 802.3, clause 27",
    ),
    row(
        "PUPPET.TOOK",
        "taken by a puppet",
        "A puppet stands for a machine of a recording or a test. It has no protocol stack: it keeps every frame it gets.",
        &[],
        "only in replays and tests",
    ),
    row(
        "NIC.OTHER",
        "for another machine",
        "The frame carries another destination MAC. A network card takes what is for its own MAC, for groups it joined and \
         for everybody; the rest is not even looked at.",
        &["tcpdump shows such frames, because it makes the card promiscuous"],
        "net/ethernet/eth.c: eth_type_trans (PACKET_OTHERHOST); net/ipv4/ip_input.c: ip_rcv_core",
    ),
    row(
        "NIC.DOWN",
        "the interface is down",
        "The interface was set down by a command, so it neither sends nor receives.",
        &["ip link set dev eth0 up", "ifconfig eth0 up"],
        "net/core/dev.c",
    ),
    row(
        "NIC.TYPE",
        "an unknown kind of frame",
        "The EtherType is neither IPv4 (0x0800) nor ARP (0x0806). The lab's hosts speak nothing else.",
        &[],
        "net/core/dev.c: __netif_receive_skb_core",
    ),
    row(
        "HOST.DOWN",
        "nobody at home",
        "The machine is switched off, crashed or frozen. Its cable may still have a signal, so nobody is told.",
        &["script: power_on, thaw"],
        "",
    ),
];
