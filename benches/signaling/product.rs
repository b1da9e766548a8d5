//! Who is measured.

use std::fmt;

/// A server that relays signaling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Product {
    Visavis,
    /// Node with `ws`.
    Node,
    /// Django Channels under daphne.
    Channels,
}

impl Product {
    pub(crate) const ALL: [Self; 3] = [Self::Visavis, Self::Node, Self::Channels];

    /// Messages a second that it is asked to relay when it is not to be saturated.
    pub(crate) const fn paced_rate(self) -> f64 {
        match self {
            Self::Visavis | Self::Node => 20_000.0,
            Self::Channels => 500.0,
        }
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Visavis => "visavis",
            Self::Node => "node",
            Self::Channels => "channels",
        })
    }
}
