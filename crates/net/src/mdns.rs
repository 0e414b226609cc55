//! Multicast DNS queries (RFC 6762): browsers hide their addresses behind names in `.local`.
//!
//! Only what resolving a candidate takes: one question, asked twice within a second, of the groups of both families, as a network may
//! have one of them only.
//!
//! Ours, and not a library's: `mdns-sd` starts a thread that stays, with sockets on every interface and a cache, and refuses a message
//! as a whole; what is needed here is one question for each candidate, on the peer's own shard and the interfaces it may use,
//! over after a second, with nothing left behind, and with what could be read of a message whose end is broken.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::task::Poll;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

use crate::interfaces::LocalAddress;
use crate::socket_options;

const PORT: u16 = 5353;
const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);

/// When the question is repeated, and when we stop to listen.
const REPEAT: Duration = Duration::from_millis(300);
const TIME_LIMIT: Duration = Duration::from_secs(1);

/// After a first answer, how long to wait for the other address family.
const GRACE: Duration = Duration::from_millis(50);

/// Addresses of one name. Anybody on the network may answer, as often as there is time for.
const MAX_FOUND: usize = 8;

/// RFC 6762, section 17: no message is longer.
const MAX_MESSAGE: usize = 9_000;

const TYPE_A: u16 = 1;
const TYPE_AAAA: u16 = 28;
const CLASS_IN: u16 = 1;

/// A name may be compressed, each step pointing elsewhere (RFC 1035, section 4.1.4). More steps than this are a loop.
const MAX_POINTERS: usize = 16;

/// Whether a name has to be asked for by multicast.
pub(crate) fn is_local(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.len() > 6
        && name.is_char_boundary(name.len() - 6)
        && name[name.len() - 6..].eq_ignore_ascii_case(".local")
}

/// The addresses of `name`, or none.
pub(crate) async fn lookup(name: &str, interfaces: &[LocalAddress]) -> io::Result<Vec<IpAddr>> {
    let query = query(name).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "not a DNS name"))?;
    // A machine may lack a family, or leave no room in it: the other one will do.
    let (v4, v6) = (Asker::v4(interfaces), Asker::v6(interfaces));
    let askers = match (v4, v6) {
        (Err(error), Err(_)) => return Err(error),
        (v4, v6) => Vec::from_iter(v4.into_iter().chain(v6)),
    };
    let start = Instant::now();
    let mut found = Vec::new();
    for until in [start + REPEAT, start + TIME_LIMIT] {
        for asker in &askers {
            asker.ask(&query).await;
        }
        listen(&askers, name, until, &mut found).await;
        if !found.is_empty() {
            break;
        }
    }
    Ok(found)
}

/// A socket that asks a group of one family, and hears its answers. They go to port 5353, which others (a system service, browsers) share.
struct Asker {
    socket: UdpSocket,
    ways: Vec<Way>,
}

/// How a question leaves.
enum Way {
    /// By the interface with this address.
    V4(Ipv4Addr),
    /// By the interface with this index.
    V6(u32),
}

impl Asker {
    fn v4(interfaces: &[LocalAddress]) -> io::Result<Self> {
        let own = |a: &LocalAddress| match a.ip {
            IpAddr::V4(ip) => Some(ip),
            IpAddr::V6(_) => None,
        };
        let socket = open(Ipv4Addr::UNSPECIFIED.into())?;
        let ways: Vec<Ipv4Addr> = interfaces.iter().filter_map(own).collect();
        for ip in &ways {
            let _ = socket.join_multicast_v4(&GROUP_V4, ip);
        }
        Self::new(socket, ways.into_iter().map(Way::V4).collect())
    }

    fn v6(interfaces: &[LocalAddress]) -> io::Result<Self> {
        let socket = open(Ipv6Addr::UNSPECIFIED.into())?;
        let ways: BTreeSet<u32> =
            interfaces.iter().filter(|a| a.ip.is_ipv6() && a.index != 0).map(|a| a.index).collect();
        for index in &ways {
            let _ = socket.join_multicast_v6(&GROUP_V6, *index);
        }
        Self::new(socket, ways.into_iter().map(Way::V6).collect())
    }

    fn new(socket: Socket, ways: Vec<Way>) -> io::Result<Self> {
        Ok(Self { socket: UdpSocket::from_std(socket.into())?, ways })
    }

    async fn ask(&self, query: &[u8]) {
        for way in &self.ways {
            // An interface that can't do multicast has nobody to ask either.
            let _ = match way {
                Way::V4(ip) => match socket2::SockRef::from(&self.socket).set_multicast_if_v4(ip) {
                    Ok(()) => self.socket.send_to(query, (GROUP_V4, PORT)).await,
                    Err(error) => Err(error),
                },
                Way::V6(index) => {
                    self.socket.send_to(query, SocketAddrV6::new(GROUP_V6, PORT, 0, *index)).await
                }
            };
        }
    }
}

fn open(any: IpAddr) -> io::Result<Socket> {
    let domain = Domain::for_address(SocketAddr::new(any, 0));
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    if any.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    #[cfg(unix)]
    socket.set_reuse_port(true)?;
    socket_options::ignore_unreachable(&socket)?;
    socket.set_nonblocking(true)?;
    let bind = |port| socket.bind(&SocketAddr::new(any, port).into());
    // Without the port only those answer who answer to the sender (RFC 6762, section 6.7): better than nothing.
    bind(PORT).or_else(|_| bind(0))?;
    Ok(socket)
}

/// The length of the next message, on whichever socket it comes.
async fn receive(askers: &[Asker], buffer: &mut [u8]) -> usize {
    poll_fn(|cx| {
        for asker in askers {
            let mut message = ReadBuf::new(buffer);
            // A socket that has failed has nothing to say.
            if let Poll::Ready(Ok(_)) = asker.socket.poll_recv_from(cx, &mut message) {
                return Poll::Ready(message.filled().len());
            }
        }
        Poll::Pending
    })
    .await
}

async fn listen(askers: &[Asker], name: &str, mut until: Instant, found: &mut Vec<IpAddr>) {
    let mut buffer = vec![0; MAX_MESSAGE];
    while let Ok(len) = timeout_at(until, receive(askers, &mut buffer)).await {
        for ip in answers(&buffer[..len], name) {
            if found.len() >= MAX_FOUND {
                return;
            }
            if !found.contains(&ip) {
                found.push(ip);
                until = until.min(Instant::now() + GRACE);
            }
        }
    }
}

/// A query for both address families.
fn query(name: &str) -> Option<Vec<u8>> {
    let mut labels = Vec::new();
    for label in name.strip_suffix('.').unwrap_or(name).split('.') {
        let len = u8::try_from(label.len()).ok().filter(|len| (1..=63).contains(len))?;
        labels.push(len);
        labels.extend_from_slice(label.as_bytes());
    }
    labels.push(0);
    if labels.len() > 255 {
        return None;
    }
    // No id, no flags, two questions.
    let mut query = vec![0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0];
    for kind in [TYPE_A, TYPE_AAAA] {
        query.extend_from_slice(&labels);
        query.extend_from_slice(&kind.to_be_bytes());
        query.extend_from_slice(&CLASS_IN.to_be_bytes());
    }
    Some(query)
}

/// The addresses that a message gives for `name`. Nothing from a message that is malformed where it is read.
pub(crate) fn answers(message: &[u8], name: &str) -> Vec<IpAddr> {
    let mut found = Vec::new();
    // What was read before a malformed record is as good as it is.
    let _ = read_answers(message, name.strip_suffix('.').unwrap_or(name), &mut found);
    found
}

fn read_answers(message: &[u8], name: &str, found: &mut Vec<IpAddr>) -> Option<()> {
    let count = |at: usize| Some(usize::from(u16_at(message, at)?));
    let is_response = message.get(2)? & 0x80 != 0;
    if !is_response {
        return None;
    }
    let (questions, records) = (count(4)?, count(6)? + count(8)? + count(10)?);
    let mut at = 12;
    for _ in 0..questions {
        at = read_name(message, at)?.1 + 4;
    }
    for _ in 0..records {
        let (owner, end) = read_name(message, at)?;
        let (kind, class, len) =
            (u16_at(message, end)?, u16_at(message, end + 2)?, usize::from(u16_at(message, end + 8)?));
        let data = message.get(end + 10..end + 10 + len)?;
        at = end + 10 + len;
        // The highest bit of the class says "replace what you have cached".
        if class & 0x7fff == CLASS_IN && owner.eq_ignore_ascii_case(name) {
            match kind {
                TYPE_A => found.extend(<[u8; 4]>::try_from(data).map(IpAddr::from)),
                TYPE_AAAA => found.extend(<[u8; 16]>::try_from(data).map(IpAddr::from)),
                _ => {}
            }
        }
    }
    Some(())
}

/// A name and the offset after it.
fn read_name(message: &[u8], start: usize) -> Option<(String, usize)> {
    let (mut name, mut at, mut end, mut pointers) = (Vec::new(), start, None, 0);
    loop {
        let len = usize::from(*message.get(at)?);
        match len {
            0 => return Some((String::from_utf8(name).ok()?, end.unwrap_or(at + 1))),
            1..=63 => {
                if !name.is_empty() {
                    name.push(b'.');
                }
                name.extend_from_slice(message.get(at + 1..at + 1 + len)?);
                if name.len() > 255 {
                    return None;
                }
                at += 1 + len;
            }
            0xc0.. => {
                pointers += 1;
                if pointers > MAX_POINTERS {
                    return None;
                }
                end = end.or(Some(at + 2));
                at = usize::from(u16_at(message, at)? & 0x3fff);
            }
            _ => return None,
        }
    }
}

fn u16_at(message: &[u8], at: usize) -> Option<u16> {
    let bytes = message.get(at..at + 2)?;
    Some(u16::from_be_bytes([bytes[0], bytes[1]]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAME: &str = "0e2d1a5c-8b1f-4f0e-9d4c-1a2b3c4d5e6f.local";

    /// A response that repeats the question and refers to it from the answers.
    fn response() -> Vec<u8> {
        let mut message = query(NAME).unwrap();
        message[2] = 0x84;
        message[7] = 2;
        for (kind, data) in [(TYPE_A, vec![192, 0, 2, 7]), (TYPE_AAAA, vec![0x20; 16])] {
            message.extend_from_slice(&[0xc0, 12]);
            message.extend_from_slice(&kind.to_be_bytes());
            message.extend_from_slice(&[0x80, 1, 0, 0, 0, 120, 0]);
            message.push(data.len() as u8);
            message.extend_from_slice(&data);
        }
        message
    }

    #[test]
    fn answers_are_read_through_compressed_names() {
        let found = answers(&response(), &NAME.to_uppercase());
        assert_eq!(
            found,
            [
                "192.0.2.7".parse::<IpAddr>().unwrap(),
                "2020:2020:2020:2020:2020:2020:2020:2020".parse().unwrap()
            ]
        );
        assert!(answers(&response(), "other.local").is_empty());
        assert!(answers(&query(NAME).unwrap(), NAME).is_empty(), "a query is no answer");
    }

    #[test]
    fn a_name_that_points_to_itself_ends() {
        let mut message = response();
        let at = message.len() - 28;
        message[at..at + 2].copy_from_slice(&[0xc0, at as u8]);
        assert_eq!(answers(&message, NAME).len(), 1);
    }

    #[test]
    fn only_names_in_local_are_asked_for_by_multicast() {
        assert!(is_local("a.local") && is_local("A.LOCAL."));
        assert!(
            !is_local("local") && !is_local(".local") && !is_local("a.localhost") && !is_local("a.example")
        );
        assert!(query(&"a".repeat(64)).is_none() && query("a..local").is_none());
    }

    proptest! {
        #[test]
        fn no_message_does_harm(mut message in prop::collection::vec(any::<u8>(), 0..300), flips in prop::collection::vec((0usize..150, any::<u8>()), 0..8)) {
            answers(&message, NAME);
            message = response();
            for (at, value) in flips {
                if let Some(byte) = message.get_mut(at) {
                    *byte = value;
                }
            }
            answers(&message, NAME);
        }
    }
}
