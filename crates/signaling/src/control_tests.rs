//! Tests of [`control`](super::control).

use crate::control::{AuthMode, ClientFrame, MAX_TOKEN, ServerFrame};
use crate::room::RoomName;
use crate::turn::IceServer;
use crate::uri::AgentUri;

#[test]
fn frames_about_proofs_survive_a_round_trip() {
    let agent: AgentUri = "agent://a".parse().unwrap();
    let prove = ClientFrame::Prove { agent: agent.clone(), proof: "p".into(), public_key: Some("k".into()) };
    assert!(matches!(
        ClientFrame::parse(&prove.to_json()).unwrap(),
        ClientFrame::Prove { proof, public_key: Some(key), .. } if proof == "p" && key == "k"
    ));
    let server = IceServer {
        urls: vec!["turn:t".into()],
        username: Some("u".into()),
        credential: Some("c".to_owned().into()),
    };
    let challenge = ServerFrame::Challenge { agent_id: agent.clone(), nonce: "n".into(), audience: None };
    assert_eq!(challenge.to_json(), r#"{"type":"challenge","agentId":"agent://a","nonce":"n"}"#);
    let ice = ServerFrame::IceServers { agent_id: agent, ice_servers: vec![server], ttl: 60 };
    assert_eq!(
        ice.to_json(),
        concat!(
            r#"{"type":"ice-servers","agentId":"agent://a","#,
            r#""iceServers":[{"urls":["turn:t"],"username":"u","credential":"c"}],"ttl":60}"#
        )
    );
    for frame in [challenge, ice] {
        assert_eq!(ServerFrame::parse(&frame.to_json()), Some(frame));
    }
}

#[test]
fn a_proof_or_token_beyond_its_size_is_refused_before_anybody_looks_at_it() {
    for field in ["token", "resume"] {
        let text = format!(
            r#"{{"type":"register","agentId":"agent://a","{field}":"{}"}}"#,
            "x".repeat(MAX_TOKEN + 1)
        );
        assert!(ClientFrame::parse(&text).unwrap_err().0.contains(field));
    }
    for (proof, key) in [(MAX_TOKEN + 1, 1), (1, MAX_TOKEN + 1)] {
        let (proof, key) = ("x".repeat(proof), "x".repeat(key));
        let text =
            format!(r#"{{"type":"prove","agentId":"agent://a","proof":"{proof}","publicKey":"{key}"}}"#);
        assert!(ClientFrame::parse(&text).is_err());
    }
}

#[test]
fn frames_survive_a_round_trip() {
    let agent: AgentUri = "agent://a".parse().unwrap();
    let text =
        ClientFrame::Register { agent: agent.clone(), resume: Some("t".into()), token: None }.to_json();
    assert!(matches!(
        ClientFrame::parse(&text).unwrap(),
        ClientFrame::Register { resume: Some(token), .. } if token == "t"
    ));
    let frame = ServerFrame::Registered {
        agent_id: agent,
        resume: "r".into(),
        idle_timeout_ms: 9,
        features: vec![],
        auth: AuthMode::Keys,
        ice_servers: vec![],
        ice_servers_ttl: None,
    };
    assert!(frame.to_json().starts_with(r#"{"type":"registered","agentId":"agent://a""#));
    assert_eq!(ServerFrame::parse(&frame.to_json()), Some(frame));
}

#[test]
fn frames_about_rooms_survive_a_round_trip() {
    let agent: AgentUri = "agent://a".parse().unwrap();
    let room: RoomName = "lobby".parse().unwrap();
    let join = ClientFrame::Join { agent: agent.clone(), room: room.clone() }.to_json();
    assert_eq!(join, r#"{"agentId":"agent://a","room":"lobby","type":"join"}"#);
    assert!(matches!(ClientFrame::parse(&join).unwrap(), ClientFrame::Join { .. }));
    let leave = ClientFrame::Leave { agent: agent.clone(), room: room.clone() }.to_json();
    assert!(matches!(ClientFrame::parse(&leave).unwrap(), ClientFrame::Leave { .. }));
    for frame in [
        ServerFrame::Joined { agent_id: agent.clone(), room: room.clone(), members: vec![agent.clone()] },
        ServerFrame::Left { agent_id: agent.clone(), room: room.clone() },
        ServerFrame::Members {
            agent_id: agent.clone(),
            room: room.clone(),
            joined: vec![],
            left: vec![agent.clone()],
            lost: vec![],
        },
    ] {
        assert_eq!(ServerFrame::parse(&frame.to_json()), Some(frame));
    }
    assert!(ClientFrame::parse(r#"{"type":"join","agentId":"agent://a"}"#).is_err());
    assert!(ClientFrame::parse(r#"{"type":"join","agentId":"agent://a","room":""}"#).is_err());
}

#[test]
fn an_error_with_a_sender_is_no_frame_of_the_server() {
    let relayed =
        r#"{"type":"error","from":"agent://a","to":"agent://b","error":{"code":"C","message":"m"}}"#;
    assert_eq!(ServerFrame::parse(relayed), None);
    let own = r#"{"type":"error","to":"agent://b","error":{"code":"C","message":"m"}}"#;
    assert!(matches!(ServerFrame::parse(own), Some(ServerFrame::Error { .. })));
}

#[test]
fn a_registration_with_an_invalid_agent_uri_says_what_is_wrong() {
    let error = ClientFrame::parse(r#"{"type":"register","agentId":"agent://a?b"}"#).unwrap_err();
    assert!(error.0.contains("contains a query"), "{error}");
}
