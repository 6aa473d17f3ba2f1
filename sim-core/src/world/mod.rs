//! Floor 3: the world's machinery. A queue, links, and nodes that are closed boxes: bytes in, bytes out, "wake me at".
//! Nothing here knows IP.

pub mod action;
pub mod link;
pub mod node;
pub mod sim;
pub mod topology;

pub use action::{Action, Cut, Deed};
pub use link::{LinkChange, LinkSettings};
pub use sim::{Plan, Sim, Stopped};
