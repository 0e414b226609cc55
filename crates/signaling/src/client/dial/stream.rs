//! A stream of bytes, whatever it goes through, and the tasks that serve one.

use std::future::Future;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;

/// Anything that carries bytes in both directions.
pub(in crate::client) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

pub(in crate::client) type Stream = Box<dyn Io>;

/// A task that ends with its owner.
#[derive(Debug)]
pub(in crate::client) struct Aborted(JoinHandle<()>);

impl Aborted {
    pub(in crate::client) fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(task))
    }
}

impl Drop for Aborted {
    fn drop(&mut self) {
        self.0.abort();
    }
}
