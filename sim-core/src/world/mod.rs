//! Floor 3: the world's machinery. A queue, links, and nodes that are closed boxes: bytes in, bytes out, "wake me at".
//! Nothing here knows IP.

pub mod node;
