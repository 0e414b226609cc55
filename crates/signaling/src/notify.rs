//! Tells the service manager how the process is, as `sd_notify(3)` of systemd does.

use std::io;

/// Sends `state`, lines such as `READY=1`, to the manager that listens at `socket`: the value of `NOTIFY_SOCKET`, a path, or a
/// name behind `@` (an abstract socket of Linux).
///
/// # Errors
/// Nobody listens there, or this system has no such sockets.
#[cfg(unix)]
pub fn notify(socket: &str, state: &str) -> io::Result<()> {
    use std::os::unix::net::UnixDatagram;

    let sender = UnixDatagram::unbound()?;
    match socket.strip_prefix('@') {
        Some(name) => send_to_abstract(&sender, name, state)?,
        None => sender.send_to(state.as_bytes(), socket)?,
    };
    Ok(())
}

#[cfg(target_os = "linux")]
fn send_to_abstract(sender: &std::os::unix::net::UnixDatagram, name: &str, state: &str) -> io::Result<usize> {
    use std::os::linux::net::SocketAddrExt;

    let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
    sender.send_to_addr(state.as_bytes(), &address)
}

#[cfg(all(unix, not(target_os = "linux")))]
fn send_to_abstract(_: &std::os::unix::net::UnixDatagram, _: &str, _: &str) -> io::Result<usize> {
    Err(io::ErrorKind::Unsupported.into())
}

/// See the version for Unix.
///
/// # Errors
/// Always: this system has no such sockets.
#[cfg(not(unix))]
pub fn notify(_: &str, _: &str) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    use super::*;

    fn received(manager: &UnixDatagram) -> String {
        let mut buffer = [0; 64];
        let length = manager.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    #[test]
    fn a_manager_hears_at_a_path_and_at_an_abstract_name() {
        let name = format!("ossa-notify-{}", std::process::id());
        let path = std::env::temp_dir().join(&name);
        let manager = UnixDatagram::bind(&path).unwrap();
        notify(path.to_str().unwrap(), "READY=1").unwrap();
        assert_eq!(received(&manager), "READY=1");
        std::fs::remove_file(path).unwrap();

        let manager = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        notify(&format!("@{name}"), "STOPPING=1").unwrap();
        assert_eq!(received(&manager), "STOPPING=1");
    }

    #[test]
    fn nobody_there_is_an_error() {
        assert!(notify("/nonexistent/socket", "READY=1").is_err());
        assert!(notify("@ossa-notify-nobody", "READY=1").is_err());
    }
}
