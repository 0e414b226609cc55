//! A real Redis server of a test's own, and servers that share it.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ossa_signaling::{ClusterConfig, ClusterState, Server, ServerConfig};
use tokio::runtime::Runtime;

/// Listens on a socket in a directory of its own. Killed when dropped.
pub struct Redis {
    directory: PathBuf,
    options: Vec<String>,
    process: Child,
}

impl Redis {
    pub fn start() -> Self {
        Self::with(&[])
    }

    pub fn with(options: &[&str]) -> Self {
        let directory = std::env::temp_dir().join(format!("ossa-redis-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir(&directory).unwrap();
        let options = options.iter().map(|&option| option.to_owned()).collect::<Vec<_>>();
        let process = spawn(&directory, &options);
        Self { directory, options, process }
    }

    pub fn socket(&self) -> PathBuf {
        self.directory.join("redis.sock")
    }

    pub fn url(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// Ends as by `kill -9`.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// A new one in the same place, with nothing in it.
    pub fn restart(&mut self) {
        self.process = spawn(&self.directory, &self.options);
    }

    pub fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.process.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// What `redis-cli` answers.
    pub fn ask(&self, command: &[&str]) -> String {
        let output = Command::new("redis-cli").arg("-s").arg(self.socket()).args(command).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

fn spawn(directory: &PathBuf, options: &[String]) -> Child {
    let mut process = Command::new("redis-server")
        .args(["--port", "0", "--save", "", "--unixsocket"])
        .arg(directory.join("redis.sock"))
        .arg("--dir")
        .arg(directory)
        .args(options)
        .stdout(Stdio::piped())
        .spawn()
        .expect("redis-server is installed");
    let mut log = BufReader::new(process.stdout.take().unwrap());
    let mut line = String::new();
    while !line.to_lowercase().contains("eady to accept connections") {
        line.clear();
        assert_ne!(log.read_line(&mut line).unwrap(), 0, "redis-server ended instead of listening");
    }
    // Its later lines are of no interest, but somebody must take them.
    std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
    process
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// Patient enough for a machine that has a lot else to do.
pub fn cluster(redis: &Redis) -> ClusterConfig {
    let config = ClusterConfig::new(&redis.url(), "test:").unwrap();
    ClusterConfig { lease: Duration::from_secs(60), timeout: Duration::from_secs(20), ..config }
}

/// For tests in which something is lost: notices it soon.
pub fn hasty(redis: &Redis) -> ClusterConfig {
    ClusterConfig { lease: Duration::from_millis(1500), timeout: Duration::from_secs(1), ..cluster(redis) }
}

pub async fn node(cluster: ClusterConfig) -> Server {
    node_with(ServerConfig { cluster: Some(cluster), ..ServerConfig::default() }).await
}

/// A server that is in its cluster.
pub async fn node_with(config: ServerConfig) -> Server {
    let server = Server::bind(config).await.unwrap();
    connected(&server).await;
    server
}

pub async fn connected(server: &Server) {
    let mut states = server.watch_cluster().unwrap();
    states.wait_for(|state| *state == ClusterState::Connected).await.unwrap();
}

/// Has lost its cluster, and is back.
pub async fn back(server: &Server) {
    let mut states = server.watch_cluster().unwrap();
    let back =
        |state: &ClusterState| *state == ClusterState::Connected && server.cluster().unwrap().losses > 0;
    states.wait_for(back).await.unwrap();
}

/// Returns why.
pub async fn lost(server: &Server) -> String {
    let mut states = server.watch_cluster().unwrap();
    let state = states.wait_for(|state| matches!(state, ClusterState::Lost { .. })).await.unwrap().clone();
    let ClusterState::Lost { reason } = state else { unreachable!() };
    reason
}

/// A server that can be ended without its knowing, as by `kill -9`.
pub struct Victim {
    pub server: Server,
    runtime: Runtime,
}

impl Victim {
    pub fn start(cluster: ClusterConfig) -> Self {
        Self::start_with(ServerConfig { cluster: Some(cluster), ..ServerConfig::default() })
    }

    pub fn start_with(config: ServerConfig) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let server = std::thread::scope(|scope| {
            scope.spawn(|| runtime.block_on(node_with(config))).join().expect("no panic")
        });
        Self { server, runtime }
    }

    /// Its sockets are closed by that, like those of a process that is killed.
    pub fn kill(self) {
        self.runtime.shutdown_background();
    }
}
