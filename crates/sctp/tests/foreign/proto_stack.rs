//! `sctp-proto`, the stack of str0m.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use sctp_proto::{
    Association, AssociationHandle, ClientConfig, DatagramEvent, Endpoint, EndpointConfig, Event, Payload,
    PayloadProtocolIdentifier, ReliabilityType, ServerConfig, StreamEvent,
};

use super::{Delivery, Foreign};

pub struct SctpProto {
    endpoint: Endpoint,
    association: Option<(AssociationHandle, Association)>,
    remote: SocketAddr,
    established: bool,
    streams: BTreeSet<u16>,
    received: Vec<(u16, Bytes)>,
    finished: Vec<u16>,
}

impl SctpProto {
    pub fn new() -> Self {
        let remote: SocketAddr = ([127, 0, 0, 1], 5000).into();
        let server = Some(Arc::new(ServerConfig::default()));
        let endpoint = Endpoint::new(Arc::new(EndpointConfig::new()), server);
        Self {
            endpoint,
            association: None,
            remote,
            established: false,
            streams: BTreeSet::new(),
            received: Vec::new(),
            finished: Vec::new(),
        }
    }

    fn read(&mut self) {
        let Some((_, association)) = &mut self.association else { return };
        for id in association.stream_ids() {
            let Ok(mut stream) = association.stream(id) else { continue };
            while let Ok(Some(chunks)) = stream.read_sctp() {
                let mut payload = vec![0; chunks.len()];
                chunks.read(&mut payload).expect("the buffer has the size of the message");
                self.received.push((id, Bytes::from(payload)));
            }
        }
    }

    fn take_events(&mut self) {
        let Some((_, association)) = &mut self.association else { return };
        while let Some(event) = association.poll() {
            match event {
                Event::Connected => self.established = true,
                Event::AssociationLost { reason, .. } => {
                    panic!("sctp-proto lost the association: {reason:?}")
                }
                Event::HandshakeFailed { reason } => panic!("sctp-proto failed: {reason:?}"),
                Event::Stream(StreamEvent::Finished { id }) => self.finished.push(id),
                _ => {}
            }
        }
    }
}

impl Foreign for SctpProto {
    fn connect(&mut self, now: Instant) {
        let _ = now;
        let pair = self.endpoint.connect(ClientConfig::default(), self.remote).expect("sctp-proto connects");
        self.association = Some(pair);
    }

    fn handle_packet(&mut self, now: Instant, packet: Bytes) {
        match self.endpoint.handle(now, self.remote, None, None, packet) {
            Some((handle, DatagramEvent::NewAssociation(association))) => {
                self.association = Some((handle, association));
            }
            Some((_, DatagramEvent::AssociationEvent(event))) => {
                if let Some((_, association)) = &mut self.association {
                    association.handle_event(event);
                }
            }
            _ => {}
        }
        self.read();
    }

    fn handle_timeout(&mut self, now: Instant) {
        if let Some((_, association)) = &mut self.association {
            association.handle_timeout(now);
        }
    }

    fn next_timeout(&mut self) -> Option<Instant> {
        self.association.as_ref().and_then(|(_, association)| association.poll_timeout())
    }

    fn poll(&mut self, now: Instant) -> Vec<Bytes> {
        let mut packets = Vec::new();
        while let Some(transmit) = self.endpoint.poll_transmit() {
            if let Payload::RawEncode(list) = transmit.payload {
                packets.extend(list);
            }
        }
        if let Some((handle, association)) = &mut self.association {
            while let Some(event) = association.poll_endpoint_event() {
                let _ = self.endpoint.handle_event(*handle, event);
            }
            while let Some(transmit) = association.poll_transmit(now) {
                if let Payload::RawEncode(list) = transmit.payload {
                    packets.extend(list);
                }
            }
        }
        self.take_events();
        self.read();
        packets
    }

    fn is_established(&self) -> bool {
        self.established
    }

    fn send(&mut self, now: Instant, id: u16, payload: &Bytes, delivery: Delivery) {
        let _ = now;
        let (_, association) = self.association.as_mut().expect("sctp-proto is connected");
        let ppid = PayloadProtocolIdentifier::Binary;
        if self.streams.insert(id) && association.stream(id).is_err() {
            association.open_stream(id, ppid).expect("sctp-proto opens the stream");
        }
        let mut stream = association.stream(id).expect("the stream is open");
        let kind = if delivery.once { ReliabilityType::Rexmit } else { ReliabilityType::Reliable };
        stream.set_reliability_params(delivery.unordered, kind, 0).expect("the stream is open");
        stream.write_sctp(payload, ppid).expect("sctp-proto takes the message");
    }

    fn receive(&mut self) -> Vec<(u16, Bytes)> {
        std::mem::take(&mut self.received)
    }

    fn reset(&mut self, now: Instant, id: u16) {
        let _ = now;
        let (_, association) = self.association.as_mut().expect("sctp-proto is connected");
        association.stream(id).expect("the stream is open").stop().expect("sctp-proto resets");
        self.streams.remove(&id);
    }

    fn saw_reset(&mut self, stream: u16) -> bool {
        self.finished.contains(&stream)
    }
}
