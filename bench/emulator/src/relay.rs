//! UDP between addresses that were told: for each candidate of a side there is a socket, and what comes to it goes to the
//! candidate, from the socket that stands for the sender. Each side sees the other at the addresses that it was given.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Instant;

use serde::Deserialize;
use serde_json::{Value, json};
use socket2::{Domain, Protocol, Socket, Type};

use crate::path::Direction;
use crate::{Carrier, Incoming, Input};

/// Bursts wait here until they are read: what a system grants without being asked twice.
const SOCKET_BUFFER: usize = 4 << 20;

/// A socket that stands for an address of a side.
struct Stand {
    socket: Arc<UdpSocket>,
    address: SocketAddr,
    side: Direction,
}

#[derive(Default)]
pub(crate) struct Relay {
    stands: Vec<Stand>,
    by_address: HashMap<SocketAddr, usize>,
    /// From which stand to which address.
    routes: Vec<(usize, SocketAddr)>,
    by_route: HashMap<(usize, SocketAddr), usize>,
}

#[derive(Deserialize)]
struct Candidate {
    /// `a`, who sends forth, or `b`.
    side: char,
    address: SocketAddr,
}

impl Relay {
    /// The stand of an address, which is made if there is none.
    fn stand(
        &mut self,
        address: SocketAddr,
        side: Direction,
        inputs: &Sender<Input>,
    ) -> Result<usize, String> {
        if let Some(index) = self.by_address.get(&address) {
            return Ok(*index);
        }
        let index = self.stands.len();
        let socket = Arc::new(bind().map_err(|error| format!("no socket for {address}: {error}"))?);
        let reader = socket.clone();
        let inputs = inputs.clone();
        std::thread::spawn(move || read(&reader, index, &inputs));
        self.stands.push(Stand { socket, address, side });
        self.by_address.insert(address, index);
        Ok(index)
    }
}

/// Where a host that has this address as its own is not at home: a stack that sees its own address believes that no router is
/// on the way. Only Linux answers on the whole of 127/8 without being told to.
fn own_address() -> Ipv4Addr {
    if cfg!(target_os = "linux") { Ipv4Addr::new(127, 9, 9, 9) } else { Ipv4Addr::LOCALHOST }
}

fn bind() -> std::io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_recv_buffer_size(SOCKET_BUFFER)?;
    socket.bind(&SocketAddr::from((own_address(), 0)).into())?;
    Ok(socket.into())
}

fn read(socket: &UdpSocket, reader: usize, inputs: &Sender<Input>) {
    let mut buffer = vec![0; 65_536];
    loop {
        // An error is what ICMP says of an earlier packet; the socket goes on.
        let Ok((len, from)) = socket.recv_from(&mut buffer) else { continue };
        let bytes = buffer[..len].to_vec();
        let packet = Incoming { at: Instant::now(), reader, bytes, from: Some(from) };
        if inputs.send(Input::Packet(packet)).is_err() {
            return;
        }
    }
}

impl Carrier for Relay {
    fn route(&mut self, packet: &Incoming, inputs: &Sender<Input>) -> Result<(Direction, usize), String> {
        let from = packet.from.ok_or("a packet from nowhere")?;
        let (to, side) = (self.stands[packet.reader].address, self.stands[packet.reader].side);
        // What comes to a stand of the second side is from the first one. An address that was not told is one that the other
        // side sees for the first time, too: a peer-reflexive candidate.
        let sender = if side == Direction::Back { Direction::Forth } else { Direction::Back };
        let stand = self.stand(from, sender, inputs)?;
        let routes = &mut self.routes;
        let route = *self.by_route.entry((stand, to)).or_insert_with(|| {
            routes.push((stand, to));
            routes.len() - 1
        });
        Ok((sender, route))
    }

    fn deliver(&mut self, route: usize, bytes: &[u8]) {
        let (stand, to) = self.routes[route];
        // Whoever was there may have closed its socket.
        let _ = self.stands[stand].socket.send_to(bytes, to);
    }

    fn candidate(&mut self, params: &Value, inputs: &Sender<Input>) -> Result<Value, String> {
        let Candidate { side, address } =
            serde_json::from_value(params.clone()).map_err(|error| format!("candidate {params}: {error}"))?;
        let side = match side {
            'a' => Direction::Forth,
            'b' => Direction::Back,
            side => return Err(format!("candidate {params}: side {side} is neither a nor b")),
        };
        let stand = self.stand(address, side, inputs)?;
        let own = self.stands[stand].socket.local_addr().map_err(|error| error.to_string())?;
        Ok(json!({ "address": own.to_string() }))
    }
}
