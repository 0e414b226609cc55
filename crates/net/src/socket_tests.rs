//! Runs of datagrams, those that are too big, and ports.

use std::future::poll_fn;
use std::net::IpAddr;

use super::*;

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::from([127, 0, 0, 1]), port)
}

async fn receive(socket: &UdpSocket, bytes: usize) -> Vec<Vec<u8>> {
    let mut got = Vec::new();
    let mut left = bytes;
    while left > 0 {
        let mut handle = |_: SocketAddr, data: &[u8]| got.push(data.to_vec());
        left -= poll_fn(|cx| {
            RecvBuffers::with(|b| socket.poll_recv(cx, b).map(|count| b.deliver(count, &mut handle)))
        })
        .await;
    }
    got
}

#[tokio::test]
async fn a_run_of_datagrams_arrives_as_it_was_cut() {
    let (a, b) = (UdpSocket::bind(loopback(0)).unwrap(), UdpSocket::bind(loopback(0)).unwrap());
    for (len, segment) in [(1, 1), (3_000, 1_200), (64 * 1_191, 1_191), (100_000, 16_300), (5, 1_000)] {
        let data: Vec<u8> = (0..len).map(|i| (i / segment) as u8).collect();
        assert_eq!(a.try_send(b.local(), &data, segment), Sent::Done);
        let got = receive(&b, len).await;
        let want: Vec<Vec<u8>> = data.chunks(segment).map(<[u8]>::to_vec).collect();
        assert_eq!(got, want, "{len} bytes in datagrams of {segment}");
    }
}

#[tokio::test]
async fn a_datagram_that_is_too_big_is_lost_and_the_next_one_is_not() {
    let (a, b) = (UdpSocket::bind(loopback(0)).unwrap(), UdpSocket::bind(loopback(0)).unwrap());
    assert_eq!(a.try_send(b.local(), &[0; 70_000], 70_000), Sent::Done);
    assert_eq!(a.try_send(b.local(), b"next", 4), Sent::Done);
    assert_eq!(receive(&b, 4).await, [b"next"]);
}

#[tokio::test]
async fn sending_with_fragmentation_allowed_leaves_the_socket_as_it_was() {
    for ip in [IpAddr::from([127, 0, 0, 1]), IpAddr::from(std::net::Ipv6Addr::LOCALHOST)] {
        let bind = || UdpSocket::bind(SocketAddr::new(ip, 0)).unwrap();
        let (a, b) = (bind(), bind());
        a.send_fragmentable(b.local(), &[7; 20_000]);
        assert_eq!(receive(&b, 20_000).await, [vec![7; 20_000]]);
        // The largest payload of UDP needs two IPv4 fragments, or is above the limit: both times it is lost now.
        a.try_send(b.local(), &[8; 65_527], 65_527);
        a.try_send(b.local(), b"next", 4);
        assert_eq!(receive(&b, 4).await, [b"next"]);
    }
}

#[tokio::test]
async fn the_ports_of_a_range_are_used_up_and_then_the_error_says_so() {
    let ip = IpAddr::from([127, 0, 0, 3]);
    let holder = UdpSocket::bind(SocketAddr::new(ip, 0)).unwrap();
    let held = holder.local().port();
    // Others may hold some ports of the range as well: all that counts is that each free one is given out once.
    let (first, last) = (held.saturating_sub(2), held.saturating_add(2));
    let bind = || bind_in_range(Some((first, last)), |port| SocketAddr::new(ip, port));
    let mut sockets = Vec::new();
    let error = loop {
        match bind() {
            Ok(socket) => sockets.push(socket),
            Err(error) => break error,
        }
    };
    let ports: std::collections::BTreeSet<_> = sockets.iter().map(|s| s.local().port()).collect();
    assert_eq!(ports.len(), sockets.len(), "a port was given out twice");
    assert!(!ports.contains(&held), "a port that is taken was given out");
    assert!(ports.iter().all(|port| (first..=last).contains(port)), "{ports:?}");
    assert!(error.to_string().contains(&format!("{first} to {last}")), "{error}");
}
