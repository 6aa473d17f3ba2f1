//! Floor 0: time, ids, chance, the event queue and a lookup table. Nothing here knows a packet.

pub mod calendar;
pub mod id;
pub mod map;
pub mod queue;
pub mod rng;
pub mod time;
pub mod wheel;
