//! What may happen to a server, as the fuzzer writes it. Small numbers name clients, peers and channels, so that steps meet.

use arbitrary::Arbitrary;

/// One thing after the other.
#[derive(Debug, Clone, Arbitrary)]
pub struct Script<'a> {
    pub steps: Vec<Step<'a>>,
}

#[derive(Debug, Clone, Arbitrary)]
pub enum Step<'a> {
    /// A client asks for something.
    Request {
        who: Who,
        ask: Ask,
        signed: Signed,
        twist: Twist<'a>,
    },
    /// It sends its last request once more.
    Repeat {
        who: Who,
    },
    /// It sends to a peer by address.
    Indication {
        who: Who,
        peer: Peer,
        length: u8,
    },
    /// It sends to a peer by number.
    ChannelData {
        who: Who,
        channel: Channel,
        length: u8,
    },
    /// It sends whatever it likes.
    Bytes {
        who: Who,
        bytes: &'a [u8],
    },
    /// A peer sends to the relayed address of a client.
    FromPeer {
        whose: Who,
        peer: Peer,
        length: u16,
    },
    /// The driver binds the address that waits the longest, or cannot.
    Bound {
        granted: bool,
    },
    /// Time passes.
    Pass {
        seconds: u16,
    },
    /// The signaling of a client's seat comes from one of a few private addresses.
    Observe {
        of: Who,
        at: u8,
    },
    RevokeRoom {
        room: bool,
    },
    RevokeSeat {
        of: Who,
    },
    /// A client's stream is gone.
    Disconnect {
        who: Who,
    },
}

/// One of a few clients.
#[derive(Debug, Clone, Copy, Arbitrary)]
pub struct Who(pub u8);

/// One of a few channels, or any number.
#[derive(Debug, Clone, Copy, Arbitrary)]
pub enum Channel {
    Usual(u8),
    Any(u16),
}

#[derive(Debug, Clone, Copy, Arbitrary)]
pub enum Ask {
    Binding,
    Allocate { transport: Option<u8>, lifetime: Option<u16>, family: Option<u8>, even: Option<u8> },
    Refresh { lifetime: Option<u16> },
    CreatePermission { peers: [Option<Peer>; 2] },
    ChannelBind { channel: Channel, peer: Peer },
}

/// Whose credential a request is signed with.
#[derive(Debug, Clone, Copy, Arbitrary)]
pub enum Signed {
    ByItself,
    ByAnother(Who),
    WithWrongPassword,
    WithStaleNonce,
    Not,
}

/// What becomes of a request on its way.
#[derive(Debug, Clone, Copy, Arbitrary)]
pub enum Twist<'a> {
    Nothing,
    /// It has one more attribute than it should.
    More(u16, &'a [u8]),
    /// Somebody appended an attribute to what was signed.
    Appended(u16, &'a [u8]),
    /// A bit of it is another.
    Flipped(u16),
    /// Its end is missing.
    Cut(u8),
}

/// Somebody a client may want to reach.
#[derive(Debug, Clone, Copy, Arbitrary)]
pub enum Peer {
    /// On the public internet, at one of a few addresses and ports.
    Public(u8),
    PublicV6(u8),
    /// The relayed address of a client.
    RelayOf(Who),
    /// A port of the box itself.
    Own(u16),
    /// At one of a few private addresses, on the port of a service or of a browser.
    Private(u8),
    Any4([u8; 4], u16),
    /// An IPv4 address in IPv6's clothes.
    Mapped(u8),
}
