//! What a comparison comes to.

/// What a replay of a case came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every unit was replayed.
    Replayed(Vec<Unit>),
    /// This kind of case, or something it needs, is not there yet.
    NotYet(String),
}

/// A unit of a case, compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// `01-get-small-1`.
    pub name: String,
    /// Where the lab differs; none if it is equal.
    pub differences: Vec<Difference>,
}

/// A place where the lab differs from the recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where and in what: `dir.eth0 ip.ttl`, `dir.eth0 missing`, `cnt rs1`, `final`.
    pub field: String,
    /// What was recorded.
    pub expected: String,
    /// What the lab did.
    pub observed: String,
}
