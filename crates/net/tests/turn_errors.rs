//! What TURN servers refuse, and what becomes of it.

mod common;

use std::collections::HashSet;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use common::coturn::{CREDENTIAL, Coturn, USERNAME};
use common::{gather, loopback_config, server};
use ossa_net::PeerConfig;
use ossa_peer::IceTransportPolicy;
use parking_lot::Mutex;
use stun_proto::Instant as ProtocolInstant;
use stun_proto::agent::Transmit;
use stun_proto::types::TransportType;
use stun_proto::types::attribute::{AlternateServer, ErrorCode, Nonce, Realm};
use stun_proto::types::message::{Message, MessageClass, MessageType, MessageWriteVec, TransactionId};
use stun_proto::types::prelude::{MessageWrite, MessageWriteExt};
use turn_client_proto::api::{TurnConfig, TurnPollRet};
use turn_client_proto::prelude::TurnClientApi;
use turn_client_proto::types::TurnCredentials;
use turn_client_proto::types::message::ALLOCATE;
use turn_client_proto::udp::TurnClientUdp;

fn relay_only(url: &str) -> PeerConfig {
    let mut config = loopback_config();
    config.connection.ice_transport_policy = IceTransportPolicy::Relay;
    config.ice_servers = vec![server(url, Some(USERNAME), Some(CREDENTIAL))];
    config
}

/// A request that a scripted server has seen.
struct Seen {
    from: SocketAddr,
    nonce: Option<String>,
}

/// Answers each request for an allocation with an error: 401 with a challenge if it has no credentials, what `script` makes of it
/// otherwise. Returns the server's URL and what it has seen.
fn refusing_server(
    script: impl Fn(usize, &mut MessageWriteVec) + Send + 'static,
) -> (String, Arc<Mutex<Vec<Seen>>>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let url = format!("turn:{}", socket.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    thread::spawn(move || {
        let (mut buffer, mut authenticated) = ([0; 1_500], 0);
        loop {
            let Ok((len, from)) = socket.recv_from(&mut buffer) else { return };
            let request = Message::from_bytes(&buffer[..len]).unwrap();
            let nonce = request.attribute::<Nonce>().ok().map(|nonce| nonce.nonce().to_owned());
            let mut answer = Message::builder_error(&request, MessageWriteVec::new());
            if nonce.is_some() {
                authenticated += 1;
                script(authenticated, &mut answer);
            } else {
                challenge(&mut answer, 401, "first nonce");
            }
            log.lock().push(Seen { from, nonce });
            socket.send_to(&answer.finish(), from).unwrap();
        }
    });
    (url, seen)
}

fn refuse(answer: &mut MessageWriteVec, code: u16) {
    answer.add_attribute(&ErrorCode::builder(code).build().unwrap()).unwrap();
}

fn challenge(answer: &mut MessageWriteVec, code: u16, nonce: &str) {
    refuse(answer, code);
    answer.add_attribute(&Realm::new("ossa.test").unwrap()).unwrap();
    answer.add_attribute(&Nonce::new(nonce).unwrap()).unwrap();
}

/// Makes an allocation from `socket` and lets the server keep it, as a client does that dies.
fn abandon_allocation(coturn: &Coturn, socket: &UdpSocket) {
    let address = SocketAddr::from(([127, 0, 0, 1], coturn.port));
    let local = socket.local_addr().unwrap();
    let config = TurnConfig::new(TurnCredentials::new(USERNAME, CREDENTIAL));
    let mut client = TurnClientUdp::allocate(local, address, config);
    socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let start = Instant::now();
    let mut buffer = [0; 1_500];
    while client.relayed_addresses().next().is_none() {
        assert!(start.elapsed() < common::PATIENCE, "coturn gives no allocation");
        let now = ProtocolInstant::from_nanos(i64::try_from(start.elapsed().as_nanos()).unwrap());
        assert!(!matches!(client.poll(now), TurnPollRet::Closed), "coturn refuses an allocation");
        while let Some(transmit) = client.poll_transmit(now) {
            socket.send_to(&transmit.data, address).unwrap();
        }
        if let Ok((len, _)) = socket.recv_from(&mut buffer) {
            client.recv(Transmit::new(&buffer[..len], TransportType::Udp, address, local), now);
        }
    }
}

/// Two neighbouring ports that are free.
fn free_neighbours() -> (UdpSocket, UdpSocket) {
    loop {
        let first = UdpSocket::bind("127.0.0.1:0").unwrap();
        let next = first.local_addr().unwrap().port().checked_add(1);
        if let Some(Ok(second)) = next.map(|port| UdpSocket::bind(("127.0.0.1", port))) {
            return (first, second);
        }
    }
}

#[test]
fn a_port_with_an_abandoned_allocation_is_exchanged_for_another() {
    let coturn = Coturn::start();
    // Peers begin alternately with the first and the last port of a range of two: one of the rounds meets the abandoned one.
    for _ in 0..2 {
        let (abandoned, free) = free_neighbours();
        abandon_allocation(&coturn, &abandoned);
        let mut config = relay_only(&coturn.url("turn", "udp"));
        let port = |socket: &UdpSocket| socket.local_addr().unwrap().port();
        config.port_range = Some((port(&abandoned), port(&free)));
        drop((abandoned, free));
        let (candidates, errors, _peer) = gather(config);
        assert_eq!(errors, []);
        assert_eq!(candidates.len(), 1, "{candidates:?}");
    }
}

#[test]
fn where_no_other_port_is_to_be_had_the_mismatch_is_reported() {
    let coturn = Coturn::start();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    abandon_allocation(&coturn, &socket);
    let mut config = relay_only(&coturn.url("turn", "udp"));
    let port = socket.local_addr().unwrap().port();
    config.port_range = Some((port, port));
    drop(socket);
    let (candidates, errors, _peer) = gather(config);
    assert_eq!(candidates, Vec::<String>::new());
    assert_eq!(errors.iter().map(|e| e.code).collect::<Vec<_>>(), [437], "{errors:?}");
}

#[test]
fn a_server_that_never_accepts_a_port_is_given_up_after_three() {
    let (url, seen) = refusing_server(|_, answer| refuse(answer, 437));
    let (_, errors, _peer) = gather(relay_only(&url));
    assert_eq!(errors.iter().map(|e| e.code).collect::<Vec<_>>(), [437], "{errors:?}");
    let ports: HashSet<_> = seen.lock().iter().map(|request| request.from).collect();
    assert_eq!(ports.len(), 3, "each attempt came from a port of its own");
}

#[test]
fn a_refusal_is_reported_with_its_code_and_not_asked_for_again() {
    // Forbidden, Wrong Credentials, Unsupported Transport, Allocation Quota Reached, Server Error, Insufficient Capacity.
    for code in [403, 441, 442, 486, 500, 508] {
        let (url, seen) = refusing_server(move |_, answer| refuse(answer, code));
        let (candidates, errors, _peer) = gather(relay_only(&url));
        assert_eq!(candidates, Vec::<String>::new());
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_eq!((errors[0].code, errors[0].url.as_str()), (code, url.as_str()));
        assert!(!errors[0].text.is_empty());
        let authenticated = seen.lock().iter().filter(|request| request.nonce.is_some()).count();
        assert_eq!(authenticated, 1, "one request is enough to be refused with {code}");
    }
}

#[test]
fn a_stale_nonce_is_replaced_by_the_new_one() {
    let (url, seen) = refusing_server(|count, answer| match count {
        1 => challenge(answer, 438, "second nonce"),
        _ => refuse(answer, 486),
    });
    let (_, errors, _peer) = gather(relay_only(&url));
    assert_eq!(errors.iter().map(|e| e.code).collect::<Vec<_>>(), [486], "{errors:?}");
    let nonces: Vec<_> = seen.lock().iter().filter_map(|request| request.nonce.clone()).collect();
    assert_eq!(nonces, ["first nonce", "second nonce"]);
}

#[test]
fn a_server_that_sends_us_elsewhere_is_followed() {
    let coturn = Coturn::start();
    let there = SocketAddr::from(([127, 0, 0, 1], coturn.port));
    let (url, _) = refusing_server(move |_, answer| {
        refuse(answer, 300);
        answer.add_attribute(&AlternateServer::new(there)).unwrap();
    });
    let (candidates, errors, _peer) = gather(relay_only(&url));
    assert_eq!(errors, []);
    assert_eq!(candidates.len(), 1, "{candidates:?}");
}

#[test]
fn a_server_that_sends_us_in_circles_is_given_up() {
    let here: Arc<Mutex<Option<SocketAddr>>> = Arc::default();
    let target = here.clone();
    let (url, _) = refusing_server(move |_, answer| {
        refuse(answer, 300);
        answer.add_attribute(&AlternateServer::new(target.lock().unwrap())).unwrap();
    });
    *here.lock() = Some(url.strip_prefix("turn:").unwrap().parse().unwrap());
    let (_, errors, _peer) = gather(relay_only(&url));
    assert_eq!(errors.iter().map(|e| e.code).collect::<Vec<_>>(), [300], "{errors:?}");
}

/// Stands in front of coturn; what coturn says goes through `answer`, which may make more of it. Returns the URL.
fn proxy(coturn: &Coturn, answer: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static) -> String {
    let there = SocketAddr::from(([127, 0, 0, 1], coturn.port));
    let proxy = UdpSocket::bind("127.0.0.1:0").unwrap();
    let url = format!("turn:{}", proxy.local_addr().unwrap());
    thread::spawn(move || {
        let (mut buffer, mut client) = ([0; 1_500], there);
        loop {
            let Ok((len, from)) = proxy.recv_from(&mut buffer) else { return };
            if from == there {
                for datagram in answer(&buffer[..len]) {
                    proxy.send_to(&datagram, client).unwrap();
                }
            } else {
                client = from;
                proxy.send_to(&buffer[..len], there).unwrap();
            }
        }
    });
    url
}

fn gives_an_allocation(url: &str) {
    let (candidates, errors, _peer) = gather(relay_only(url));
    assert_eq!(errors, []);
    assert_eq!(candidates.len(), 1, "{candidates:?}");
}

#[test]
fn an_answer_to_no_request_of_ours_is_ignored() {
    let coturn = Coturn::start();
    gives_an_allocation(&proxy(&coturn, |genuine| {
        let refusal = MessageType::from_class_method(MessageClass::Error, ALLOCATE);
        let mut made_up = Message::builder(refusal, TransactionId::generate(), MessageWriteVec::new());
        refuse(&mut made_up, 508);
        vec![made_up.finish(), genuine.to_vec()]
    }));
}

#[test]
fn a_challenge_that_comes_twice_is_not_taken_for_wrong_credentials() {
    // As it happens when the server is slow, and our request was repeated.
    let coturn = Coturn::start();
    gives_an_allocation(&proxy(&coturn, |genuine| vec![genuine.to_vec(), genuine.to_vec()]));
}
