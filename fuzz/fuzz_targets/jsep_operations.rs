//! Two sessions, each with audio and video or without, in any order of operations, with descriptions exchanged, mutated or lost,
//! stay free of panics.
#![no_main]
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use ossa_media::Kind;
use ossa_peer::jsep::{
    CandidateInit, IceParameters, MediaCapabilities, MediaConfig, SdpType, Session, SessionConfig,
    TransceiverId, TransceiverInit,
};
use ossa_peer::sdp::{Direction, Fingerprint};
use ossa_sctp::InitChunk;

#[derive(Arbitrary, Debug)]
enum Operation {
    AddChannel,
    AddTransceiver {
        video: bool,
        sends: bool,
        receives: bool,
        by_track: bool,
    },
    SetDirection {
        which: u8,
        sends: bool,
        receives: bool,
    },
    Stop(u8),
    Restart,
    Offer {
        restart: bool,
    },
    Answer,
    SetLocal(u8),
    SetRemote(u8),
    SetRemoteText(u8, String),
    /// Overwrites one byte of the description under way.
    Damage(u16, u8),
    LocalCandidate(String),
    RemoteCandidate {
        line: String,
        mid: Option<String>,
        index: Option<u16>,
        ufrag: Option<String>,
    },
    EndOfCandidates,
}

fn kind(choice: u8) -> SdpType {
    [SdpType::Offer, SdpType::Pranswer, SdpType::Answer, SdpType::Rollback][usize::from(choice % 4)]
}

/// An INIT that no one else has.
fn init(tag: u8) -> [u8; 20] {
    [1, 0, 0, 20, 0, 0, 0, tag, 0, 1, 0, 0, 0, 9, 0, 9, 0, 0, 0, 1]
}

fn session(id: u64, media: bool) -> Session {
    let fingerprint = Fingerprint { algorithm: "sha-256".into(), value: vec![7; 32] };
    Session::new(SessionConfig {
        fingerprints: vec![fingerprint],
        max_message_size: 262_144,
        sctp_port: 5000,
        sctp_init: InitChunk::parse(&init(id as u8)),
        session_id: id,
        always_negotiate: false,
        media: media.then(|| MediaConfig {
            capabilities: MediaCapabilities::shared(),
            cname: "cname".into(),
            seed: id,
        }),
    })
}

fuzz_target!(|input: ([bool; 2], Vec<(bool, Operation)>)| {
    let (media, operations) = input;
    let mut sessions = [session(1, media[0]), session(2, media[1])];
    let mut under_way = String::new();
    for (count, (which, operation)) in operations.into_iter().enumerate() {
        let session = &mut sessions[usize::from(which)];
        let fresh = IceParameters { ufrag: format!("uf{count:04}"), pwd: "p".repeat(24), ice_lite: false };
        match operation {
            Operation::AddChannel => session.add_data_channel(),
            Operation::AddTransceiver { video, sends, receives, by_track } => {
                let kind = if video { Kind::Video } else { Kind::Audio };
                let direction = Direction::new(sends, receives);
                let init = TransceiverInit { direction, by_track, ..TransceiverInit::default() };
                let _ = session.add_transceiver(kind, init);
            }
            Operation::SetDirection { which, sends, receives } => {
                let id = TransceiverId(u32::from(which % 8));
                let _ = session.set_direction(id, Direction::new(sends, receives));
            }
            Operation::Stop(which) => drop(session.stop_transceiver(TransceiverId(u32::from(which % 8)))),
            Operation::Restart => session.request_ice_restart(),
            Operation::Offer { restart } => {
                drop(session.create_offer(restart, fresh).map(|sdp| under_way = sdp))
            }
            Operation::Answer => drop(session.create_answer(fresh).map(|sdp| under_way = sdp)),
            Operation::SetLocal(choice) => drop(session.set_local(kind(choice), &under_way)),
            Operation::SetRemote(choice) => drop(session.set_remote(kind(choice), &under_way)),
            Operation::SetRemoteText(choice, text) => drop(session.set_remote(kind(choice), &text)),
            Operation::Damage(at, byte) => {
                let mut bytes = std::mem::take(&mut under_way).into_bytes();
                let length = bytes.len().max(1);
                if let Some(place) = bytes.get_mut(usize::from(at) % length) {
                    *place = byte & 0x7f;
                }
                under_way = String::from_utf8_lossy(&bytes).into_owned();
            }
            Operation::LocalCandidate(line) => drop(session.add_local_candidate(&line, "uf0000")),
            Operation::RemoteCandidate { line, mid, index, ufrag } => {
                let init = CandidateInit {
                    candidate: line,
                    sdp_mid: mid,
                    sdp_m_line_index: index,
                    username_fragment: ufrag,
                };
                let _ = session.add_remote_candidate(&init);
            }
            Operation::EndOfCandidates => drop(session.end_of_local_candidates("uf0000")),
        }
        let _ = (session.negotiation_needed(), session.local_description(), session.remote_description());
        let _ = (session.transceivers(), session.media_parameters());
    }
});
