//! Scratch.
use sim_core::base::id::*;
use sim_core::base::time::*;
use sim_core::trace::*;
use sim_core::wire::frame::*;
use sim_core::world::node::*;
use sim_core::world::*;
struct R {
    out: PortId,
    n: u32,
    len: usize,
    edit: bool,
}
impl Node for R {
    fn receive(&mut self, _p: PortId, mut f: Frame, out: &mut Outbox, _cx: &mut Cx) {
        if self.edit {
            let h = f.buffer_mut().head_mut(34);
            h[22] = h[22].wrapping_sub(1);
        }
        out.send(self.out, f);
    }
    fn wake(&mut self, _: &mut Outbox, _: &mut Cx) {}
    fn act(&mut self, a: &Action, out: &mut Outbox, cx: &mut Cx) {
        if *a == Action::Boot {
            for _ in 0..self.n {
                let mut b = cx.new_buffer(self.len);
                {
                    let x = b.bytes_mut();
                    x[12] = 8;
                    x[14] = 0x45;
                    x[23] = 6;
                    x[46] = 0x80;
                }
                out.send(self.out, Frame::new(b));
            }
        }
    }
    fn next_wake(&self) -> Option<Instant> {
        None
    }
}
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let level = match a[1].as_str() {
        "c" => Level::Counters,
        "f" => Level::Frames,
        _ => Level::Everything,
    };
    let len: usize = a[2].parse().unwrap();
    let n = 16u32;
    let nodes = (0..n)
        .map(|i| {
            (
                NodeCard { name: format!("n{i}").into(), role: "x".into(), is_switch: false },
                Box::new(R { out: PortId(2 * i + 1), n: 4, len, edit: i % 4 != 0 }) as Box<dyn Node>,
            )
        })
        .collect();
    let ports = (0..2 * n)
        .map(|p| PortCard { node: NodeId(p / 2), name: format!("e{p}").into(), mac: None, address: None, peer: None })
        .collect();
    let cables = (0..n).map(|i| (PortId(2 * i + 1), PortId((2 * i + 2) % (2 * n)), LinkSettings::default())).collect();
    let mut s = Sim::new(Plan {
        seed: 1,
        level,
        nodes,
        ports,
        cables,
        deeds: vec![],
        until: Instant::from_nanos(51_000 * 12_000),
    });
    let t = std::time::Instant::now();
    s.run();
    let w = t.elapsed().as_secs_f64();
    let h = s.counters().packet_hops;
    let rss = std::fs::read_to_string("/proc/self/status")
        .unwrap()
        .lines()
        .find(|l| l.starts_with("VmHWM"))
        .unwrap()
        .to_string();
    println!("{h} hops {:.1} ns/hop {:?} {rss}", w * 1e9 / h as f64, s.digest());
}
