//! Many peers at one port, over loopback.

mod common;

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, TcpStream, UdpSocket};
use std::sync::Arc;

use common::{Connected, TestPeer, connect, connect_by, gather, loopback_config, runtime, wait_until};
use ossa_net::{Listen, Peer, PeerConfig, Runtime, TcpMode};
use ossa_peer::{CandidateProtocol, SelectedPair};

fn listen(port: u16) -> Listen {
    Listen { port, announce: Vec::new(), announce_local: false }
}

fn config(port: u16) -> PeerConfig {
    PeerConfig { listen: Some(listen(port)), ..loopback_config() }
}

/// A port that was free a moment ago, for UDP and TCP.
fn free_port() -> u16 {
    loop {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = udp.local_addr().unwrap().port();
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn pair(peer: &TestPeer) -> SelectedPair {
    peer.peer.with(|c, _| c.snapshot().ice.and_then(|ice| ice.selected_pair)).unwrap().unwrap()
}

fn exchange(connected: &Connected) {
    let Connected { a, b, at_a, at_b, .. } = connected;
    for (from, channel, to) in [(a, at_a, b), (b, at_b, a)] {
        for size in [0, 1, 1_191, 100_000] {
            from.send(*channel, vec![7; size]);
            assert_eq!(to.wait_message().len(), size);
        }
    }
}

fn server_and_client(runtime: &Arc<Runtime>, server: PeerConfig) -> Connected {
    connect(TestPeer::new(runtime, loopback_config()), TestPeer::new(runtime, server))
}

#[test]
fn many_peers_at_one_port_each_get_their_own_and_no_other_socket_is_opened() {
    let port = free_port();
    let (runtime, clients) = (runtime(), runtime());
    let servers: Vec<Connected> = (0..50)
        .map(|_| {
            let client = TestPeer::new(&clients, loopback_config());
            connect(client, TestPeer::new(&runtime, config(port)))
        })
        .collect();
    for (i, connected) in servers.iter().enumerate() {
        assert_eq!(pair(&connected.b).local.addr.port(), port);
        connected.b.send(connected.at_b, vec![i as u8; 1 + i * 100]);
        connected.a.send(connected.at_a, vec![i as u8; 1 + i * 1_000]);
    }
    for (i, connected) in servers.iter().enumerate() {
        assert_eq!(connected.a.wait_message()[..], vec![i as u8; 1 + i * 100]);
        assert_eq!(connected.b.wait_message()[..], vec![i as u8; 1 + i * 1_000]);
    }
    // Whoever goes takes nobody along.
    let (gone, stay) = servers.split_at(25);
    gone.iter().for_each(|connected| connected.b.peer.close());
    stay.iter().for_each(exchange);
}

#[test]
fn the_port_is_free_again_when_the_last_peer_has_gone() {
    let port = free_port();
    let runtime = runtime();
    for _ in 0..3 {
        let connected = server_and_client(
            &runtime,
            PeerConfig { tcp: TcpMode { active: false, passive: true }, ..config(port) },
        );
        connected.b.peer.close();
        wait_until("the end", || connected.b.peer.is_finished());
        wait_until("the port is free", || UdpSocket::bind(("127.0.0.1", port)).is_ok());
        wait_until("the TCP port is free", || std::net::TcpListener::bind(("127.0.0.1", port)).is_ok());
    }
}

#[test]
fn a_port_that_another_program_has_is_told_at_once() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let sink = Arc::new(common::Collector::default());
    let error = Peer::new(&runtime(), config(port), sink).unwrap_err().to_string();
    assert!(error.contains(&format!("listening at UDP 127.0.0.1:{port}")), "{error}");
}

#[test]
fn with_a_shared_port_on_both_sides_the_second_connection_moves_out_of_it() {
    let (here, there) = (free_port(), free_port());
    let runtime = runtime();
    let connected = || connect(TestPeer::new(&runtime, config(here)), TestPeer::new(&runtime, config(there)));
    let first = connected();
    let second = connected();
    let third = connected();
    for connected in [&first, &second, &third] {
        exchange(connected);
    }
    let ports = |c: &Connected| (pair(&c.a).local.addr.port(), pair(&c.b).local.addr.port());
    assert_eq!(ports(&first), (here, there));
    assert_ne!(ports(&second), (here, there));
    assert_ne!(ports(&third), ports(&second));
}

#[test]
fn over_tcp_as_many_as_like_share_the_port() {
    let port = free_port();
    let runtime = runtime();
    let passive = TcpMode { active: false, passive: true };
    let active = TcpMode { active: true, passive: false };
    let links: Vec<Connected> = (0..10)
        .map(|_| {
            connect_by(
                TestPeer::new(&runtime, PeerConfig { tcp: active, ..loopback_config() }),
                TestPeer::new(&runtime, PeerConfig { tcp: passive, ..config(port) }),
                |candidate| candidate.is_empty() || candidate.contains(" tcp "),
            )
        })
        .collect();
    for connected in &links {
        exchange(connected);
        let pair = pair(&connected.b);
        assert_eq!((pair.local.protocol, pair.local.addr.port()), (CandidateProtocol::Tcp, port));
    }
}

#[test]
fn a_lite_server_is_reached_by_whoever_offers() {
    let port = free_port();
    let runtime = runtime();
    let server = || {
        let mut config = config(port);
        config.connection.ice.lite = true;
        TestPeer::new(&runtime, config)
    };
    let client = || TestPeer::new(&runtime, loopback_config());
    for connected in [connect(client(), server()), connect(server(), client()), connect(server(), server())] {
        exchange(&connected);
    }
}

#[test]
fn announced_addresses_take_the_place_of_the_local_ones_or_join_them() {
    let public: IpAddr = Ipv4Addr::new(203, 0, 113, 7).into();
    let port = free_port();
    let mut config = config(port);
    config.tcp.passive = true;
    config.listen = Some(Listen { announce: vec![public], ..listen(port) });
    let (candidates, errors, _peer) = gather(config.clone());
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(candidates.len(), 2);
    assert!(
        candidates.iter().all(|c| c.contains(&format!(" 203.0.113.7 {port} typ host"))),
        "{candidates:?}"
    );
    config.listen = Some(Listen { announce: vec![public], announce_local: true, port });
    let (candidates, _, _peer) = gather(config);
    let of = |ip: &str| candidates.iter().filter(|c| c.contains(&format!(" {ip} {port} typ host"))).count();
    assert_eq!((of("203.0.113.7"), of("127.0.0.1")), (2, 2), "{candidates:?}");
}

#[test]
fn an_announced_address_is_connected_to_where_it_leads_here() {
    // 127.0.0.1 is what a 1:1 NAT makes of it: here it is the candidate that is rewritten on its way.
    let public: IpAddr = Ipv4Addr::new(203, 0, 113, 7).into();
    let port = free_port();
    let runtime = runtime();
    let mut server = config(port);
    server.listen = Some(Listen { announce: vec![public], ..listen(port) });
    let (client, server) = (TestPeer::new(&runtime, loopback_config()), TestPeer::new(&runtime, server));
    let at_client = client.channel("test");
    let answer = server.answer(&client.offer(false));
    client.accept(&answer);
    let mut candidate = server.wait("a candidate", |event| common::signaled(&event));
    assert!(candidate.candidate.contains("203.0.113.7"));
    candidate.candidate = candidate.candidate.replace("203.0.113.7", "127.0.0.1");
    client.add_candidate(&candidate);
    client.wait("the channel", |event| match event {
        ossa_peer::Event::ChannelOpen { id, .. } => (id == at_client).then_some(()),
        _ => None,
    });
}

#[test]
fn garbage_at_the_ports_disturbs_nobody() {
    let port = free_port();
    let runtime = runtime();
    let connected = server_and_client(
        &runtime,
        PeerConfig { tcp: TcpMode { active: false, passive: true }, ..config(port) },
    );
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    let target = ("127.0.0.1", port);
    for i in 0..10_000_u32 {
        let mut garbage = vec![i as u8; (i % 1_400) as usize];
        // What looks like checks, answers and DTLS.
        if let [first, second, ..] = &mut garbage[..] {
            (*first, *second) = [(0, 1), (1, 1), (22, 254), (0x80, 0)][(i % 4) as usize];
        }
        stranger.send_to(&garbage, target).unwrap();
    }
    let mut idle = Vec::new();
    for i in 0..300_u32 {
        let mut stream = TcpStream::connect(target).unwrap();
        // It may have been closed already.
        let _ = stream.write_all(&vec![i as u8; (i % 50) as usize]);
        idle.push(stream);
    }
    exchange(&connected);
    let another = connect(TestPeer::new(&runtime, loopback_config()), TestPeer::new(&runtime, config(port)));
    exchange(&another);
}
