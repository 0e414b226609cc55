//! A coturn server on loopback, with its own certificate authority.

use std::io::Read;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub const USERNAME: &str = "alice";
pub const CREDENTIAL: &str = "wonderland";

pub struct Coturn {
    process: Child,
    command: Command,
    directory: PathBuf,
    /// Where it listens.
    pub ip: IpAddr,
    pub port: u16,
    pub tls_port: u16,
    /// The authority that signed the server's certificate, in PEM.
    pub ca_pem: String,
}

impl Coturn {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    pub fn start_with(options: &[&str]) -> Self {
        let loopback = IpAddr::from([127, 0, 0, 1]);
        Self::start_at(loopback, &[loopback], options)
    }

    /// Listens at one address and relays from others.
    pub fn start_at(ip: IpAddr, relays: &[IpAddr], options: &[&str]) -> Self {
        let directory =
            std::env::temp_dir().join(format!("ossa-coturn-{}-{}", std::process::id(), free_port()));
        std::fs::create_dir_all(&directory).expect("a temporary directory");
        let ca_pem = write_certificates(&directory);
        let (port, tls_port) = (free_port_at(ip), free_port_at(ip));
        let file = |name: &str| directory.join(name).display().to_string();
        let relays = relays.iter().flat_map(|relay| ["--relay-ip".to_owned(), relay.to_string()]);
        let mut command = Command::new("turnserver");
        command
            .args(["-n", "--no-cli", "--lt-cred-mech", "--allow-loopback-peers", "--no-stdout-log"])
            .args(["--listening-ip", &ip.to_string(), "--realm", "ossa.test"])
            .args(relays)
            .args(["--listening-port", &port.to_string(), "--tls-listening-port", &tls_port.to_string()])
            .args(["--user", &format!("{USERNAME}:{CREDENTIAL}")])
            .args(["--cert", &file("cert.pem"), "--pkey", &file("key.pem")])
            .args(["--userdb", &file("turndb"), "--pidfile", &file("pid"), "--log-file", &file("log")])
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let process = spawn(&mut command);
        let mut coturn = Self { process, command, directory, ip, port, tls_port, ca_pem };
        coturn.wait_until_it_listens();
        coturn
    }

    /// Ends the server without a word to its clients, and starts it anew at the same place.
    pub fn restart(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.process = spawn(&mut self.command);
        self.wait_until_it_listens();
    }

    fn wait_until_it_listens(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        for port in [self.port, self.tls_port] {
            while TcpStream::connect(SocketAddr::new(self.ip, port)).is_err() {
                if let Ok(Some(status)) = self.process.try_wait() {
                    let mut text = String::new();
                    let _ = self.process.stderr.take().map(|mut e| e.read_to_string(&mut text));
                    panic!("turnserver ended with {status}: {text}");
                }
                assert!(Instant::now() < deadline, "turnserver does not listen on port {port}");
                std::thread::yield_now();
            }
        }
    }

    pub fn url(&self, scheme: &str, transport: &str) -> String {
        let (port, query) = match scheme {
            "turns" => (self.tls_port, format!("?transport={transport}")),
            "turn" => (self.port, format!("?transport={transport}")),
            _ => (self.port, String::new()),
        };
        let address = SocketAddr::new(self.ip, port);
        format!("{scheme}:{address}{query}")
    }
}

impl Drop for Coturn {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn spawn(command: &mut Command) -> Child {
    command
        .spawn()
        .expect("these tests need the TURN server coturn: install it with 'apt-get install coturn'")
}

/// A port that is free for TCP and UDP.
pub fn free_port() -> u16 {
    free_port_at([127, 0, 0, 1].into())
}

fn free_port_at(ip: IpAddr) -> u16 {
    loop {
        let tcp = TcpListener::bind((ip, 0)).expect("a free port");
        let port = tcp.local_addr().expect("its address").port();
        if UdpSocket::bind((ip, port)).is_ok() {
            return port;
        }
    }
}

fn write_certificates(directory: &std::path::Path) -> String {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
    let ca_key = KeyPair::generate().expect("a key");
    let mut ca = CertificateParams::new(Vec::new()).expect("no names");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    ca.distinguished_name.push(rcgen::DnType::CommonName, "Test authority");
    let ca_certificate = ca.self_signed(&ca_key).expect("a certificate");
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate().expect("a key");
    let names = vec!["127.0.0.1".to_owned(), "::1".to_owned(), "localhost".to_owned()];
    let certificate =
        CertificateParams::new(names).expect("names").signed_by(&key, &issuer).expect("a certificate");
    std::fs::write(directory.join("cert.pem"), certificate.pem()).expect("a file");
    std::fs::write(directory.join("key.pem"), key.serialize_pem()).expect("a file");
    ca_certificate.pem()
}
