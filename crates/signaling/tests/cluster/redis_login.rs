//! How servers come to Redis: TLS, certificates, users and passwords, and what is no Redis server for us.

use std::sync::Arc;
use std::time::Duration;

use ossa_signaling::{ClientIdentity, ClusterConfig, Server, ServerConfig};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

use crate::common::Raw;
use crate::redis::{Redis, free_port, lost, node};
use crate::{delivered, pair, two_of};

fn patient(url: &str) -> ClusterConfig {
    ClusterConfig { timeout: Duration::from_secs(20), ..ClusterConfig::new(url, "test:").unwrap() }
}

/// Why a server with this configuration does not come to Redis.
async fn reason(cluster: ClusterConfig) -> String {
    let config = ServerConfig { cluster: Some(cluster), ..ServerConfig::default() };
    assert!(!format!("{config:?}").contains("battery"));
    let server = Server::bind(config).await.unwrap();
    let reason = lost(&server).await;
    assert!(!reason.contains("battery"), "{reason}");
    reason
}

async fn works(cluster: &ClusterConfig) {
    let (one, two) = two_of(cluster).await;
    let (mut a, mut b) = pair(&one, &two).await;
    delivered(&mut a, "agent://a", &mut b, "agent://b").await;
}

#[tokio::test]
async fn a_password_is_used_and_a_wrong_one_is_reported_without_being_told() {
    let redis = Redis::with(&["--requirepass", "correct-horse"]);
    let with = |password: &str| patient(&format!("{}?pass={password}", redis.url()));
    works(&with("correct-horse")).await;
    let reason = reason(with("battery-staple")).await;
    assert!(reason.to_lowercase().contains("password"), "{reason}");
}

/// A certificate authority, and what it has signed.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let name = uuid::Uuid::new_v4().to_string();
        params.distinguished_name.push(DnType::CommonName, name);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    fn roots(&self) -> Vec<CertificateDer<'static>> {
        vec![CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap()]
    }

    /// PEM certificate and key.
    fn sign(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    fn client(&self) -> Arc<ClientIdentity> {
        let (cert, key) = self.sign("signaling");
        Arc::new(ClientIdentity {
            chain: vec![CertificateDer::from_pem_slice(cert.as_bytes()).unwrap()],
            key: PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
        })
    }
}

/// Redis behind TLS whose certificate is for `name`, and the port; `clients` is its `tls-auth-clients`.
fn secured(authority: &Authority, name: &str, clients: &str, more: &[&str]) -> (Redis, u16) {
    let (cert, key) = authority.sign(name);
    let files = [("cert", &cert), ("key", &key), ("ca", &authority.pem)];
    let files = Redis::directory_with(&files);
    let path = |name: &str| files.join(name).display().to_string();
    let (cert, key, ca) = (path("cert"), path("key"), path("ca"));
    loop {
        let port = free_port();
        let text = port.to_string();
        let mut options = vec!["--bind", "127.0.0.1", "--tls-port", &text, "--tls-auth-clients", clients];
        options.extend(["--tls-cert-file", &cert, "--tls-key-file", &key, "--tls-ca-cert-file", &ca]);
        options.extend(more);
        // Unless somebody else has taken the port meanwhile.
        if let Some(redis) = Redis::in_directory(files.clone(), &options) {
            return (redis, port);
        }
    }
}

#[tokio::test]
async fn tls_with_an_authority_of_ones_own_and_a_user_that_may_do_what_the_documentation_says() {
    let docs = include_str!("../../../../docs/cluster.md");
    let rules = docs.split("ACL SETUSER signal ").nth(1).expect("the rules").lines().next().unwrap();
    let rules = rules.replace(">secret", ">correct-horse").replace("ossa:", "test:");
    let user: Vec<_> = ["--user", "signal"].into_iter().chain(rules.split(' ')).collect();
    let authority = Authority::new();
    let (_redis, port) = secured(&authority, "127.0.0.1", "no", &user);
    let with = |login: &str| ClusterConfig {
        extra_roots: authority.roots(),
        ..patient(&format!("rediss://{login}@127.0.0.1:{port}"))
    };
    works(&with("signal:correct-horse")).await;
    let wrong = reason(with("signal:battery-staple")).await;
    assert!(wrong.starts_with(&format!("rediss://127.0.0.1:{port}: ")), "{wrong}");
    assert!(wrong.to_lowercase().contains("password"), "{wrong}");
    // Another cluster's keys are not for it.
    let other = ClusterConfig::new(&format!("rediss://signal:correct-horse@127.0.0.1:{port}"), "other:");
    let other = ClusterConfig { extra_roots: authority.roots(), ..other.unwrap() };
    let wrong = reason(other).await;
    assert!(wrong.contains("its user may not do what is needed"), "{wrong}");
}

#[tokio::test]
async fn a_certificate_that_is_not_to_be_trusted_is_refused_and_the_reason_says_what_to_do() {
    let authority = Authority::new();
    let (_redis, port) = secured(&authority, "127.0.0.1", "no", &[]);
    let url = format!("rediss://user:battery@127.0.0.1:{port}");
    let other = Authority::new();
    for roots in [Vec::new(), other.roots()] {
        let untrusted = reason(ClusterConfig { extra_roots: roots, ..patient(&url) }).await;
        assert!(untrusted.contains("give it in \"ca\""), "{untrusted}");
    }
    let (_redis, port) = secured(&authority, "redis.example", "no", &[]);
    let elsewhere = patient(&format!("rediss://127.0.0.1:{port}"));
    let elsewhere = reason(ClusterConfig { extra_roots: authority.roots(), ..elsewhere }).await;
    assert!(elsewhere.contains("for another name than 127.0.0.1"), "{elsewhere}");
}

#[tokio::test]
async fn redis_that_wants_a_certificate_is_shown_one() {
    let authority = Authority::new();
    let (_redis, port) = secured(&authority, "127.0.0.1", "yes", &[]);
    let without =
        ClusterConfig { extra_roots: authority.roots(), ..patient(&format!("rediss://127.0.0.1:{port}")) };
    let wanted = reason(without.clone()).await;
    assert!(wanted.contains("\"cert\" and \"key\""), "{wanted}");
    works(&ClusterConfig { identity: Some(authority.client()), ..without }).await;
}

#[tokio::test]
async fn where_nobody_answers_in_tls_the_reason_says_that_the_port_may_be_without() {
    let (_redis, port) = plain(&[]);
    let hasty =
        ClusterConfig { timeout: Duration::from_secs(1), ..patient(&format!("rediss://127.0.0.1:{port}")) };
    let reason = reason(hasty).await;
    assert!(reason.contains("speaks no TLS"), "{reason}");
}

/// Redis on a TCP port, which is returned.
fn plain(options: &[&str]) -> (Redis, u16) {
    loop {
        let port = free_port();
        let text = port.to_string();
        let mut all = vec!["--bind", "127.0.0.1", "--port", &text];
        all.extend(options);
        if let Some(redis) = Redis::in_directory(Redis::directory_with(&[]), &all) {
            return (redis, port);
        }
    }
}

#[tokio::test]
async fn a_shard_a_sentinel_and_a_replica_are_refused_with_a_reason_that_says_so() {
    let shard = Redis::with(&["--cluster-enabled", "yes"]);
    let why = reason(patient(&shard.url())).await;
    assert!(why.contains("Redis Cluster") && why.contains("not supported"), "{why}");

    let sentinel = Redis::sentinel();
    let why = reason(patient(&sentinel.url())).await;
    assert!(why.contains("Sentinel") && why.contains("primary"), "{why}");

    let replica = Redis::with(&["--replicaof", "127.0.0.1", &free_port().to_string()]);
    let why = reason(patient(&replica.url())).await;
    assert!(why.contains("read-only replica") && why.contains("primary"), "{why}");
}

#[tokio::test]
async fn redis_that_forgets_what_it_likes_is_refused() {
    let redis = Redis::with(&["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"]);
    let why = reason(patient(&redis.url())).await;
    assert!(why.contains("allkeys-lru") && why.contains("noeviction"), "{why}");
    redis.ask(&["config", "set", "maxmemory-policy", "noeviction"]);
    let server = node(patient(&redis.url())).await;
    Raw::registered(&server, "agent://a").await;
}
