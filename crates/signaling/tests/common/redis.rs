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
        Self::in_directory(Self::directory_with(&[]), options).expect("redis-server listens")
    }

    /// A directory for a server of a test's own, with these files in it.
    pub fn directory_with(files: &[(&str, &String)]) -> PathBuf {
        let directory = std::env::temp_dir().join(format!("ossa-redis-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir(&directory).unwrap();
        for (name, content) in files {
            std::fs::write(directory.join(name), content).unwrap();
        }
        directory
    }

    /// `None`: it ended instead of listening.
    pub fn in_directory(directory: PathBuf, options: &[&str]) -> Option<Self> {
        let mut all = vec!["--port".to_owned(), "0".to_owned(), "--save".to_owned(), String::new()];
        all.extend(["--unixsocket".to_owned(), directory.join("redis.sock").display().to_string()]);
        all.extend(["--dir".to_owned(), directory.display().to_string()]);
        all.extend(options.iter().map(|&option| option.to_owned()));
        let process = spawn(&all, "eady to accept connections")?;
        Some(Self { directory, options: all, process })
    }

    /// A Redis Sentinel that watches nobody.
    pub fn sentinel() -> Self {
        let directory = Self::directory_with(&[]);
        let file = directory.join("sentinel.conf");
        std::fs::write(&file, format!("port 0\nunixsocket {}/redis.sock\n", directory.display())).unwrap();
        let options = vec![file.display().to_string(), "--sentinel".to_owned()];
        let process = spawn(&options, "Sentinel ID is").expect("it listens");
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
        self.process = spawn(&self.options, "eady to accept connections").expect("redis-server listens");
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

/// `None`: it ended without having said that it is `ready`.
fn spawn(options: &[String], ready: &str) -> Option<Child> {
    let mut process = Command::new("redis-server")
        .args(options)
        .stdout(Stdio::piped())
        .spawn()
        .expect("redis-server is installed");
    let mut log = BufReader::new(process.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains(ready) {
        line.clear();
        if log.read_line(&mut line).unwrap() == 0 {
            process.wait().unwrap();
            return None;
        }
    }
    // Its later lines are of no interest, but somebody must take them.
    std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
    Some(process)
}

/// A TCP port that nobody has just now. Somebody may take it before it is used.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
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

    /// Nothing in it moves until what this returns is dropped, as if the process was stopped.
    pub async fn pause(&self) -> std::sync::mpsc::Sender<()> {
        let (resume, resumed) = std::sync::mpsc::channel();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        // Its only thread waits in there.
        self.runtime.spawn(async move {
            stop.send(()).unwrap();
            let _ = resumed.recv();
        });
        stopped.await.unwrap();
        resume
    }

    /// Its sockets are closed by that, like those of a process that is killed.
    pub fn kill(self) {
        self.runtime.shutdown_background();
    }
}
