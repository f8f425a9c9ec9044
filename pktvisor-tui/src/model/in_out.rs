//! The two directions of DNS: HOST is asked, or HOST asks.

/// A figure of the queries to HOST and of those from HOST.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InOut<T> {
    /// HOST is asked.
    pub inbound: T,
    /// HOST asks.
    pub outbound: T,
}

/// A direction of DNS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryDirection {
    /// HOST is asked.
    In,
    /// HOST asks.
    Out,
}

impl QueryDirection {
    /// The one of both that belongs to this direction.
    pub fn of<T>(self, both: InOut<T>) -> T {
        match self {
            Self::In => both.inbound,
            Self::Out => both.outbound,
        }
    }
}
