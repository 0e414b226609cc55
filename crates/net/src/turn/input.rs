//! What comes from a TURN server: whole messages, from datagrams or cut out of a byte stream.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf, ReadHalf};

use super::stream::ByteStream;
use crate::socket::{RecvBuffers, UdpSocket};

/// Read from a stream at once.
const READ_BYTES: usize = 64 * 1024;

pub(super) enum Input {
    Udp { socket: Arc<UdpSocket>, server: SocketAddr },
    Stream { stream: ReadHalf<Box<dyn ByteStream>>, buffer: Vec<u8>, filled: usize },
}

/// Messages that have arrived together.
pub(super) enum Messages<'a> {
    Datagrams { buffers: &'a RecvBuffers, count: usize, server: SocketAddr },
    Frames(&'a [u8]),
}

impl Messages<'_> {
    pub(super) fn for_each(&self, mut f: impl FnMut(&[u8])) {
        match self {
            Self::Datagrams { buffers, count, server } => {
                buffers.deliver(*count, &mut |from, data| {
                    if from == *server {
                        f(data);
                    }
                });
            }
            Self::Frames(frames) => {
                let mut frames = *frames;
                while let Ok(Some(frame)) = Frame::parse(frames) {
                    let Some(message) = frames.get(..frame.message) else { break };
                    f(message);
                    frames = frames.get(frame.padded..).unwrap_or_default();
                }
            }
        }
    }
}

impl Input {
    /// Waits for messages and passes them to `f`. An error is the end of the connection.
    pub(super) fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        f: &mut dyn FnMut(&Messages<'_>),
    ) -> Poll<io::Result<()>> {
        match self {
            Self::Udp { socket, server } => RecvBuffers::with(|buffers| {
                let count = ready!(socket.poll_recv(cx, buffers));
                f(&Messages::Datagrams { buffers, count, server: *server });
                Poll::Ready(Ok(()))
            }),
            Self::Stream { stream, buffer, filled } => {
                if buffer.len() < *filled + READ_BYTES {
                    buffer.resize(*filled + READ_BYTES, 0);
                }
                let mut read = ReadBuf::new(&mut buffer[*filled..]);
                ready!(Pin::new(stream).poll_read(cx, &mut read))?;
                if read.filled().is_empty() {
                    return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                }
                *filled += read.filled().len();
                let complete = complete_frames(&buffer[..*filled])?;
                f(&Messages::Frames(&buffer[..complete]));
                buffer.copy_within(complete..*filled, 0);
                *filled -= complete;
                Poll::Ready(Ok(()))
            }
        }
    }
}

/// A message in a stream: STUN (RFC 8489, section 6.2.2) or ChannelData, which is padded to a multiple of four bytes there (RFC 8656,
/// section 12.5).
struct Frame {
    message: usize,
    padded: usize,
}

impl Frame {
    /// `None` if more bytes are needed to know. An error if this can't be either kind of message.
    fn parse(data: &[u8]) -> io::Result<Option<Self>> {
        let &[kind, _, high, low, ..] = data else {
            return Ok(None);
        };
        let len = usize::from(u16::from_be_bytes([high, low]));
        match kind {
            0x00..=0x3f => Ok(Some(Self { message: 20 + len, padded: 20 + len })),
            0x40..=0x4f => Ok(Some(Self { message: 4 + len, padded: (4 + len).next_multiple_of(4) })),
            _ => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the server's stream is neither STUN nor ChannelData",
            )),
        }
    }
}

/// Length of the complete frames at the start of `data`.
pub(super) fn complete_frames(data: &[u8]) -> io::Result<usize> {
    let mut end = 0;
    while let Some(frame) = Frame::parse(&data[end..])? {
        if data.len() - end < frame.padded {
            break;
        }
        end += frame.padded;
    }
    Ok(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel_data(len: usize) -> Vec<u8> {
        let mut frame = vec![0x40, 0x01];
        frame.extend_from_slice(&u16::try_from(len).unwrap().to_be_bytes());
        frame.extend((0..len).map(|i| i as u8));
        frame.resize(frame.len().next_multiple_of(4), 0);
        frame
    }

    fn stun(len: u8) -> Vec<u8> {
        let mut frame = vec![0x01, 0x01, 0, len];
        frame.resize(20 + usize::from(len), 7);
        frame
    }

    #[test]
    fn messages_are_found_wherever_the_stream_is_cut() {
        let frames =
            [channel_data(1), stun(0), channel_data(0), channel_data(1_203), stun(8), channel_data(65_535)];
        let stream = frames.concat();
        let lengths = [5, 20, 4, 1_207, 28, 65_539];
        for step in [1, 3, 7, 4_096, stream.len()] {
            let (mut got, mut buffer) = (Vec::new(), Vec::new());
            for chunk in stream.chunks(step) {
                buffer.extend_from_slice(chunk);
                let complete = complete_frames(&buffer).unwrap();
                Messages::Frames(&buffer[..complete]).for_each(|m| got.push(m.len()));
                buffer.drain(..complete);
            }
            assert_eq!(got, lengths, "in steps of {step}");
            assert!(buffer.is_empty());
        }
    }

    #[test]
    fn a_stream_of_something_else_is_an_error() {
        assert!(
            complete_frames(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap() == 0,
            "0x48 is a channel number: more is awaited"
        );
        assert!(complete_frames(&[0x80, 0, 0, 0]).is_err());
        assert!(complete_frames(&[0x15, 3, 1]).unwrap() == 0);
    }
}
