//! What a reverse proxy says of the browsers behind it: whose request it is, and under which name and scheme the browser asked.
//!
//! Only a peer that the configuration names is believed; whatever anybody else writes into these headers is not looked at.

use std::net::{IpAddr, SocketAddr};

use hyper::Request;
use hyper::header::{self, HeaderMap, HeaderValue};
use ipnet::IpNet;

/// The proxies in front of this box.
#[derive(Debug, Clone)]
pub struct Proxies {
    /// Networks whose word is believed.
    pub trusted: Vec<IpNet>,
    /// Browsers cannot come but through a proxy, since there is no TLS without one: a peer that says nothing of a browser hides it.
    pub required: bool,
}

/// Whose request it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Client {
    /// Whom throttles count: the browser's address, or that of the outermost proxy which is known.
    pub(super) source: IpAddr,
    /// Where the browser is; `None` if a proxy hides it.
    pub(super) location: Option<IpAddr>,
    /// The browser came by plain HTTP, as the proxy says.
    pub(super) insecure: bool,
}

/// What one proxy says of the hop before it.
#[derive(Default)]
struct Hop<'a> {
    from: Option<IpAddr>,
    host: Option<&'a str>,
    proto: Option<&'a str>,
}

impl Proxies {
    /// Reads what `peer` says of the browser behind it; the request's host becomes the one that the browser asked for.
    ///
    /// `X-Forwarded-For` goes before `Forwarded` (RFC 7239): proxies that write the first often pass the second on as the browser sent it.
    pub(super) fn client<B>(&self, peer: IpAddr, request: &mut Request<B>) -> Client {
        if !self.trusts(peer) {
            return Client { source: peer, location: (!self.required).then_some(peer), insecure: false };
        }
        let headers = request.headers();
        let x_forwarded = X_FORWARDED.iter().any(|name| headers.contains_key(*name));
        let (source, hop) = if x_forwarded { self.by_x_forwarded(peer, headers) } else { self.by_forwarded(peer, headers) };
        let insecure = hop.proto.is_some_and(|proto| proto.eq_ignore_ascii_case("http"));
        let host = hop.host.and_then(|host| HeaderValue::from_str(host).ok());
        if let Some(host) = host {
            request.headers_mut().insert(header::HOST, host);
        }
        Client { source, location: Some(source).filter(|source| !self.trusts(*source)), insecure }
    }

    /// The headers are lists of one entry a proxy, or hold what the nearest wrote alone; then that stands for all.
    fn by_x_forwarded<'a>(&self, peer: IpAddr, headers: &'a HeaderMap) -> (IpAddr, Hop<'a>) {
        let [addresses, hosts, protos] = X_FORWARDED;
        let hops = from_the_right(headers, addresses).map(|text| Hop { from: address(text), ..Hop::default() });
        let (source, depth, _) = self.walk(peer, hops);
        let said = |name| from_the_right(headers, name).take(depth + 1).last().filter(|text: &&str| !text.is_empty());
        (source, Hop { from: None, host: said(hosts), proto: said(protos) })
    }

    fn by_forwarded<'a>(&self, peer: IpAddr, headers: &'a HeaderMap) -> (IpAddr, Hop<'a>) {
        let (source, _, hop) = self.walk(peer, from_the_right(headers, FORWARDED).map(element));
        (source, hop)
    }

    /// From the nearest proxy outwards, until somebody is met who is none, or of whom nothing is said: who that is, after how many
    /// others, and what the last trusted proxy said.
    fn walk<'a>(&self, peer: IpAddr, hops: impl Iterator<Item = Hop<'a>>) -> (IpAddr, usize, Hop<'a>) {
        let mut met = (peer, 0, Hop::default());
        for (depth, hop) in hops.take(HOPS_MAX).enumerate() {
            let Some(from) = hop.from else { break };
            met = (from, depth, hop);
            if !self.trusts(from) {
                break;
            }
        }
        met
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(&address))
    }
}

/// The entries of a list, the nearest proxy's first, over all headers of that name.
fn from_the_right<'a>(headers: &'a HeaderMap, name: &'static str) -> impl Iterator<Item = &'a str> {
    let lists = headers.get_all(name).iter().rev();
    lists.flat_map(|list| list.to_str().unwrap_or_default().rsplit(',')).map(str::trim)
}

/// RFC 7239 section 4. A comma within quotes, which no address and no host has, makes the element unreadable.
fn element(text: &str) -> Hop<'_> {
    let mut hop = Hop::default();
    for (name, value) in text.split(';').filter_map(|pair| pair.split_once('=')) {
        let value = value.trim().trim_matches('"');
        match name.trim().to_ascii_lowercase().as_str() {
            "for" => hop.from = address(value),
            "host" => hop.host = Some(value),
            "proto" => hop.proto = Some(value),
            _ => {}
        }
    }
    hop
}

/// An address with or without a port; an IPv6 one with or without brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    text.parse().ok().or_else(with_port).or_else(bare).map(|address: IpAddr| address.to_canonical())
}

const FORWARDED: &str = "forwarded";
const X_FORWARDED: [&str; 3] = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"];
/// Nobody stands behind more proxies than this.
const HOPS_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PROXY: [u8; 4] = [10, 0, 0, 1];

    #[test]
    fn a_stranger_s_headers_are_not_looked_at() {
        let (client, host) =
            read(proxies(true), [192, 0, 2, 9], &[("x-forwarded-for", "203.0.113.1"), ("x-forwarded-host", "evil")]);
        assert_eq!(client, Client { source: [192, 0, 2, 9].into(), location: None, insecure: false });
        assert_eq!(host, "inside");
        let (client, _) = read(proxies(false), [192, 0, 2, 9], &[("forwarded", "for=203.0.113.1;proto=http")]);
        assert_eq!(client, Client { source: [192, 0, 2, 9].into(), location: Some([192, 0, 2, 9].into()), insecure: false });
    }

    #[test]
    fn the_rightmost_address_that_is_no_proxy_s_is_the_browser_s() {
        for (headers, source) in [
            (&[("x-forwarded-for", "203.0.113.1")][..], "203.0.113.1"),
            (&[("x-forwarded-for", "198.51.100.7, 203.0.113.1, 10.0.0.2")], "203.0.113.1"),
            (&[("x-forwarded-for", "198.51.100.7"), ("x-forwarded-for", "203.0.113.1,10.0.0.2")], "203.0.113.1"),
            (&[("x-forwarded-for", "203.0.113.1:4711")], "203.0.113.1"),
            (&[("x-forwarded-for", "[2001:db8::1]:4711")], "2001:db8::1"),
            (&[("x-forwarded-for", "::ffff:203.0.113.1")], "203.0.113.1"),
            (&[("forwarded", "for=198.51.100.7, for=\"[2001:db8::1]:47\";proto=https, for=10.0.0.2")], "2001:db8::1"),
            (&[("forwarded", "For=198.51.100.7"), ("x-forwarded-for", "203.0.113.1")], "203.0.113.1"),
        ] {
            let (client, _) = read(proxies(true), PROXY, headers);
            let source: IpAddr = source.parse().unwrap();
            assert_eq!((client.source, client.location), (source, Some(source)), "{headers:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_ends_the_walk_at_the_last_proxy_that_is_known() {
        for (value, source) in
            [("203.0.113.1, unknown", "10.0.0.1"), ("203.0.113.1, _hidden, 10.0.0.2", "10.0.0.2"), ("", "10.0.0.1")]
        {
            let (client, _) = read(proxies(true), PROXY, &[("x-forwarded-for", value)]);
            assert_eq!(client, Client { source: source.parse().unwrap(), location: None, insecure: false }, "{value}");
        }
    }

    #[test]
    fn host_and_scheme_are_those_of_the_outermost_trusted_proxy() {
        let chain = ("x-forwarded-for", "198.51.100.7, 203.0.113.1, 10.0.0.2");
        for (headers, host, insecure) in [
            (
                &[chain, ("x-forwarded-host", "lie, calls.example, inner"), ("x-forwarded-proto", "http, https, http")][..],
                "calls.example",
                false,
            ),
            (&[chain, ("x-forwarded-host", "calls.example"), ("x-forwarded-proto", "HTTP")], "calls.example", true),
            (
                &[("forwarded", "host=lie, for=203.0.113.1;host=\"calls.example:8443\";proto=https, for=10.0.0.2;proto=http")],
                "calls.example:8443",
                false,
            ),
            (&[("forwarded", "for=203.0.113.1")], "inside", false),
        ] {
            let (client, found) = read(proxies(true), PROXY, headers);
            assert_eq!((found.as_str(), client.insecure), (host, insecure), "{headers:?}");
        }
    }

    #[test]
    fn a_chain_without_an_end_is_followed_for_a_while_only() {
        let endless = "10.0.0.2,".repeat(4000) + "10.0.0.2";
        let (client, _) = read(proxies(true), PROXY, &[("x-forwarded-for", &endless)]);
        assert_eq!((client.source, client.location), ([10, 0, 0, 2].into(), None));
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic_or_a_stranger_somebody_else(
            values in prop::collection::vec((0..4usize, "[ -~]{0,40}|([0-9.:,=;\"\\[\\] a-f]|for=|host=|proto=){0,40}"), 0..6),
            peer in any::<[u8; 4]>(),
        ) {
            let names = ["forwarded", X_FORWARDED[0], X_FORWARDED[1], X_FORWARDED[2]];
            let headers: Vec<_> = values.iter().map(|(name, value)| (names[*name], value.as_str())).collect();
            let trusted = proxies(true).trusts(peer.into());
            let (client, host) = read(proxies(true), peer, &headers);
            prop_assert!(trusted || (client.source == IpAddr::from(peer) && host == "inside" && !client.insecure));
            read(proxies(true), PROXY, &headers);
        }
    }

    fn proxies(required: bool) -> Proxies {
        Proxies { trusted: vec!["10.0.0.0/8".parse().unwrap()], required }
    }

    fn read(proxies: Proxies, peer: [u8; 4], headers: &[(&str, &str)]) -> (Client, String) {
        let request = Request::builder().header("host", "inside");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let mut request = request.body(()).unwrap();
        let client = proxies.client(peer.into(), &mut request);
        (client, request.headers()["host"].to_str().unwrap().to_owned())
    }
}
