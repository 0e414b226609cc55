//! Alone in its process, because it counts what the process has open.
#![cfg(target_os = "linux")]

mod common;

use common::{TestPeer, loopback_config, runtime, wait_until};

#[test]
fn a_thousand_peers_leave_no_socket_and_no_task_behind() {
    let runtime = runtime();
    // Once, so that everything that stays open for good is open.
    drop(TestPeer::new(&runtime, loopback_config()));
    wait_until("the first peer has ended", || runtime.peers() == 0);
    let before = open_files();
    for _ in 0..10 {
        let peers: Vec<_> = (0..100).map(|_| TestPeer::new(&runtime, loopback_config())).collect();
        for peer in &peers {
            peer.channel("test");
            peer.offer(false);
        }
        wait_until("all have their sockets", || open_files() >= before + 100);
        // Half of them are closed, all are dropped.
        peers.iter().step_by(2).for_each(|p| p.peer.close());
    }
    wait_until("all peers have ended", || runtime.peers() == 0);
    assert_eq!(open_files(), before);
    assert_eq!(runtime.running_shards(), 1, "the number of threads does not grow with the number of peers");
}

fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("procfs").count()
}
