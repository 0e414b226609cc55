//! Control events as JSON: the types `NativeEvent` and `PeerSnapshot` of `ts/native/types.ts`.

use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use ossa_peer::{
    CandidateInfo, ChannelId, ChannelInfo, DtlsSnapshot, Event, IceSnapshot, RelayProtocol, RtcError,
    SctpSnapshot, SelectedPair, SessionDescription, Snapshot, TcpType,
};
use serde_json::{Value, json};

use super::media_event;

/// The JSON of a control event; `None` for what travels another way, or is nothing to JavaScript.
pub(crate) fn encode(event: &Event) -> Option<String> {
    let value = value(event);
    (!value.is_null()).then(|| value.to_string())
}

/// The JSON of the event that a queued message could not be sent on an open channel.
pub(crate) fn send_failed(channel: ChannelId, bytes: usize, error: &ossa_peer::Error) -> String {
    let (code, message) = (error.kind.name(), &error.message);
    json!({ "type": "sendFailed", "channel": channel.0, "bytes": bytes, "code": code, "message": message })
        .to_string()
}

fn value(event: &Event) -> Value {
    match event {
        Event::IceCandidate {
            generation,
            descriptions,
            candidate,
            mid,
            m_line_index,
            ufrag,
            url,
            relay_protocol,
            local_description,
        } => json!({
            "type": "iceCandidate",
            "generation": generation,
            "descriptions": descriptions,
            "candidate": candidate,
            "sdpMid": mid,
            "sdpMLineIndex": m_line_index,
            "usernameFragment": ufrag,
            "url": url,
            "relayProtocol": relay_protocol.map(RelayProtocol::as_str),
            "sdp": local_description,
        }),
        Event::EndOfCandidates { generation, descriptions, mid, m_line_index, ufrag, local_description } => {
            json!({
                "type": "endOfCandidates",
                "generation": generation,
                "descriptions": descriptions,
                "sdpMid": mid,
                "sdpMLineIndex": m_line_index,
                "usernameFragment": ufrag,
                "sdp": local_description,
            })
        }
        Event::IceCandidateError(error) => json!({
            "type": "iceCandidateError",
            "address": error.address,
            "port": error.port,
            "url": error.url,
            "errorCode": error.code,
            "errorText": error.text,
        }),
        Event::IceGatheringState { generation, state } => json!({
            "type": "iceGatheringState",
            "generation": generation,
            "state": state.as_str(),
        }),
        Event::IceTransportState(state) => state_change("iceTransportState", state.as_str()),
        Event::IceConnectionState(state) => state_change("iceConnectionState", state.as_str()),
        Event::ConnectionState(state) => state_change("connectionState", state.as_str()),
        Event::SelectedPair(pair) => json!({
            "type": "selectedPair",
            "local": candidate(&pair.local),
            "remote": candidate(&pair.remote),
        }),
        Event::PathLost => json!({ "type": "pathLost" }),
        // The certificates are in the snapshot, for who asks.
        Event::DtlsState { state, error, .. } => json!({
            "type": "dtlsState",
            "state": state.as_str(),
            "error": error.as_ref().map(rtc_error),
        }),
        Event::SctpState { state, max_message_size, max_channels } => json!({
            "type": "sctpState",
            "state": state.as_str(),
            "maxMessageSize": max_message_size,
            "maxChannels": max_channels,
        }),
        Event::ChannelAnnounced { id, info } => {
            json!({ "type": "channelAnnounced", "channel": id.0, "info": channel_info(info) })
        }
        Event::ChannelOpen { id, stream_id } => {
            json!({ "type": "channelOpen", "channel": id.0, "id": stream_id })
        }
        Event::ChannelClosing { id } => json!({ "type": "channelClosing", "channel": id.0 }),
        Event::ChannelClosed { id, error } => {
            json!({ "type": "channelClosed", "channel": id.0, "error": error.as_ref().map(rtc_error) })
        }
        // The I/O layer keeps the first two to itself, the queue carries the others in its own form.
        Event::Gather { .. }
        | Event::ResolveCandidate(_)
        | Event::Message { .. }
        | Event::Released { .. } => Value::Null,
        Event::Media(event) => media_event::encode(event),
        Event::MediaFault { transceiver, message } => media_event::fault(*transceiver, message),
        // JavaScript sees it in the snapshot after the description.
        Event::Track(_) | Event::MediaChanged => Value::Null,
    }
}

fn state_change(kind: &str, state: &str) -> Value {
    json!({ "type": kind, "state": state })
}

/// The JSON of a snapshot. `maxMessageSize` is `null` for no limit, because JSON has no infinity.
pub(crate) fn snapshot(snapshot: &Snapshot) -> String {
    json!({
        "signalingState": snapshot.signaling_state.as_str(),
        "connectionState": snapshot.connection_state.as_str(),
        "iceConnectionState": snapshot.ice_connection_state.as_str(),
        "iceGatheringState": snapshot.ice_gathering_state.as_str(),
        "iceGeneration": snapshot.ice_generation,
        "descriptions": snapshot.descriptions,
        "currentLocalDescription": snapshot.current_local_description.as_ref().map(description),
        "pendingLocalDescription": snapshot.pending_local_description.as_ref().map(description),
        "currentRemoteDescription": snapshot.current_remote_description.as_ref().map(description),
        "pendingRemoteDescription": snapshot.pending_remote_description.as_ref().map(description),
        "canTrickleIceCandidates": snapshot.can_trickle_ice_candidates,
        "negotiationNeeded": snapshot.negotiation_needed,
        "transceivers": snapshot.transceivers.iter().map(media_event::transceiver).collect::<Vec<_>>(),
        "sctp": snapshot.sctp.as_ref().map(sctp),
        "dtls": snapshot.dtls.as_ref().map(dtls),
        "ice": snapshot.ice.as_ref().map(ice),
    })
    .to_string()
}

fn description(description: &SessionDescription) -> Value {
    json!({ "type": description.kind.as_str(), "sdp": description.sdp })
}

fn sctp(sctp: &SctpSnapshot) -> Value {
    json!({
        "state": sctp.state.as_str(),
        "maxMessageSize": sctp.max_message_size,
        "maxChannels": sctp.max_channels,
    })
}

fn dtls(dtls: &DtlsSnapshot) -> Value {
    json!({
        "state": dtls.state.as_str(),
        "role": dtls.role.map(|role| role.as_str()),
        "remoteCertificates": certificates(&dtls.remote_certificates),
    })
}

fn ice(ice: &IceSnapshot) -> Value {
    json!({
        "state": ice.state.as_str(),
        "gatheringState": ice.gathering_state.as_str(),
        "role": ice.role.as_str(),
        "selectedPair": ice.selected_pair.as_ref().map(pair),
    })
}

fn pair(pair: &SelectedPair) -> Value {
    json!({ "local": candidate(&pair.local), "remote": candidate(&pair.remote) })
}

fn candidate(candidate: &CandidateInfo) -> Value {
    json!({
        "candidate": candidate.candidate,
        "type": candidate.kind.as_str(),
        "protocol": candidate.protocol.as_str(),
        "tcpType": candidate.tcp_type.map(TcpType::as_str),
        "address": candidate.addr.ip(),
        "port": candidate.addr.port(),
        "priority": candidate.priority,
        "foundation": candidate.foundation,
        "relatedAddress": candidate.related.map(|addr| addr.ip()),
        "relatedPort": candidate.related.map(|addr: SocketAddr| addr.port()),
        "usernameFragment": candidate.ufrag,
        "sdpMid": candidate.mid,
        "url": candidate.url,
        "relayProtocol": candidate.relay_protocol.map(RelayProtocol::as_str),
    })
}

fn channel_info(info: &ChannelInfo) -> Value {
    json!({
        "label": info.label,
        "protocol": info.protocol,
        "ordered": info.ordered,
        "maxPacketLifeTime": info.max_packet_life_time,
        "maxRetransmits": info.max_retransmits,
        "negotiated": info.negotiated,
        "id": info.stream_id,
        "priority": info.priority.as_str(),
    })
}

fn rtc_error(error: &RtcError) -> Value {
    json!({
        "message": error.message,
        "errorDetail": error.detail.as_str(),
        "sctpCauseCode": error.sctp_cause_code,
        "receivedAlert": error.received_alert,
        "sentAlert": error.sent_alert,
    })
}

/// DER in base64; `ts/native/json.ts` makes ArrayBuffers of them.
fn certificates(der: &[Bytes]) -> Vec<String> {
    der.iter().map(|der| STANDARD.encode(der)).collect()
}
