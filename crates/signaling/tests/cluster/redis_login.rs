//! How servers come to Redis.

use std::time::Duration;

use ossa_signaling::{ClusterConfig, Server, ServerConfig};

use crate::common::offer;
use crate::pair;
use crate::redis::{Redis, lost, node};

#[tokio::test]
async fn a_password_is_used_and_a_wrong_one_is_reported_without_being_told() {
    let redis = Redis::with(&["--requirepass", "correct-horse"]);
    let with = |password: &str| {
        let url = format!("{}?pass={password}", redis.url());
        ClusterConfig { timeout: Duration::from_secs(20), ..ClusterConfig::new(&url, "test:").unwrap() }
    };
    let (one, two) = tokio::join!(node(with("correct-horse")), node(with("correct-horse")));
    let (mut a, mut b) = pair(&one, &two).await;
    a.send(offer("agent://a", "agent://b")).await;
    assert_eq!(b.next().await["type"], "offer");
    let locked_out = ServerConfig { cluster: Some(with("battery-staple")), ..ServerConfig::default() };
    assert!(!format!("{locked_out:?}").contains("battery"));
    let locked_out = Server::bind(locked_out).await.unwrap();
    let reason = lost(&locked_out).await;
    assert!(reason.to_lowercase().contains("password") && !reason.contains("battery"), "{reason}");
}
