//! Server-reflexive candidates, from STUN servers that see what a NAT would make them see.

mod common;

use std::net::{SocketAddr, UdpSocket};
use std::thread;

use common::{TestPeer, loopback_config, runtime, server, wait_until};
use ossa_net::{PeerConfig, internal_errors};
use ossa_peer::{Event, GatheringState, IceCandidateError, IceTransportPolicy};
use stun_proto::types::attribute::{AttributeType, ErrorCode, RawAttribute, XorMappedAddress};
use stun_proto::types::message::{BINDING, Message, MessageWriteVec};
use stun_proto::types::prelude::{MessageWrite, MessageWriteExt};

/// Answers the `nth` request, and all after it, with what `answer` adds. Returns the server's URL.
fn stun_server(nth: usize, answer: impl Fn(&Message<'_>) -> Vec<u8> + Send + 'static) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let url = format!("stun:{}", socket.local_addr().unwrap());
    thread::spawn(move || {
        let mut buffer = [0; 1_500];
        for request in 1.. {
            let Ok((len, from)) = socket.recv_from(&mut buffer) else { return };
            if request >= nth {
                let message = Message::from_bytes(&buffer[..len]).unwrap();
                socket.send_to(&answer(&message), from).unwrap();
            }
        }
    });
    url
}

fn mapped(address: &'static str) -> impl Fn(&Message<'_>) -> Vec<u8> {
    move |request| {
        let address: SocketAddr = address.parse().unwrap();
        let mut response = Message::builder_success(request, MessageWriteVec::new());
        response.add_attribute(&XorMappedAddress::new(address, request.transaction_id())).unwrap();
        response.finish()
    }
}

fn gather(config: PeerConfig) -> (Vec<(String, Option<String>)>, Vec<IceCandidateError>) {
    let runtime = runtime();
    let peer = TestPeer::new(&runtime, config);
    peer.channel("test");
    peer.offer(false);
    let (mut candidates, mut errors, mut completed) = (Vec::new(), Vec::new(), 0);
    peer.wait("the end of gathering", |event| match event {
        Event::IceCandidate { candidate, url, .. } => {
            candidates.push((candidate, url));
            None
        }
        Event::IceCandidateError(error) => {
            errors.push(error);
            None
        }
        Event::IceGatheringState { state: GatheringState::Complete, .. } => Some(()),
        _ => None,
    });
    peer.peer.close();
    while let Some(event) = peer.sink.try_next() {
        completed +=
            usize::from(matches!(event, Event::IceGatheringState { state: GatheringState::Complete, .. }));
    }
    assert_eq!(completed, 0, "gathering ends once");
    (candidates, errors)
}

fn with_servers(urls: &[String]) -> PeerConfig {
    let mut config = loopback_config();
    config.ice_servers = urls.iter().map(|url| server(url, None, None)).collect();
    config
}

#[test]
fn an_address_behind_a_nat_becomes_one_candidate_however_many_servers_see_it() {
    let urls = [stun_server(1, mapped("203.0.113.5:40000")), stun_server(1, mapped("203.0.113.5:40000"))];
    let (candidates, errors) = gather(with_servers(&urls));
    assert_eq!(errors, []);
    let reflexive: Vec<_> = candidates.iter().filter(|(c, _)| c.contains("typ srflx")).collect();
    assert_eq!(reflexive.len(), 1, "{candidates:?}");
    let (candidate, url) = reflexive[0];
    assert!(candidate.contains(" 203.0.113.5 40000 typ srflx raddr 127.0.0.1 rport "), "{candidate}");
    assert!(urls.contains(url.as_ref().unwrap()));
}

#[test]
fn a_lost_request_is_repeated() {
    let (candidates, errors) = gather(with_servers(&[stun_server(2, mapped("203.0.113.5:40000"))]));
    assert_eq!(errors, []);
    assert!(candidates.iter().any(|(c, _)| c.contains("typ srflx")));
}

#[test]
fn an_error_of_the_server_is_reported_with_its_code() {
    let url = stun_server(1, |request| {
        let mut response = Message::builder_error(request, MessageWriteVec::new());
        response.add_attribute(&ErrorCode::builder(500).reason("out of order").build().unwrap()).unwrap();
        response.finish()
    });
    let (candidates, errors) = gather(with_servers(std::slice::from_ref(&url)));
    assert_eq!(candidates.len(), 1);
    assert_eq!(errors.len(), 1);
    assert_eq!((errors[0].code, errors[0].text.as_str(), &errors[0].url), (500, "out of order", &url));
    assert_eq!(errors[0].address, Some([127, 0, 0, 1].into()));
}

#[test]
fn an_answer_without_sense_is_an_error_and_not_a_hang() {
    let url = stun_server(1, |request| Message::builder_success(request, MessageWriteVec::new()).finish());
    let (_, errors) = gather(with_servers(&[url]));
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].code, 701);
}

#[test]
fn an_old_server_that_knows_mapped_address_only_gives_a_candidate() {
    let url = stun_server(1, |request| {
        let mut response = Message::builder_success(request, MessageWriteVec::new());
        let address = RawAttribute::new(AttributeType::new(1), &[0, 1, 0x9c, 0x40, 203, 0, 113, 5]);
        response.add_attribute(&address).unwrap();
        response.finish()
    });
    let (candidates, errors) = gather(with_servers(&[url]));
    assert_eq!(errors, []);
    assert!(candidates.iter().any(|(c, _)| c.contains(" 203.0.113.5 40000 typ srflx")), "{candidates:?}");
}

/// A TURN server at the limit of its capacity, seen through a NAT: it tells the reflexive address, and refuses allocations.
fn full_turn_server() -> String {
    let told = mapped("203.0.113.5:40000");
    let url = stun_server(1, move |request| {
        if request.method() == BINDING {
            return told(request);
        }
        let mut response = Message::builder_error(request, MessageWriteVec::new());
        response.add_attribute(&ErrorCode::builder(486).reason("full").build().unwrap()).unwrap();
        response.finish()
    });
    url.replace("stun:", "turn:")
}

fn with_turn_server(url: &str) -> PeerConfig {
    let mut config = loopback_config();
    config.ice_servers = vec![server(url, Some("user"), Some("secret"))];
    config
}

fn reflexive(candidates: &[(String, Option<String>)]) -> usize {
    candidates.iter().filter(|(c, _)| c.contains(" 203.0.113.5 40000 typ srflx ")).count()
}

#[test]
fn a_turn_server_tells_the_reflexive_address_even_if_it_relays_nothing() {
    let url = full_turn_server();
    let (candidates, errors) = gather(with_turn_server(&url));
    assert_eq!(reflexive(&candidates), 1, "{candidates:?}");
    assert_eq!(candidates.iter().filter_map(|(_, from)| from.as_ref()).collect::<Vec<_>>(), [&url]);
    assert_eq!(errors.iter().map(|e| e.code).collect::<Vec<_>>(), [486], "{errors:?}");
}

#[test]
fn a_server_that_is_both_stun_and_turn_gives_one_reflexive_candidate() {
    let url = full_turn_server();
    let mut config = with_turn_server(&url);
    config.ice_servers.push(server(&url.replace("turn:", "stun:"), None, None));
    let (candidates, _) = gather(config);
    assert_eq!(reflexive(&candidates), 1, "{candidates:?}");
}

#[test]
fn with_relayed_candidates_only_no_server_is_asked_for_the_reflexive_address() {
    let mut config = with_turn_server(&full_turn_server());
    config.connection.ice_transport_policy = IceTransportPolicy::Relay;
    let (candidates, errors) = gather(config);
    assert_eq!((candidates.len(), errors.len()), (0, 1), "{candidates:?} {errors:?}");
}

#[test]
fn a_turn_server_that_does_not_answer_is_reported_once() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (candidates, errors) = gather(with_turn_server(&format!("turn:{}", silent.local_addr().unwrap())));
    assert_eq!((candidates.len(), errors.len()), (1, 1), "{errors:?}");
    assert_eq!(errors[0].code, 701);
}

#[test]
fn a_name_that_does_not_exist_is_reported_as_701() {
    let (candidates, errors) = gather(with_servers(&["stun:no-such-host.invalid".to_owned()]));
    assert_eq!(candidates.len(), 1);
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0].code, 701);
    assert!(errors[0].text.contains("no-such-host.invalid"), "{}", errors[0].text);
}

#[test]
fn a_peer_that_is_closed_while_a_server_is_silent_ends_without_an_internal_error() {
    let before = internal_errors();
    let runtime = runtime();
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let peer = TestPeer::new(&runtime, with_servers(&[format!("stun:{}", silent.local_addr().unwrap())]));
    peer.channel("test");
    peer.offer(false);
    silent.recv_from(&mut [0; 1_500]).expect("the question");
    peer.peer.close();
    wait_until("the peer has ended", || runtime.peers() == 0);
    assert_eq!(internal_errors(), before);
}

#[test]
fn servers_that_are_silent_do_not_keep_the_address_that_another_one_tells() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = silent.local_addr().unwrap();
    let mut config = with_servers(&[format!("stun:{at}"), stun_server(1, mapped("203.0.113.5:40000"))]);
    config.ice_servers.insert(1, server(&format!("turn:{at}"), Some("user"), Some("secret")));
    let runtime = runtime();
    let peer = TestPeer::new(&runtime, config);
    peer.channel("test");
    peer.offer(false);
    peer.wait("the reflexive candidate, while gathering goes on", |event| match event {
        Event::IceCandidate { candidate, .. } if candidate.contains("typ srflx") => Some(()),
        Event::IceCandidateError(error) => panic!("a silent server was given up first: {error:?}"),
        Event::IceGatheringState { state: GatheringState::Complete, .. } => {
            panic!("gathering has ended without it")
        }
        _ => None,
    });
}
